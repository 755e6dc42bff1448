// What hosts plug-ins in browsers: the service worker and Workers of a page. What happens when one of them goes is in
// browser-failover.test.ts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser } from './browsers.ts';
import { eventually, sleep } from './harness.ts';
import { chosenBrowsers, type Got, HostingPage, Site } from './hosting.ts';

for (const name of chosenBrowsers) {
  describe(name, () => {
    let site: Site;
    let browser: Browser;
    const open = (scope: string): Promise<HostingPage> => HostingPage.open(site, browser, scope);

    before(async () => {
      [site, browser] = await Promise.all([Site.open(), launchBrowser(name)]);
    });
    after(async () => {
      await browser?.close();
      site?.close();
    });

    for (const [hosting, place] of [
      ['page', 'worker'],
      ['service-worker', 'service-worker'],
    ] as const) {
      test(`${place}: answers carry what the runtime adds, and bodies go both ways`, async () => {
        const scope = `/answers-${place}/`;
        site.define(scope, [{ name: 'p', fallback: 'network' }, { name: 'q' }], hosting);
        const page = await open(scope);
        const hello = await page.ask('p/hello', { headers: { 'x-request-id': 'abc' } });
        assert.deepEqual(hello.headers, {
          'content-type': 'text/plain',
          'x-correlation-id': 'abc',
          'x-valor-plugin': 'p',
          'x-valor-place': place,
        });
        assert.equal(hello.text, 'hello');

        const echo = await page.ask('p/echo?a=b%20c', { method: 'POST', body: 'round trip' });
        assert.equal(echo.text, 'round trip');
        assert.equal(echo.headers['x-method'], 'POST');
        assert.equal(echo.headers['x-url'], 'echo?a=b%20c');
        assert.equal(echo.headers['x-kind'], 'whole');
        const seen = new Map<string, string>(JSON.parse(echo.headers['x-headers']!));
        assert.equal(seen.get('x-request-id'), echo.headers['x-correlation-id']);
        assert.deepEqual(
          [...seen.keys()].filter((header) => header !== header.toLowerCase()),
          [],
        );
        assert.equal((await page.ask('p/echo', { method: 'POST' })).headers['x-kind'], 'none');

        const large = await page.page.evaluate(async () => {
          const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7) & 0xff);
          const response = await fetch('p/echo', { method: 'PUT', body: bytes });
          const back = new Uint8Array(await response.arrayBuffer());
          return [response.headers.get('x-kind'), back.length, back.every((byte, i) => byte === bytes[i])];
        });
        assert.deepEqual(large, [name === 'firefox' ? 'whole' : 'stream', 3_000_000, true]);

        assert.equal((await page.ask('p/hello', { method: 'HEAD' })).text, '');
        for (const code of [204, 205, 304]) {
          const { status, text } = await page.ask(`p/status?code=${code}`);
          assert.deepEqual([status, text], [code, '']);
        }
        assert.equal((await page.ask('p/status?code=418')).status, 418);
        assert.equal((await page.ask('p/status?code=302')).text, 'hello');
        assert.equal((await page.ask('p/file')).text, 'a file');

        const wrong = await page.ask('q/throw');
        assert.equal(wrong.status, 500);
        assert.equal(wrong.headers['content-type'], 'application/problem+json');
        assert.equal(wrong.headers['cache-control'], 'no-store');
        assert.equal(wrong.headers['x-valor-plugin'], 'q');
        const problem = JSON.parse(wrong.text);
        assert.equal(problem.detail, 'it is told to throw');
        assert.equal(problem.plugin, 'q');
        assert.equal(problem.request_id, wrong.headers['x-correlation-id']);
        assert.equal((await page.ask('p/status?code=199')).status, 500);
        await page.page.close();
      });

      test(`${place}: a plug-in's fetch reaches the others, and circles end with 508`, async () => {
        const scope = `/fetches-${place}/`;
        site.define(scope, [{ name: 'p' }, { name: 'q' }], hosting);
        site.answers.set(`${scope}elsewhere`, { status: 203, text: 'the server' });
        const page = await open(scope);
        const other = await page.ask(`p/fetch?url=${scope}q/echo`, { method: 'POST', body: 'passed on' });
        assert.deepEqual(
          [other.text, other.headers['x-from'], other.headers['x-valor-plugin']],
          ['passed on', 'q', 'p'],
        );
        const moved = await page.ask(`p/fetch?url=${scope}q/status?code=302`);
        assert.deepEqual([moved.status, moved.text], [200, 'hello']);
        const network = await page.ask(`p/fetch?url=${scope}elsewhere`);
        assert.deepEqual([network.status, network.text, network.headers['x-from']], [203, 'the server', 'network']);
        // p asks q to ask p to ask q ...
        let url = `${scope}q/hello`;
        for (let i = 0; i < 16; i++) url = `${scope}${i % 2 ? 'q' : 'p'}/fetch?url=${encodeURIComponent(url)}`;
        assert.equal((await page.ask(url)).text, 'hello');
        assert.equal((await page.ask(`${scope}p/fetch?url=${encodeURIComponent(url)}`)).status, 508);
        await page.page.close();
      });

      test(`${place}: a stream goes at the reader's pace, and a client that leaves is noticed`, async () => {
        const scope = `/streams-${place}/`;
        site.define(scope, [{ name: 'p' }], hosting);
        const page = await open(scope);
        const pieces = await page.page.evaluate(async () => {
          const response = await fetch('p/stream?pieces=2&size=4&wait=400');
          const reader = response.body!.getReader();
          const lengths: number[] = [];
          const began = performance.now();
          let first = 0;
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return { lengths, apart: performance.now() - began - first };
            lengths.push(value.length);
            first ||= performance.now() - began;
          }
        });
        assert.deepEqual(pieces.lengths, [4, 4]);
        assert.ok(pieces.apart > 200, `${pieces.apart} ms`);

        await page.page.evaluate(async () => {
          const abort = new AbortController();
          const response = await fetch('p/stream?pieces=1000000&size=1000', { signal: abort.signal });
          await response.body!.getReader().read();
          abort.abort();
        });
        await eventually(async () => (await page.counted('p')).gone === 1, 'the cancelled stream');

        await page.page.close();
      });

      // Firefox reads what a service worker answers without regard to who reads it.
      const paced = { skip: name === 'firefox' };
      test(`${place}: a reader that stops stops the plug-in`, paced, async () => {
        const scope = `/paused-${place}/`;
        site.define(scope, [{ name: 'p' }], hosting);
        const page = await open(scope);
        await page.page.evaluate(async () => {
          const reader = (await fetch('p/stream?pieces=10000&size=65536')).body!.getReader();
          await reader.read();
          Object.assign(globalThis, { reader });
        });
        let before = -1;
        const made = await eventually(async () => {
          const [last, { made }] = [before, await page.counted('p')];
          before = made;
          await sleep(500);
          return last === made && made;
        }, 'an end of the making');
        // Chromium itself reads ahead: 64 MB, also of answers from servers.
        assert.ok(made < 80_000_000, `${made} bytes of 655 MB`);
        await page.page.close();
      });

      test(`${place}: queue, timeout, breakdown and failing loads`, async () => {
        const scope = `/limits-${place}/`;
        site.define(
          scope,
          [
            { name: 'queue', limits: { queue: 2 } },
            { name: 'slow', limits: { timeout_ms: 300 } },
            { name: 'breaks' },
            { name: 'fails', config: { failLoads: `${scope}fail-loads` } },
            { name: 'never-loads', config: { loadMs: 20_000 }, limits: { timeout_ms: 300 } },
            { name: 'single', config: { oneAtATime: true } },
          ],
          hosting,
        );
        const page = await open(scope);

        const refused = (
          await page.askAll(['queue/hello?ms=1000', 'queue/hello?ms=1000', 'queue/hello?ms=1000'])
        ).filter(({ status }) => status !== 200);
        assert.deepEqual(
          refused.map(({ status, headers }) => [status, headers['retry-after']]),
          [[503, '1']],
        );
        const { limit, limit_value } = JSON.parse(refused[0]!.text);
        assert.deepEqual([limit, limit_value], ['queue', 2]);

        const { born } = await page.counted('slow');
        const late = await page.ask('slow/never');
        assert.equal(late.status, 504);
        assert.ok(late.ms >= 295 && late.ms < 10_000, `${late.ms} ms`);
        assert.equal(JSON.parse(late.text).limit, 'timeout_ms');
        assert.equal(JSON.parse(late.text).limit_value, 300);
        // It waited and did not compute: it is told, and lives.
        await sleep(700);
        const after = await page.counted('slow');
        assert.deepEqual([after.born, after.gone], [born, 1]);

        const before = await page.counted('breaks');
        const [other, broken] = (await page.askAll(['breaks/hello?ms=1000', 'breaks/break?ms=300'])) as [Got, Got];
        assert.deepEqual([other.status, broken.status], [502, 502]);
        assert.match(broken.text, /it is told to break/);
        assert.notEqual((await page.counted('breaks')).born, before.born);

        site.failLoads.set(`${scope}fail-loads`, 4);
        for (const { status, text } of await page.askAll(Array(4).fill('fails/hello'), 'one after the other')) {
          assert.equal(status, 502);
          assert.equal(JSON.parse(text).detail, 'the plug-in could not be created: it is told to fail');
        }
        // From the third on it is not tried at once.
        assert.equal(site.failLoads.get(`${scope}fail-loads`), 1);
        await eventually(async () => (await page.ask('fails/hello')).status === 200, 'loading after all');

        const unloaded = await page.ask('never-loads/hello');
        assert.equal(unloaded.status, 502);
        assert.match(unloaded.text, /did not finish loading within timeout_ms \(300 ms\)/);

        await Promise.all([1, 2, 3].map(() => page.ask('single/hello?ms=50')));
        assert.equal((await page.counted('single')).most, 1);
        await page.page.close();
      });
    }

    test('a plug-in that computes is stopped; requests that it was not given go to its replacement', async () => {
      site.define('/computes/', [{ name: 'p', limits: { timeout_ms: 1000 } }]);
      const page = await open('/computes/');
      const { born } = await page.counted('p');
      const loop = page.ask('p/loop');
      await sleep(700);
      const waiting = page.ask('p/count', { method: 'POST' });
      const stuck = await loop;
      assert.equal(stuck.status, 504);
      const saved = await waiting;
      assert.equal(saved.status, 200);
      assert.notEqual(JSON.parse(saved.text).born, born);
      await page.page.close();
    });

    test('navigations, images, forms and XMLHttpRequest are answered', async () => {
      site.define('/kinds/', [{ name: 'p' }]);
      const page = await open('/kinds/');
      const seen = await page.page.evaluate(async () => {
        const request = new XMLHttpRequest();
        request.open('POST', 'p/echo');
        const xhr = new Promise((done) => request.addEventListener('load', () => done(request.responseText)));
        request.send('by XHR');
        const frame = document.createElement('iframe');
        frame.src = 'p/hello';
        frame.name = 'frame';
        const loaded = new Promise((done) => frame.addEventListener('load', done));
        document.body.append(frame);
        await loaded;
        const navigated = frame.contentDocument!.body.textContent;
        const form = document.createElement('form');
        form.method = 'post';
        form.action = 'p/echo';
        form.target = 'frame';
        form.innerHTML = '<input name="a" value="b c">';
        document.body.append(form);
        const submitted = new Promise((done) => frame.addEventListener('load', done));
        form.submit();
        await submitted;
        const image = new Image();
        const tried = new Promise((done) => image.addEventListener('error', done));
        image.src = 'p/hello?image';
        await tried;
        return [await xhr, navigated, frame.contentDocument!.body.textContent];
      });
      assert.deepEqual(seen, ['by XHR', 'hello', 'a=b+c']);
      const [p] = await page.list();
      assert.equal(p!.requests, 4);
      await page.page.close();
    });

    test('without a page a plug-in runs in the service worker; the first page takes it over', async () => {
      site.define('/alone/', [{ name: 'p' }]);
      const page = await open('/alone/');
      assert.equal((await page.counted('p')).place, 'worker');
      await page.page.goto('about:blank');
      await page.page.goto(`${site.url}/alone/p/count`);
      const alone = JSON.parse(await page.page.evaluate(() => document.body.textContent));
      assert.equal(alone.place, 'service-worker');
      await page.page.goto(`${site.url}/alone/page`);
      await page.ready();
      await eventually(async () => (await page.counted('p')).place === 'worker', 'the Worker');
      await page.page.close();
    });

    test('where pages cannot start Workers, plug-ins run in the service worker', async () => {
      site.define('/no-workers/', [{ name: 'p' }]);
      const page = await open('/no-workers/');
      assert.equal((await page.counted('p')).place, 'service-worker');
      assert.equal((await page.counted('p')).count, 2);
      await page.page.close();
    });

    test('several tabs share one instance; another scope has its own', async () => {
      for (const scope of ['/tabs/', '/others/']) site.define(scope, [{ name: 'p' }]);
      const [a, b, c] = [await open('/tabs/'), await open('/tabs/'), await open('/others/')];
      const [first, second, other] = [await a.counted('p'), await b.counted('p'), await c.counted('p')];
      assert.equal(first.born, second.born);
      assert.deepEqual([first.count, second.count, other.count], [1, 2, 1]);
      assert.notEqual(other.born, first.born);
      assert.deepEqual([await a.leads(), await b.leads(), await c.leads()], [true, false, true]);
      for (const { page } of [a, b, c]) await page.close();
    });

    test('a new version takes over; the old one finishes what it has', async () => {
      site.define('/versions/', [{ name: 'p' }, { name: 'gone' }]);
      const page = await open('/versions/');
      const old = await page.counted('p');
      await page.ask('gone/hello');
      const slow = page.ask('p/count?ms=800');
      await sleep(100);
      site.define('/versions/', [{ name: 'p', version: 2 }]);
      await page.reload();
      const fresh = await page.counted('p');
      assert.deepEqual([fresh.count, fresh.born === old.born], [1, false]);
      assert.equal(JSON.parse((await slow).text).born, old.born);
      assert.equal((await page.ask('gone/hello')).status, 404);
      assert.deepEqual(
        (await page.list()).map((plugin) => [plugin.name, plugin.version, plugin.state, plugin.place]),
        [['p', 2, 'running', 'worker']],
      );
      await page.page.close();
    });

    // What the plug-in does, what the server does, what the client gets; by `prefer` and `fallback`.
    for (const [prefer, fallback, plugin, server, expected] of [
      ['plugin-first', 'none', 'hello', 200, [200, 'hello']],
      ['plugin-first', 'none', 'decline', 200, [500, 'problem']],
      ['plugin-first', 'none', 'throw', 200, [500, 'problem']],
      ['plugin-first', 'network', 'hello', 200, [200, 'hello']],
      ['plugin-first', 'network', 'decline', 200, [200, 'server']],
      ['plugin-first', 'network', 'throw', 200, [200, 'server']],
      ['plugin-first', 'network', 'break', 200, [200, 'server']],
      ['plugin-first', 'network', 'status?code=500', 200, [500, 'some text']],
      ['plugin-first', 'network', 'decline', 'none', [500, 'problem']],
      ['network-first', 'none', 'hello', 200, [200, 'server']],
      ['network-first', 'none', 'hello', 404, [404, 'server']],
      ['network-first', 'none', 'hello', 503, [200, 'hello']],
      ['network-first', 'none', 'hello', 'none', [200, 'hello']],
      ['network-first', 'none', 'throw', 503, [503, 'server']],
      ['plugin-only', 'none', 'hello', 200, [200, 'hello']],
      ['plugin-only', 'none', 'decline', 200, [500, 'problem']],
    ] as const) {
      for (const method of ['GET', 'POST']) {
        test(`${prefer}, fallback ${fallback}: ${method}, plug-in ${plugin}, server ${server}`, async () => {
          const scope = `/table-${[prefer, fallback, plugin, server, method].join('-').replace(/[^\w-]/g, '-')}/`;
          site.define(scope, [{ name: 'p', prefer, fallback }]);
          const path = `${scope}p/${plugin}`.replace(/\?.*/, '');
          site.answers.set(path, { status: server === 'none' ? 0 : server, text: 'server' });
          const page = await open(scope);
          const { status, headers, text } = await page.ask(
            `p/${plugin}`,
            method === 'POST' ? { method, body: 'x' } : {},
          );
          const what = headers['content-type'] === 'application/problem+json' ? 'problem' : text;
          assert.deepEqual([status, what], expected);
          await page.page.close();
        });
      }
    }
  });
}
