// run.ts [--update] [SUITE or FILE...]: runs the unchanged test suites of packages in instances of a real Valor and compares
// what comes out with expectations.json. The suites are not part of this repository.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Instances } from '../conformance/instances.ts';
import { conform, type Test } from '../conformance/run.ts';
import { root } from '../harness.ts';
import { bundle } from './bundle.ts';
import { checkoutOf, filesOf, type Suite, suites } from './suites.ts';

const { values, positionals } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const patientMs = 60_000;

interface SuiteTest extends Test {
  suite: Suite;
  file: string;
}

function testsOf(suite: Suite): SuiteTest[] {
  const { files, elsewhere } = filesOf(suite);
  if (positionals.length === 0 && elsewhere.size > 0) {
    console.log(`suites: ${elsewhere.size} files of ${suite.name} are not for a worker:`);
    const reasons = Map.groupBy(elsewhere, ([, reason]) => reason);
    for (const [reason, entries] of reasons) console.log(`    ${entries.length}: ${reason}`);
  }
  return files.map((file) => ({ id: `${suite.name}/${file}`, directory: suite.name, suite, file }));
}

const wanted = (id: string): boolean => positionals.length === 0 || positionals.some((name) => id.startsWith(name));
const chosen = suites.filter(({ name }) => positionals.length === 0 || positionals.some((id) => id.startsWith(name)));
const absent = chosen.filter((suite) => !existsSync(join(checkoutOf(suite), 'package.json')));
for (const suite of absent) {
  console.error(`suites: no checkout of ${suite.name} in ${checkoutOf(suite)}; get one with
    git clone --depth 1 --branch ${suite.revision} ${suite.repository} ${checkoutOf(suite)}
or say in ${suite.variable} where one is`);
}
if (absent.length > 0) process.exit(2);

const tests = chosen.flatMap(testsOf).filter(({ id }) => wanted(id));
if (tests.length === 0) {
  console.error(`suites: no such tests; there are the suites ${suites.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const folder = join(root, 'build/suites');
const tree = join(folder, 'plugins');
rmSync(tree, { recursive: true, force: true });
mkdirSync(tree, { recursive: true });
const instances = new Instances(folder);

const { failed } = await conform({
  name: 'suites',
  tests,
  run: async ({ id, suite, file }) => {
    const url = join(tree, `${id.replaceAll('/', '-')}.js`);
    try {
      await bundle(suite, file, url);
    } catch (error) {
      return { status: 'ERROR', message: String(error), subtests: [] };
    }
    return instances.run({ definition: { url }, patientMs });
  },
  expectations: join(import.meta.dirname, 'expectations.json'),
  update: values.update,
  jobs: Number(values.jobs ?? availableParallelism() + 1),
  verbose: values.verbose,
  folder,
});
await instances.stop();
process.exit(failed > 0 ? 1 : 0);
