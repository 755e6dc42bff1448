// A page that hosts plug-ins goes, or the service worker does: what is in flight then, and what is kept.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser } from './browsers.ts';
import { eventually, sleep } from './harness.ts';
import { chosenBrowsers, type Got, HostingPage, Site } from './hosting.ts';

/** Requests that are in flight when the leader goes: they take long enough for that. */
const SLOW = 1500;

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

    /** The leader, and another page of the scope. */
    async function pair(scope: string): Promise<[HostingPage, HostingPage]> {
      site.define(scope, [{ name: 'p' }]);
      const [leader, other] = [await open(scope), await open(scope)];
      assert.deepEqual([await leader.leads(), await other.leads()], [true, false]);
      return [leader, other];
    }

    /** Asks `page` while `go` makes the leader go, and looks at what becomes of it. */
    async function goes(page: HostingPage, effect: string, go: () => Promise<unknown>): Promise<void> {
      const { born } = await page.counted('p');
      const asked = ['GET', 'PUT', 'POST'].map((method) =>
        page.ask(`p/count?ms=${SLOW}&effect=${effect}-${method}`, {
          method,
          ...(method === 'GET' ? {} : { body: 'x' }),
        }),
      );
      await eventually(() => site.effects(`${effect}-POST`) === 1, 'the POST');
      await go();
      const answers = await Promise.allSettled(asked);
      // Never what may not be repeated.
      assert.equal(site.effects(`${effect}-POST`), 1);
      // The service worker may have lived in the process of the page that crashed.
      if (effect !== 'crashed' || answers.some(({ status }) => status === 'fulfilled')) {
        const [got, put, post] = (await Promise.all(asked)) as [Got, Got, Got];
        assert.deepEqual([got.status, put.status, post.status], [200, 200, 502]);
        assert.equal(post.headers['content-type'], 'application/problem+json');
        assert.notEqual(JSON.parse(got.text).born, born);
        assert.equal(JSON.parse(got.text).born, JSON.parse(put.text).born);
        assert.equal(site.effects(`${effect}-GET`), 2);
      }
      await eventually(async () => (await page.counted('p')).place === 'worker', 'a Worker of the next leader');
      assert.ok(await page.leads());
      await page.page.close();
    }

    test('the leader is closed', async () => {
      const [leader, other] = await pair('/closed/');
      await goes(other, 'closed', () => leader.page.close());
    });

    test('the leader navigates elsewhere, comes back, and takes part again', async () => {
      const [leader, other] = await pair('/navigated/');
      await goes(other, 'navigated', async () => leader.page.goto(`${site.url}/navigated/plain`));
      await leader.page.evaluate(() => void setTimeout(() => history.back()));
      await sleep(500);
      await leader.ready();
      await eventually(() => leader.leads(), 'the leadership');
      assert.equal((await leader.counted('p')).place, 'worker');
      await leader.page.close();
    });

    test('requests go to the next leader at once, and none is lost', async () => {
      const took: number[] = [];
      for (let round = 0; round < 5; round++) {
        const [leader, other] = await pair(`/quick-${round}/`);
        await other.counted('p');
        const asked = other.page.evaluate(async () => {
          const answers = Array.from({ length: 20 }, async () => (await fetch('p/hello?ms=300')).status);
          const statuses = await Promise.all(answers);
          return { statuses, at: Date.now() };
        });
        await sleep(150);
        const gone = Date.now();
        await leader.page.close();
        const { statuses, at } = await asked;
        assert.deepEqual(new Set(statuses), new Set([200]));
        took.push(at - gone - 300);
        await other.page.close();
      }
      // How long it takes on a machine at rest is what bench/browser.ts measures. A silence that is noticed takes a second and more.
      assert.ok(took.sort((a, b) => a - b)[2]! < 1000, `${took} ms`);
    });

    test('a request that its Worker was not given before it went is not lost, whatever its method', async () => {
      site.define('/waiting/', [{ name: 'p', config: { oneAtATime: true } }]);
      const [leader, other] = [await open('/waiting/'), await open('/waiting/')];
      const first = other.ask('p/hello?ms=1000&effect=waiting-1', { method: 'POST', body: 'x' });
      await eventually(() => site.effects('waiting-1') === 1, 'the first');
      const second = other.ask('p/hello?effect=waiting-2', { method: 'POST', body: 'x' });
      await sleep(100);
      await leader.page.close();
      assert.deepEqual([(await first).status, (await second).status], [502, 200]);
      assert.deepEqual([site.effects('waiting-1'), site.effects('waiting-2')], [1, 1]);
      await other.page.close();
    });

    test('an answer that streams from a leader that goes breaks off', async () => {
      const [leader, other] = await pair('/broken-off/');
      const reading = other.page.evaluate(async () => {
        const response = await fetch('p/stream?pieces=1000000&size=1000&wait=10');
        const reader = response.body!.getReader();
        Object.assign(globalThis, { begun: true });
        try {
          for (;;) if ((await reader.read()).done) return 'ended';
        } catch (error) {
          return (error as Error).name;
        }
      });
      await other.page.until(() => (globalThis as { begun?: boolean }).begun === true);
      await leader.page.close();
      assert.match(await reading, /^(TypeError|AbortError)$/);
      await other.page.close();
    });

    if (name !== 'chromium') return;

    test('the leader crashes', async () => {
      const [leader, other] = await pair('/crashed/');
      const developer = await leader.page.developer();
      await goes(other, 'crashed', () => developer.killRenderer());
      await leader.page.close();
    });

    test('the leader is frozen: another page takes over, and what it had begins nowhere else', async () => {
      const [leader, other] = await pair('/frozen/');
      const developer = await leader.page.developer();
      const { born } = await other.counted('p');
      await developer.freeze();
      const asked = await Promise.all(
        ['GET', 'POST'].map((method) => other.ask(`p/count?effect=frozen-${method}`, { method })),
      );
      // The Worker did not say that it began the POST, so it is given to another.
      assert.deepEqual(
        asked.map(({ status }) => status),
        [200, 200],
      );
      assert.notEqual(JSON.parse(asked[0]!.text).born, born);
      assert.ok(
        asked.every(({ ms }) => ms < 10_000),
        String(asked.map(({ ms }) => ms)),
      );
      assert.ok(await other.leads());
      await developer.thaw();
      await eventually(async () => !(await leader.leads()), 'the end of the old leader');
      await sleep(300);
      assert.equal(site.effects('frozen-POST'), 1);
      for (const { page } of [leader, other]) await page.close();
    });

    test('the service worker is stopped: a Worker keeps its state', async () => {
      const [leader, other] = await pair('/stopped/');
      const before = await other.counted('p');
      const developer = await leader.page.developer();
      for (let i = 0; i < 3; i++) {
        await developer.stopServiceWorkers();
        const after = await other.counted('p');
        assert.deepEqual([after.born, after.count, after.place], [before.born, before.count + i + 1, 'worker']);
      }
      for (const { page } of [leader, other]) await page.close();
    });

    test('the service worker is stopped while a request runs: it is asked anew, but never what may not be repeated', async () => {
      const [leader, other] = await pair('/asked/');
      await other.counted('p');
      const developer = await leader.page.developer();
      for (const method of ['GET', 'POST']) {
        const asked = other.ask(`p/count?ms=1000&effect=asked-${method}`, { method });
        await eventually(() => site.effects(`asked-${method}`) === 1, 'the request');
        await sleep(50);
        await developer.stopServiceWorkers();
        const { status, text } = await asked;
        assert.equal(status, method === 'GET' ? 200 : 502, text);
        assert.equal(site.effects(`asked-${method}`), method === 'GET' ? 2 : 1);
      }
      // The Worker was told of both.
      assert.equal((await other.counted('p')).gone, 2);
      // What comes later is another request.
      assert.equal((await other.ask('p/count?ms=1000&effect=asked-POST', { method: 'POST' })).status, 200);
      for (const { page } of [leader, other]) await page.close();
    });
  });
}
