// clang-tidy over our C++ files, in parallel, and only over those that changed since they last passed: the build already
// knows (`ninja -t deps`) which headers each file includes. Usage: tidy.ts BUILD_FOLDER
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

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

// A file that several targets compile is looked at once.
const work = new Map<string, { file: string; stamp: string }>();
for (const { file, command, output } of compilations) {
  if (!file.startsWith(`${root}/`) || file.startsWith(`${build}/`) || file.includes('/node_modules/')) continue;
  const object = output ?? / -o (\S+)/.exec(command)?.[1] ?? '';
  const stamp = join(stamps, `${relative(root, file)}.passed`);
  const newest = Math.max(modified(join(root, '.clang-tidy')), ...(includes.get(object) ?? [file]).map(modified));
  if (!(modified(stamp) < Number.POSITIVE_INFINITY && modified(stamp) >= newest)) work.set(file, { file, stamp });
}

const queue = [...work.values()];
let failed = 0;

async function worker(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { file, stamp } = next;
    const started = new Date();
    const output: string[] = [];
    const child = spawn('clang-tidy-19', ['-p', build, '--quiet', '--extra-arg=-Wno-unknown-warning-option', file]);
    child.stdout.on('data', (text) => output.push(String(text)));
    child.stderr.on('data', (text) => output.push(String(text)));
    const code = await new Promise((done) => child.on('close', done));
    if (code === 0) {
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, `${started.toISOString()}\n`);
    } else {
      failed++;
      process.stdout.write(output.join('').replace(/^\d+ warnings? (generated|treated as errors?).*\n/gm, ''));
    }
  }
}

const total = queue.length;
await Promise.all(Array.from({ length: availableParallelism() }, worker));
console.log(`clang-tidy: ${total} files looked at, ${failed} with findings`);
process.exitCode = failed > 0 ? 1 : 0;
