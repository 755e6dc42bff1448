// The case table (test/parity/cases.ts) in browsers: the same plug-ins, fetched by a page, answered by Workers of the page
// and by the service worker.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, browserNames, launchBrowser, type Page } from './browsers.ts';
import { root, serve, temporaryFolder } from './harness.ts';
import { cases } from './parity/cases.ts';
import { columns } from './parity/columns.ts';
import type { Parity } from './parity/page.ts';
import { Report } from './parity/report.ts';
import { bundled } from './site.ts';

declare const parity: Parity;

const only = process.env.PARITY_COLUMNS?.split(' ');
const places = [
  { hosting: 'page', place: 'worker', languages: ['js', 'cpp-wasm', 'rust-wasm', 'c-wasm', 'assemblyscript-wasm'] },
  { hosting: 'service-worker', place: 'service-worker', languages: ['js', 'cpp-wasm'] },
] as const;

const wanted = columns.filter(({ name }) => places.some(({ languages }) => languages.some((one) => one === name)));
const folder = temporaryFolder();
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>parity</title><script src="page.js"></script>\n');
writeFileSync(
  join(folder, 'page.js'),
  await bundled({ entryPoints: [join(root, 'test/parity/page.ts')], format: 'iife', external: ['/_valor/*'] }),
);
const page_ = { type: 'static', builtin: 'files', name: 'parity-page', path: folder };
const valor = await serve([...wanted.flatMap(({ plugins }) => plugins), page_]);
const report = new Report();

for (const name of browserNames) {
  describe(name, { concurrency: false }, () => {
    let browser: Browser;
    before(async () => {
      browser = await launchBrowser(name);
    });
    after(() => browser?.close());

    for (const { hosting, place, languages } of places) {
      describe(place, { concurrency: false }, () => {
        let page: Page;
        before(async () => {
          page = await browser.newPage(`${valor.url}/parity-page/`);
          assert.equal(await page.evaluate((hosting) => parity.start(hosting), hosting), 'ready');
        });
        after(() => page?.close());

        for (const language of languages) {
          if (only?.includes(language) === false) continue;
          const column = `${language} ${name} ${place}`;
          const base = `${valor.url}/${language}/`;
          describe(language, { concurrency: false }, () => {
            test(`it runs in the ${place}`, async () => {
              await page.until(async (url, place) => (await parity.placeOf(url)) === place, `${base}hello`, place);
            });
            for (const one of cases) {
              if (one.only?.test(language) === false) continue;
              report.check(column, one.name, one.expected, () =>
                page.evaluate(
                  (name, base) => parity.run(name, { base, nowhere: 'http://127.0.0.1:1/' }),
                  one.name,
                  base,
                ),
              );
            }
          });
        }
      });
    }
  });
}

after(async () => {
  await valor.stop();
  report.write();
});
