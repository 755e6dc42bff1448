// run.ts [--update] [--jobs N] [DIRECTORY...]: runs the web-platform-tests in instances of a real Valor and compares what
// comes out with expectations.json. Without a directory all are run; a directory may also be a part of one
// ("streams/piping"), or a file.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../harness.ts';
import { compare, isClean, readExpectations, updateExpectations } from './expectations.ts';
import { Instances, type Outcome } from './instances.ts';
import { TestServer } from './server.ts';
import { directories, findTests, type Test } from './tests.ts';

const { values, positionals } = parseArgs({
  options: { update: { type: 'boolean', default: false }, jobs: { type: 'string' }, verbose: { type: 'boolean' } },
  allowPositionals: true,
});
const jobs = Number(values.jobs ?? availableParallelism() + 1);

const checkout = resolve(root, process.env.WPT_DIR ?? '.cache/wpt');
if (spawnSync(join(import.meta.dirname, 'checkout'), [checkout], { stdio: 'inherit' }).status !== 0) process.exit(1);

function select(names: string[]): Test[] {
  if (names.length === 0) return findTests(checkout, directories);
  return names.flatMap((name) => {
    const path = name.replace(/\/$/, '');
    const inside = directories.filter((directory) => directory.startsWith(`${path}/`) || directory === path);
    if (inside.length > 0) return findTests(checkout, inside);
    const owner = directories.find((directory) => path.startsWith(`${directory}/`));
    const tests = owner ? findTests(checkout, [owner]).filter(({ id }) => id.startsWith(path)) : [];
    if (tests.length === 0) console.error(`wpt: there are no tests of ours in ${name}`);
    return tests;
  });
}

const folder = join(root, 'build/wpt');
const tree = join(folder, 'tree');
rmSync(tree, { recursive: true, force: true });
mkdirSync(tree, { recursive: true });
const tests = select(positionals);
if (tests.length === 0) process.exit(2);

const server = new TestServer(tree);
await server.start(checkout, folder);
const instances = new Instances(server, folder);
// With more, something is wrong with all of it.
const maxSuspects = 20;
const expectations = readExpectations();
const outcomes = new Map<string, Outcome>();
const started = Date.now();

async function runAll(list: Test[], atOnce: number): Promise<void> {
  const queue = [...list];
  const work = async (): Promise<void> => {
    for (let test = queue.shift(); test; test = queue.shift()) {
      const begin = Date.now();
      const outcome = await instances.run(test);
      outcomes.set(test.id, outcome);
      if (values.verbose) console.log(`${test.id}: ${outcome.status} in ${Date.now() - begin} ms`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

await runAll(tests, jobs);
// Alone, a test that ended the process shows itself, and one that only lacked time on a busy machine passes.
const suspects = tests.filter((test) => {
  const outcome = outcomes.get(test.id)!;
  return outcome.status === 'CRASH' || compare(outcome, expectations[test.id]).regressions.length > 0;
});
const crashed = suspects.filter((test) => outcomes.get(test.id)!.status === 'CRASH');
await runAll(suspects.length <= maxSuspects ? suspects : crashed, 1);
await instances.stop();
server.stop();

interface Figures {
  variants: number;
  clean: number;
  subtests: number;
  passed: number;
}
const dirs: Record<string, Figures> = {};
let regressed = 0;
for (const test of tests) {
  const outcome = outcomes.get(test.id)!;
  dirs[test.directory] ??= { variants: 0, clean: 0, subtests: 0, passed: 0 };
  const figures = dirs[test.directory]!;
  figures.variants++;
  if (isClean(outcome)) figures.clean++;
  figures.subtests += outcome.subtests.length;
  figures.passed += outcome.subtests.filter(({ passed }) => passed).length;
  const { regressions, better } = compare(outcome, expectations[test.id]);
  if (values.update) continue;
  if (regressions.length > 0) {
    regressed++;
    console.log(`WORSE than expected: ${test.id}`);
  }
  for (const line of regressions.slice(0, 10)) console.log(`    ${line}`);
  if (better.length > 0) console.log(`better than expected: ${test.id}: ${better.slice(0, 3).join('; ')}`);
}
if (values.update) updateExpectations(expectations, outcomes);
if (values.update && positionals.length === 0) updateTable(dirs);

/** The figures in the documentation. */
function updateTable(all: Record<string, Figures>): void {
  const file = join(root, 'docs/web-platform.md');
  const rows = Object.entries(all).map(
    ([name, { clean, variants, passed, subtests }]) => `| ${name} | ${clean}/${variants} | ${passed}/${subtests} |\n`,
  );
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(<!-- wpt -->\n.*\n.*\n)[\s\S]*(<!-- \/wpt -->)/, `$1${rows.join('')}$2`));
}

const report = join(folder, 'report.json');
mkdirSync(dirname(report), { recursive: true });
writeFileSync(report, `${JSON.stringify({ dirs })}\n`);
writeFileSync(join(folder, 'outcomes.json'), JSON.stringify(Object.fromEntries(outcomes), null, 1));

const total = { variants: 0, clean: 0, subtests: 0, passed: 0 };
const line = (name: string, figures: Figures): void =>
  console.log(
    `${name.padEnd(34)} ${`${figures.clean}/${figures.variants}`.padStart(9)} clean ${`${figures.passed}/${figures.subtests}`.padStart(14)} subtests`,
  );
for (const [name, figures] of Object.entries(dirs)) {
  line(name, figures);
  for (const key of Object.keys(total) as (keyof Figures)[]) total[key] += figures[key];
}
line('all', total);
console.log(`wpt: ${tests.length} tests in ${Math.round((Date.now() - started) / 1000)} s`);
if (values.update) console.log('wpt: expectations.json was rewritten');
else console.log(`${tests.length - regressed} passed, ${regressed} failed`);
process.exit(regressed > 0 ? 1 : 0);
