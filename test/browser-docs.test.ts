// What docs/browser.md shows, in real browsers: its files are served by a real server, its pages opened.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { html, type PageGlobal, plugin, ready, ValorSite } from './browser-runtime.ts';
import { type Browser, browserNames, launchBrowser, type Page } from './browsers.ts';
import { root, serveFile, temporaryFolder, type Valor } from './harness.ts';

declare const page: PageGlobal;

const text = readFileSync(join(root, 'docs/browser.md'), 'utf8');
const shown = new Map(
  [...text.matchAll(/^<!-- (?:file|serve) (\S+).*? -->\n```\w+\n(.*?)^```/gms)].map(([, name, file]) => [name!, file!]),
);

for (const name of browserNames) {
  describe(`docs/browser.md in ${name}`, () => {
    let browser: Browser;
    let valor: Valor;
    const folder = temporaryFolder();

    before(async () => {
      browser = await launchBrowser(name);
      for (const [file, content] of shown) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), content);
      }
    });
    after(() => browser.close());

    // On a port of its own: another origin, which has no service worker yet.
    beforeEach(async () => {
      valor = await serveFile(join(folder, 'plugins.json'));
    });
    afterEach(async () => {
      await valor.stop();
    });

    const url = (path: string): string => `http://127.0.0.1:${valor.port}${path}`;

    async function shows(page: Page, pattern: RegExp): Promise<void> {
      const found = await page.until(() => document.body?.textContent?.trim() || null);
      assert.match(String(found), pattern);
    }

    test('the first page, also without network', async () => {
      const first = await browser.newPage(url('/'));
      await shows(first, /^Good morning from a plug-in: first$/);
      await first.until(async () => (await caches.keys()).some((key) => key.endsWith(' pages')));
      assert.equal(await first.evaluate(async () => (await fetch('/hello/x')).headers.get('x-valor-place')), 'worker');
      await first.reload();
      await valor.stop();
      await first.reload();
      await shows(first, /^Good morning from a plug-in: first$/);
      await first.close();
    });

    test('the API', async () => {
      const first = await browser.newPage(url('/api.html'));
      await shows(first, /hello.*more.*: more \/of\/it$/);
      await first.close();
    });

    test("a page's own service worker", async () => {
      const first = await browser.newPage(url('/own.html'));
      await shows(first, /^Good morning from a plug-in: own$/);
      await first.reload();
      await shows(first, /^Good morning from a plug-in: own$/);
      assert.equal(await first.evaluate(async () => (await fetch('/own')).text()), 'of its own');
      await first.close();
    });

    const module = `import { word } from './lib.js'; export default { fetch() { return new Response(word); } };`;
    const policies = {
      'each of its own': (row: string): string => new RegExp(`^\\| ${row} \\| \`(.*?)\``, 'm').exec(text)![1]!,
      'one for everything': (): string => shown.get('policy.txt')!.trim(),
    };
    for (const [how, policyOf] of Object.entries(policies)) {
      for (const hosting of ['page', 'service-worker']) {
        test(`the policies are enough, ${how}, in the ${hosting}`, async () => {
          const site = await ValorSite.with();
          try {
            site.plugins({ hello: plugin('classic'), module });
            site.files['/_valor/plugins/lib.js'] = `export const word = 'module';`;
            site.files['/page.js'] = /<script type="module">(.*?)<\/script>/s
              .exec(html())![1]!
              .replace('start()', `start({ hosting: '${hosting}' })`);
            site.files['/'] =
              '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/_valor/valor.js" data-manual>' +
              '</script><script type="module" src="/page.js"></script>';
            site.restrict('/', 'text/html', policyOf('the page'));
            site.restrict('/_valor/valor-host.js', 'text/javascript', policyOf('`valor-host.js`'));
            site.restrict('/_valor/valor-sw.js', 'text/javascript', policyOf('`valor-sw.js`'));
            const first = await browser.newPage(site.url());
            await first.until(ready);
            for (const path of ['hello', 'module']) {
              const [place, answer] = await first.evaluate(async (path) => {
                const response = await fetch(path);
                return [response.headers.get('x-valor-place'), await response.text()];
              }, `/${path}/x`);
              assert.deepEqual(
                [place, answer!.split(' ')[0]],
                [hosting === 'page' ? 'worker' : hosting, path === 'hello' ? 'classic' : 'module'],
              );
            }
            await first.evaluate(() => page.valor!.stop());
            await first.close();
          } finally {
            await site.stop();
          }
        });
      }
    }
  });
}
