// clang-tidy over our C++ files, in parallel, and only over those that changed since they last passed: the build already
// knows (`ninja -t deps`) which headers each file includes. Files of one target are looked at together, as one file that
// includes them: most of the time goes into the headers, which they share. Usage: tidy.ts BUILD_FOLDER
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, extname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const build = resolve(process.argv[2] ?? 'build/release');

interface Compilation {
  file: string;
  output?: string;
  command: string;
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
}

/** Object file -> everything that it was compiled from. */
function dependencies(): Map<string, string[]> {
  const text = execFileSync('ninja', ['-C', build, '-t', 'deps'], { encoding: 'utf8', maxBuffer: 2 ** 30 });
  const found = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split('\n')) {
    const object = /^(\S.*): #deps/.exec(line)?.[1];
    if (object) {
      current = [];
      found.set(object, current);
    } else if (line.startsWith('    ')) current.push(resolve(build, line.trim()));
  }
  return found;
}

const compilations = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8')) as Compilation[];
const includes = dependencies();
const stamps = join(build, 'tidy');

/** A file, the mark that it has passed, and what it is compiled with. */
interface Source {
  file: string;
  stamp: string;
  flags: string[];
}

const largestBatch = 12;

/** What clang is to know of a compiler's command: not what is compiled to where. */
function flagsOf(command: string): string[] {
  const words = command
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => word.replaceAll(/\\(.)/g, '$1'));
  const flags: string[] = [];
  for (let at = words.findIndex((word) => word.startsWith('-')); at >= 0 && at < words.length; at++) {
    if (words[at] === '-o' || words[at] === '-c') at++;
    else if (!words[at]!.includes('lto')) flags.push(words[at]!);
  }
  return flags;
}

// A file that several targets compile is looked at once.
const targets = new Map<string, Source[]>();
const seen = new Set<string>();
for (const { file, command, output } of compilations) {
  if (!file.startsWith(`${root}/`) || file.startsWith(`${build}/`) || file.includes('/node_modules/')) continue;
  const object = output ?? / -o (\S+)/.exec(command)?.[1] ?? '';
  const stamp = join(stamps, `${relative(root, file)}.passed`);
  const newest = Math.max(modified(join(root, '.clang-tidy')), ...(includes.get(object) ?? [file]).map(modified));
  if (seen.has(file) || (modified(stamp) < Number.POSITIVE_INFINITY && modified(stamp) >= newest)) continue;
  seen.add(file);
  const target = `${object.split('.dir/')[0]}${extname(file)}`;
  targets.set(target, [...(targets.get(target) ?? []), { file, stamp, flags: flagsOf(command) }]);
}

const queue: Source[][] = [];
for (const sources of targets.values()) {
  const batches = Math.ceil(sources.length / largestBatch);
  for (let batch = 0; batch < batches; batch++) queue.push(sources.filter((_, index) => index % batches === batch));
}
queue.sort((one, other) => other.length - one.length);
let failed = 0;

/** What clang-tidy says of `sources`; "" when it finds nothing. */
async function findings(sources: Source[], name: string): Promise<string> {
  let file = sources[0]!.file;
  if (sources.length > 1) {
    file = join(stamps, `${name}${extname(file)}`);
    writeFileSync(file, sources.map((source) => `#include "${source.file}"\n`).join(''));
  }
  const output: string[] = [];
  const child = spawn(
    'clang-tidy-19',
    [
      '--quiet',
      `--config-file=${join(root, '.clang-tidy')}`,
      file,
      '--',
      ...sources[0]!.flags,
      '-Wno-unknown-warning-option',
    ],
    { cwd: build },
  );
  child.stdout.on('data', (text) => output.push(String(text)));
  child.stderr.on('data', (text) => output.push(String(text)));
  const code = await new Promise((done) => child.on('close', done));
  if (code === 0) return '';
  return output.join('').replace(/^\d+ (warnings?|errors?).*\n/gm, '') || `${file}: clang-tidy ended with ${code}\n`;
}

async function worker(name: string): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const started = new Date();
    const found = await findings(next, name);
    // Files that cannot stand together, such as two plug-ins, one by one.
    if (found.includes('[clang-diagnostic-error]') && next.length > 1) {
      queue.unshift(...next.map((source) => [source]));
      continue;
    }
    if (found) {
      failed++;
      process.stdout.write(found);
      continue;
    }
    for (const { stamp } of next) {
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, `${started.toISOString()}\n`);
      // The time at which it began, as a file may have been changed since.
      utimesSync(stamp, started, started);
    }
  }
}

mkdirSync(stamps, { recursive: true });
const total = seen.size;
await Promise.all(Array.from({ length: availableParallelism() }, (_, index) => worker(`together-${index}`)));
console.log(
  `clang-tidy: ${total} files looked at, ${failed > 0 ? `findings in ${failed} of the batches` : 'no findings'}`,
);
process.exitCode = failed > 0 ? 1 : 0;
