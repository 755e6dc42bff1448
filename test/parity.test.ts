// The case table (test/parity/cases.ts), against the case plug-ins in every language and target. The report is
// build/parity.json.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { root, serve, within } from './harness.ts';
import { cases } from './parity/cases.ts';
import { columns, missing } from './parity/columns.ts';
import { serverCases } from './parity/server-cases.ts';

const only = process.env.PARITY_COLUMNS?.split(' ');
const wanted = columns.filter(({ name }) => only === undefined || only.includes(name));
const valor = await serve(wanted.flatMap(({ plugins }) => plugins));

interface Difference {
  case: string;
  column: string;
  expected: unknown;
  got: unknown;
}
const differences: Difference[] = [];

function check(column: string, name: string, expected: unknown, run: () => Promise<unknown>): void {
  test(name, async () => {
    const got = await within(run(), name).catch((error) => `${error}`);
    if (!isDeepStrictEqual(got, expected)) differences.push({ case: name, column, expected, got });
    assert.deepEqual(got, expected);
  });
}

for (const column of wanted) {
  describe(column.name, { concurrency: false }, () => {
    const path = `/${column.name}/`;
    const place = { base: `${valor.url}${path}`, nowhere: 'http://127.0.0.1:1/' };
    test('is built', () => assert.deepEqual(missing(column), []));
    for (const one of cases) check(column.name, one.name, one.expected, () => one.run(place));
    for (const one of serverCases) {
      if (one.only?.test(column.name) === false) continue;
      check(column.name, `server: ${one.name}`, one.expected, () => one.run({ valor, path }));
    }
  });
}

after(async () => {
  await valor.stop();
  const report = { cases: cases.length + serverCases.length, columns: wanted.map(({ name }) => name), differences };
  writeFileSync(join(root, 'build/parity.json'), `${JSON.stringify(report, null, 2)}\n`);
});
