// Pages that nobody looks at, and service workers that nobody asks anything: what drivers keep from happening in Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { html, type PageGlobal, plugin, ready, ValorSite } from './browser-runtime.ts';
import { launchBrowser } from './browsers.ts';
import { eventually, sleep } from './harness.ts';
import { PlainChromium, type Tab } from './plain-chromium.ts';

declare const page: PageGlobal;

// They wait most of the time.
describe('left alone', { concurrency: true }, () => {
  let site: ValorSite;

  before(async () => {
    site = await ValorSite.with();
    site.plugins({ hello: plugin('one') });
    site.files['/'] = site.files['/page'] = html();
    site.files['/inside'] = html('data-manual').replace('start()', `start({ hosting: 'service-worker' })`);
  });
  after(() => site.stop());

  test('in chromium, a hidden page goes on hosting', async () => {
    const browser = await PlainChromium.launch();
    try {
      const leader = await tab(browser, '/');
      const front = await tab(browser, '/page');
      await front.activate();
      await eventually(() => leader.evaluate(() => document.visibilityState === 'hidden'), 'hiding a tab');
      await hosts(leader, front);
    } finally {
      await browser.close();
    }
  });

  test('in chromium, a service worker that ended after 30 idle seconds finds everything again', async () => {
    const browser = await PlainChromium.launch();
    try {
      const first = await tab(browser, '/');
      site.files['/more.js'] = plugin('more');
      await first.evaluate(() => page.valor!.plugins.add({ type: 'web', name: 'more', url: '/more.js' }));
      const instance = await headerOf(first);
      assert.equal((await browser.serviceWorkers()).length, 1);
      await eventually(async () => (await browser.serviceWorkers()).length === 0, 'idle termination', 90_000);
      assert.equal(await headerOf(first), instance, 'the Worker of the page has gone on');
      assert.equal(await first.evaluate(async () => (await fetch('/more/x')).text()), 'more GET x');
      await eventually(async () => (await browser.serviceWorkers()).length === 0, 'idle termination', 90_000);
      assert.equal((await first.evaluate(() => page.valor!.plugins.list())).length, 2);
    } finally {
      await browser.close();
    }
  });

  test('in firefox, a hidden page goes on hosting', async () => {
    const browser = await launchBrowser('firefox');
    try {
      const leader = await browser.newPage(site.url('/'));
      await leader.until(ready);
      const front = await browser.newPage(site.url('/page'));
      await front.until(ready);
      assert.equal(await leader.evaluate(() => document.visibilityState), 'hidden');
      await hosts(leader, front);
    } finally {
      await browser.close();
    }
  });

  test('in firefox, so does a service worker that ended after 30 idle seconds', async () => {
    const browser = await launchBrowser('firefox');
    try {
      const first = await browser.newPage(site.url('/inside'));
      await first.until(ready);
      // In the service worker itself, so that another instance tells another service worker.
      const instance = await headerOf(first);
      assert.equal(await headerOf(first), instance);
      await sleep(75_000);
      assert.notEqual(await headerOf(first), instance, 'it has not ended');
    } finally {
      await browser.close();
    }
  });

  async function tab(browser: PlainChromium, path: string): Promise<Tab> {
    const opened = await browser.newTab(site.url(path));
    await eventually(() => opened.evaluate(ready).catch(() => false), 'a page');
    return opened;
  }

  const headerOf = (one: Pick<Tab, 'evaluate'>): Promise<string | null> =>
    one.evaluate(async () => (await fetch('/hello/x')).headers.get('x-instance'));

  /** Longer than it takes to find out that a page is frozen. */
  async function hosts(leader: Pick<Tab, 'evaluate' | 'close'>, front: Pick<Tab, 'evaluate'>): Promise<void> {
    const instance = await headerOf(front);
    assert.ok(instance);
    for (let i = 0; i < 10; i++) {
      await sleep(300);
      assert.equal(await headerOf(front), instance);
    }
    assert.equal(await headerOf(leader), instance);
    await leader.close();
    assert.notEqual(await headerOf(front), instance);
  }
});
