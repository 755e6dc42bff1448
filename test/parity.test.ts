// The case table (test/parity/cases.ts) on the server, against the case plug-ins in every language and target. The report is
// build/parity.json; test/parity-browser.test.ts adds the browsers.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { serve } from './harness.ts';
import { cases } from './parity/cases.ts';
import { columns, missing } from './parity/columns.ts';
import { Report } from './parity/report.ts';
import { serverCases } from './parity/server-cases.ts';

const only = process.env.PARITY_COLUMNS?.split(' ');
const wanted = columns.filter(({ name }) => only === undefined || only.includes(name));
const valor = await serve(wanted.flatMap(({ plugins }) => plugins));
const report = new Report();

for (const column of wanted) {
  describe(column.name, { concurrency: false }, () => {
    const path = `/${column.name}/`;
    const place = { base: `${valor.url}${path}`, nowhere: 'http://127.0.0.1:1/' };
    test('is built', () => assert.deepEqual(missing(column), []));
    for (const one of cases) {
      if (one.only?.test(column.name) === false) continue;
      report.check(column.name, one.name, one.expected, () => one.run(place));
    }
    for (const one of serverCases) {
      report.check(column.name, `server: ${one.name}`, one.expected, () => one.run({ valor, path }));
    }
  });
}

after(async () => {
  await valor.stop();
  report.write();
});
