// What `make web` has built, as a server delivers it, in real browsers: whole, small and without sources.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { html, type PageGlobal, plugin, ready, ValorSite } from './browser-runtime.ts';
import { type Browser, browserNames, launchBrowser } from './browsers.ts';
import { root } from './harness.ts';

declare const page: PageGlobal;

const files = ['valor.js', 'valor-sw.js', 'valor-host.js', 'valor-core.wasm'];

for (const name of browserNames) {
  describe(`in ${name}`, () => {
    let browser: Browser;
    let site: ValorSite;

    before(async () => {
      browser = await launchBrowser(name);
      site = new ValorSite();
      site.headers['service-worker-allowed'] = '/';
      for (const file of files) site.files[`/_valor/${file}`] = readFileSync(join(root, 'build/web', file));
      site.files['/'] = html();
      site.plugins({ hello: plugin('built') });
      await site.start();
    });
    after(async () => {
      await browser.close();
      await site.stop();
    });

    test('a plug-in answers from a Worker of the page', async () => {
      const opened = await browser.newPage(site.url());
      await opened.until(ready);
      const asked = await opened.evaluate(async () => {
        const response = await fetch('/hello/x');
        return [await response.text(), response.headers.get('x-valor-place')];
      });
      assert.deepEqual(asked, ['built GET x', 'worker']);
      assert.deepEqual(
        site.requests.filter((request) => request.includes(' /hello')),
        [],
      );
    });

    test('all of it is kept for when there is no network', async () => {
      await site.stop();
      const opened = await browser.newPage(site.url('/hello/offline'));
      assert.equal(await opened.evaluate(() => document.body.textContent), 'built GET offline');
      await site.start();
    });
  });
}
