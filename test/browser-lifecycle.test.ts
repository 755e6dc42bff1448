// What happens to pages, service workers and servers in reality, done for real to real browsers: each test is one of the complaints
// that libraries with a service worker hear.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { State } from '../browser/page/valor.ts';
import { html, type PageGlobal, plugin, ready, ValorSite } from './browser-runtime.ts';
import { type Browser, browserNames, launchBrowser, type Page } from './browsers.ts';
import { eventually, sleep } from './harness.ts';
import type { Answer } from './site.ts';

declare const page: PageGlobal;

async function ask(page: Page, path = '/hello/x'): Promise<string> {
  return page.evaluate(async (path) => (await fetch(path)).text(), path);
}

async function header(page: Page, name: string, path = '/hello/x'): Promise<string | null> {
  return page.evaluate(async (path, name) => (await fetch(path)).headers.get(name), path, name);
}

/** What this origin has of service workers and stored things. */
async function leftBehind(page: Page) {
  return page.evaluate(async () => ({
    registrations: (await navigator.serviceWorker.getRegistrations()).length,
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    locks: (await navigator.locks.query()).held!.map(({ name }) => name),
  }));
}

const nothing = { registrations: 0, databases: [], caches: [], locks: [] };

for (const name of browserNames) {
  describe(`in ${name}`, () => {
    let browser: Browser;
    let site: ValorSite;

    before(async () => {
      browser = await launchBrowser(name);
    });
    after(() => browser.close());

    // A port of its own, so an origin of its own: nothing is left of the test before.
    beforeEach(async () => {
      site = await ValorSite.with();
      site.plugins({ hello: plugin('one') });
      site.files['/'] = html();
      site.files['/page'] = html();
    });
    afterEach(async () => {
      await site.stop();
    });

    async function open(path = '/'): Promise<Page> {
      const opened = await browser.newPage(site.url(path));
      await opened.until(ready);
      return opened;
    }

    async function hardReload(page: Page): Promise<void> {
      if (name === 'chromium') await (await page.developer()).send('Page.reload', { ignoreCache: true });
      // Only Firefox still knows this argument.
      else await page.evaluate(() => setTimeout(() => (location.reload as (force: boolean) => void)(true)));
      await sleep(500);
    }

    test('requests during the very first page load are answered by plug-ins', async () => {
      const first = await browser.newPage(site.url());
      assert.deepEqual(await first.evaluate(() => page.first), [200, 'one GET first']);
      assert.deepEqual(await first.evaluate(() => page.firstPost), [200, 'one POST post']);
      assert.deepEqual(await first.evaluate(() => page.firstXhr), [200, 'one PUT xhr']);
      assert.ok(!site.requests.some((request) => request.includes(' /hello')), site.requests.join('\n'));
      await first.until(ready);
      assert.ok(
        await first.evaluate(() => /\[native code\]/.test(String(fetch)) && !!navigator.serviceWorker.controller),
      );
      await first.close();
    });

    test('after a hard reload plug-ins answer', async () => {
      const first = await open();
      await hardReload(first);
      await first.until(ready);
      assert.equal(await first.evaluate(() => page.controlledAtFirst), false, 'that was no hard reload');
      assert.deepEqual(await first.evaluate(() => page.first), [200, 'one GET first']);
      assert.deepEqual(await first.evaluate(() => page.firstXhr), [200, 'one PUT xhr']);
      assert.equal(await ask(first), 'one GET x');
      await first.close();
    });

    test('from the second visit on, the page loads and plug-ins answer without network', async () => {
      site.files['/'] = html('data-precache="/ /logo.svg"');
      site.files['/logo.svg'] = '<svg xmlns="http://www.w3.org/2000/svg"/>';
      const first = await open();
      await eventually(() => site.requests.includes('GET /logo.svg'), 'keeping the page');
      await sleep(300);
      await first.close();
      await site.stop();
      await browser.restart();
      const second = await open();
      assert.deepEqual(await second.evaluate(() => page.first), [200, 'one GET first']);
      assert.equal(await second.evaluate(async () => (await fetch('/logo.svg')).status), 200);
      await second.close();
    });

    test('a browser that is killed right after add() has the plug-in when it starts again', async () => {
      const first = await open();
      site.files['/more.js'] = plugin('more');
      await first.evaluate(() => page.valor!.plugins.add({ type: 'web', name: 'more', url: '/more.js' }));
      await browser.kill();
      site.files['/more.js'] = 404;
      await browser.restart();
      const second = await open();
      assert.equal(await ask(second, '/more/x'), 'more GET x');
      await second.close();
    });

    test('many tabs share one set of instances', async () => {
      const pages: Page[] = [];
      for (let i = 0; i < 12; i++) pages.push(await open(i % 2 ? '/' : '/page'));
      const instances = new Set(await Promise.all(pages.map((one) => header(one, 'x-instance'))));
      assert.equal(instances.size, 1);
      const { locks } = await leftBehind(pages[0]!);
      assert.equal(locks.filter((lock) => lock!.startsWith('valor:instance:')).length, 1, locks.join());
      for (const one of pages) await one.close();
    });

    test('a server that dies in the middle of an update changes nothing', async () => {
      site.plugins({ hello: plugin('one'), second: plugin('one') });
      const first = await open();
      const before = await first.evaluate(() => page.valor!.plugins.list());
      site.plugins({ hello: plugin('two'), second: plugin('two') });
      let died = false;
      site.files['/_valor/plugins/second.js'] = () => {
        died = true;
        void site.stop();
      };
      await first.evaluate(() => page.valor!.update());
      assert.ok(died, 'the update did not come that far');
      assert.equal(await ask(first), 'one GET x');
      assert.equal(await ask(first, '/second/x'), 'one GET x');
      const versions = (list: typeof before) => list.map(({ name, version }) => [name, version]);
      assert.deepEqual(versions(await first.evaluate(() => page.valor!.plugins.list())), versions(before));
      // And what began is finished when the server is back.
      site.files['/_valor/plugins/second.js'] = plugin('two');
      await site.start();
      const updated = await first.evaluate(async () => {
        const event = new Promise<string[]>((done) => {
          page.valor!.addEventListener('update', (event) => done((event as Event & { plugins: string[] }).plugins));
        });
        await page.valor!.update();
        return event;
      });
      assert.deepEqual(updated.sort(), ['hello', 'second']);
      assert.equal(await ask(first, '/second/x'), 'two GET x');
      await first.close();
    });

    test("another project's service worker in the same place gives way", async () => {
      site.files['/sw.js'] = `onfetch = (event) => {
        if (event.request.url.includes('/hello')) event.respondWith(new Response('stale'));
      }; oninstall = () => skipWaiting(); onactivate = (event) => event.waitUntil(clients.claim());`;
      site.files['/other'] = '<!doctype html><title>other</title>';
      const other = await browser.newPage(site.url('/other'));
      await other.evaluate(async () => {
        await navigator.serviceWorker.register('/sw.js', { scope: '/' });
        await navigator.serviceWorker.ready;
      });
      await other.until(async () => (await (await fetch('/hello/x')).text()) === 'stale');
      const first = await open();
      assert.deepEqual(await first.evaluate(() => page.first), [200, 'one GET first']);
      assert.deepEqual(await first.evaluate(() => page.firstXhr), [200, 'one PUT xhr']);
      assert.equal(await ask(other), 'one GET x');
      await first.close();
      await other.close();
    });

    test('where another project listens now, the service worker of Valor removes itself', async () => {
      const first = await open();
      await first.goto('about:blank');
      site.files = { '/': '<!doctype html><title>other project</title>' };
      await first.goto(site.url());
      assert.equal(await first.evaluate(() => document.title), 'other project');
      await eventually(async () => (await leftBehind(first)).registrations === 0, 'the end of the service worker');
      await first.until(async () => (await caches.keys()).length === 0);
      assert.deepEqual(await leftBehind(first), nothing);
      assert.equal(await first.evaluate(async () => (await fetch('/hello/x')).status), 404);
      await first.close();
    });

    const everything: Answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>other project</title>');
    };

    test('the same where the other project answers every path with its page', async () => {
      const first = await open();
      await first.goto('about:blank');
      site.files = new Proxy({}, { get: () => everything });
      await first.goto(site.url());
      await eventually(async () => (await leftBehind(first)).registrations === 0, 'the end of the service worker');
      await first.until(async () => (await caches.keys()).length === 0);
      assert.deepEqual(await leftBehind(first), nothing);
      await first.close();
    });

    test('a server that is only unreachable or broken keeps its service worker', async () => {
      const first = await open();
      for (const trouble of [503, 'reset'] as const) {
        const [list, script] = [site.files['/_valor/plugins.json']!, site.files['/_valor/valor-sw.js']!];
        site.files['/_valor/plugins.json'] = site.files['/_valor/valor-sw.js'] = trouble;
        await first.evaluate(() => page.valor!.update());
        site.files['/_valor/plugins.json'] = 404;
        await first.evaluate(() => page.valor!.update());
        // Only the list is missing: somebody works on the server.
        site.files['/_valor/valor-sw.js'] = script;
        await first.evaluate(() => page.valor!.update());
        assert.equal(await ask(first), 'one GET x');
        site.files['/_valor/plugins.json'] = list;
      }
      await first.close();
    });

    test('without service workers, one line on the console says so and the network answers', async () => {
      site.files['/'] = `<!doctype html><script>delete Navigator.prototype.serviceWorker</script>${html()}`;
      site.files['/hello/first'] = 'of the server';
      const first = await browser.newPage(site.url());
      assert.deepEqual(await first.evaluate(() => page.first), [200, 'of the server']);
      assert.equal(await first.until(() => page.valor?.state), 'network');
      assert.deepEqual(
        first.console.filter((line) => /valor/i.test(line)),
        ['Valor: no service workers (this browser or window has none); requests go to the network'].map(
          (line) => `${name === 'chromium' ? 'warning' : 'warn'}: ${line}`,
        ),
      );
      const failure = await first.evaluate(() =>
        page.valor!.plugins.list().then(
          () => '',
          (error) => String(error),
        ),
      );
      assert.match(failure, /the state is 'network'/);
      await first.close();
    });

    test('a newer version of Valor takes over while pages are open', async () => {
      const old = await open();
      const before = await header(old, 'x-count');
      assert.ok(before);
      await site.install({ version: 'newer' });
      site.files['/'] = html();
      await old.evaluate(async () => {
        await (await navigator.serviceWorker.ready).update();
      });
      const versions = (): Promise<string> =>
        old.evaluate(async () => `${(await caches.keys()).filter((key) => / valor:/.test(key))}`);
      // Chromium lets a new service worker in when the old one has nothing to do, or has had no more for half a minute.
      await eventually(async () => /^[^,]* valor:newer$/.test(await versions()), 'the newer version', 100_000);
      assert.equal(await ask(old), 'one GET x');
      assert.equal((await old.evaluate(() => page.valor!.plugins.list())).length, 1);
      await old.close();
    });

    test('so does one that speaks other messages', async () => {
      await site.install({ version: 'old', protocol: 0 });
      const old = await open();
      assert.equal(await ask(old), 'one GET x');
      await site.install({ version: 'new' });
      const fresh = await open();
      assert.equal(await ask(fresh), 'one GET x');
      assert.equal(await ask(old), 'one GET x');
      const failure = await old.evaluate(() =>
        page.valor!.plugins.list().then(
          () => '',
          (error) => String(error),
        ),
      );
      assert.match(failure, /different versions of Valor: load the page again/);
      await fresh.close();
      // With only the old page there, plug-ins run in the service worker.
      assert.equal(await ask(old), 'one GET x');
      await old.reload();
      await old.until(ready);
      assert.equal((await old.evaluate(() => page.valor!.plugins.list())).length, 1);
      await old.close();
    });

    test('stop() leaves nothing behind, in any tab', async () => {
      site.files['/'] = html('data-precache="/"');
      const [first, second] = [await open(), await open()];
      assert.equal(await ask(first), 'one GET x');
      await first.evaluate(() => page.valor!.stop());
      assert.deepEqual(await leftBehind(first), nothing);
      await second.until(() => page.valor!.state === 'stopped');
      site.files['/hello/x'] = 'of the server';
      for (const one of [first, second]) {
        assert.equal(await ask(one), 'of the server');
        assert.equal(await one.evaluate(() => page.valor!.state), 'stopped');
      }
      await second.close();
      await first.evaluate(async () => {
        const { start } = await import(document.querySelector('script')!.src);
        page.valor = await start();
      });
      assert.equal(await ask(first), 'one GET x', 'it does not start again');
      await first.evaluate(() => page.valor!.stop());
      site.files['/'] = '<!doctype html>';
      await first.reload();
      assert.deepEqual(await leftBehind(first), nothing);
      await first.close();
    });

    test('two scopes on one origin do not see each other', async () => {
      const scripts = { a: 'of a', b: 'of b' };
      for (const [scope, version] of Object.entries(scripts)) {
        site.plugins({ hello: plugin(version) }, {}, `/${scope}/`);
        site.files[`/${scope}/`] = html(`data-scope="/${scope}/" data-plugins="plugins.json"`).replace(
          'await start()',
          `await start({ scope: '/${scope}/' })`,
        );
      }
      const [a, b] = [await open('/a/'), await open('/b/')];
      assert.equal(await ask(a, '/a/hello/x'), 'of a GET x');
      assert.equal(await ask(b, '/b/hello/x'), 'of b GET x');
      assert.equal(await a.evaluate(async () => (await fetch('/hello/x')).status), 404);
      await a.evaluate(() => page.valor!.plugins.remove('hello'));
      assert.equal(await ask(b, '/b/hello/x'), 'of b GET x');
      await a.evaluate(() => page.valor!.stop());
      assert.equal(await b.evaluate(() => page.valor!.state), 'ready');
      assert.equal(await ask(b, '/b/hello/x'), 'of b GET x');
      const left = await leftBehind(b);
      assert.deepEqual([left.registrations, left.databases.length, left.caches.length], [1, 1, 2]);
      for (const stored of [...left.databases, ...left.caches, ...left.locks]) assert.match(stored!, /\/b\//);
      await a.close();
      await b.close();
    });

    test("plug-ins answer beside a page's own service worker, also before it controls the page", async () => {
      site.files['/sw.js'] = `importScripts('/_valor/valor-sw.js');
        addEventListener('fetch', (event) => {
          if (self.valor.handle(event)) return;
          if (event.request.url.endsWith('/own')) event.respondWith(new Response('of its own'));
        });`;
      site.files['/'] = html('data-manual').replace(
        'await start()',
        `await start({ serviceWorker: await navigator.serviceWorker.register('/sw.js') })`,
      );
      const first = await open();
      assert.equal(await first.evaluate(() => navigator.serviceWorker.controller), null);
      assert.equal(await ask(first), 'one GET x');
      const echoed = await first.evaluate(async () => (await fetch('/hello/y', { method: 'POST', body: 'x' })).text());
      assert.equal(echoed, 'one POST y');
      site.files['/plain'] = 'of the server';
      assert.equal(await ask(first, '/plain'), 'of the server');
      await first.reload();
      await first.until(ready);
      assert.ok(await first.evaluate(() => !!navigator.serviceWorker.controller));
      assert.equal(await ask(first), 'one GET x');
      assert.equal(await ask(first, '/own'), 'of its own');
      await first.evaluate(() => page.valor!.stop());
      const { registrations, ...kept } = await leftBehind(first);
      assert.deepEqual([registrations, kept], [1, { databases: [], caches: [], locks: [] }]);
      assert.equal(await ask(first, '/own'), 'of its own');
      assert.equal(await first.evaluate(async () => (await fetch('/hello/x')).status), 404);
      await first.close();
    });

    test('what cannot start says why, and requests go to the network', async () => {
      site.files['/_valor/plugins.json'] = '{"plugins": [{"type": "web", "nam": "hello"}]}';
      site.files['/hello/first'] = 'of the server';
      const first = await browser.newPage(site.url());
      assert.match(String(await first.until(() => page.failure)), /plugins\.json:1: .*nam.*name/);
      assert.deepEqual(await first.evaluate(() => page.first), [200, 'of the server']);
      assert.deepEqual(await leftBehind(first), nothing);
      assert.ok(
        first.console.some((line) => /^error: Valor: .*plugins\.json:1/.test(line)),
        first.console.join('\n'),
      );
      await first.close();
    });

    /** Firefox with a setting. */
    async function first(setting: string): Promise<[State, [number, string], string[]]> {
      site.files['/hello/first'] = 'of the server';
      const own = await launchBrowser(name);
      try {
        await own.kill();
        appendFileSync(join(own.profile, 'prefs.js'), `user_pref(${setting});\n`);
        await own.restart();
        const opened = await own.newPage(site.url());
        const state = (await opened.until(() => page.valor?.state)) as State;
        const warnings = opened.console.filter((line) => line.startsWith('warn: Valor: no service workers'));
        return [state, await opened.evaluate(() => page.first), warnings];
      } finally {
        await own.close();
      }
    }
    const firefoxOnly = { skip: name === 'chromium' && 'it has service workers in all windows' };

    test('in a private window, plug-ins answer or the network does', firefoxOnly, async () => {
      const [state, answer, warnings] = await first('"browser.privatebrowsing.autostart", true');
      const expected = state === 'ready' ? 'one GET first' : 'of the server';
      assert.deepEqual([answer, warnings.length], [[200, expected], state === 'ready' ? 0 : 1]);
    });

    test('where a setting forbids service workers, the network answers', firefoxOnly, async () => {
      const [state, answer, warnings] = await first('"dom.serviceWorkers.enabled", false');
      assert.deepEqual([state, answer, warnings.length], ['network', [200, 'of the server'], 1]);
    });

    test('a service worker that the browser has stopped', {
      skip: name === 'firefox' && 'see the test below',
    }, async () => {
      const first = await open();
      site.files['/more.js'] = plugin('more');
      await first.evaluate(() => page.valor!.plugins.add({ type: 'web', name: 'more', url: '/more.js' }));
      const instance = await header(first, 'x-instance');
      const developer = await first.developer();
      for (let i = 0; i < 3; i++) {
        await developer.stopServiceWorkers();
        assert.equal(await ask(first, '/more/x'), 'more GET x');
        assert.equal(await header(first, 'x-instance'), instance, 'the Worker of the page is the same');
        await developer.stopServiceWorkers();
        assert.equal((await first.evaluate(() => page.valor!.plugins.list())).length, 2);
      }
      await first.close();
    });
  });
}
