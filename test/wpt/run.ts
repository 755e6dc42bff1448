// run.ts [--update] [--jobs N] [DIRECTORY...]: runs the web-platform-tests in instances of a real Valor and compares what
// comes out with expectations.json. Without a directory all are run; a directory may also be a part of one
// ("streams/piping"), or a file.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Instances } from '../conformance/instances.ts';
import { conform, type Figures } from '../conformance/run.ts';
import { root } from '../harness.ts';
import { TestServer } from './server.ts';
import { directories, findTests, type Test } from './tests.ts';

const { values, positionals } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const deadlineMs = 10_000;
const longDeadlineMs = 60_000;

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
const instances = new Instances(folder, { CURL_CA_BUNDLE: server.authority }, (text) => server.withoutPorts(text));
const { dirs, failed } = await conform({
  name: 'wpt',
  tests,
  run: async (test) =>
    instances.run({
      definition: {
        url: await server.mirror(test.worker),
        root: tree,
        location: server.address(test.worker, test.protocol) + test.variant,
        permissions: { net: ['127.0.0.0/8', '[::1]'] },
        // What these tests say holds for pages.
        fetch: ['fetch/api', 'wasm/webapi'].includes(test.directory) ? 'browser' : 'server',
      },
      patientMs: test.long ? longDeadlineMs : deadlineMs,
    }),
  expectations: join(import.meta.dirname, 'expectations.json'),
  update: values.update,
  jobs: Number(values.jobs ?? availableParallelism() + 1),
  verbose: values.verbose,
  folder,
});
await instances.stop();
server.stop();
if (values.update && positionals.length === 0) updateTable(dirs);
process.exit(failed > 0 ? 1 : 0);

/** The figures in the documentation. */
function updateTable(all: Record<string, Figures>): void {
  const file = join(root, 'docs/web-platform.md');
  const rows = Object.entries(all).map(
    ([name, { clean, variants, passed, subtests }]) => `| ${name} | ${clean}/${variants} | ${passed}/${subtests} |\n`,
  );
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(<!-- wpt -->\n.*\n.*\n)[\s\S]*(<!-- \/wpt -->)/, `$1${rows.join('')}$2`));
}
