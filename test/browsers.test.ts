// The drivers themselves (browsers.ts).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { browserNames, launchBrowser } from './browsers.ts';
import { eventually, root, sleep } from './harness.ts';

const serviceWorker = `
  const born = String(Math.random());
  onactivate = (event) => event.waitUntil(clients.claim());
  onfetch = (event) => {
    if (event.request.url.endsWith('/from-service-worker')) event.respondWith(new Response(born));
  };`;
const server = http.createServer((request, response) => {
  const script = request.url === '/sw.js';
  response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
  if (script) return response.end(serviceWorker);
  response.end(
    '<!doctype html><title>A page</title><script>console.log("hello", 1); addEventListener("error", () => {})</script>',
  );
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => server.close());
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

/** Processes that name the folder on their command line. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((id) => {
    try {
      return Number(id) && readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

test('what only the DevTools protocol can do', async () => {
  const browser = await launchBrowser('chromium');
  try {
    const page = await browser.newPage(url);
    const developer = await page.developer();
    await page.evaluate(async () => {
      await navigator.serviceWorker.register('/sw.js');
      await navigator.serviceWorker.ready;
    });
    const ask = (): Promise<string> => page.evaluate(async () => (await fetch('/from-service-worker')).text());
    await page.reload();
    const born = await ask();
    assert.equal(await ask(), born);
    await developer.stopServiceWorkers();
    assert.notEqual(await ask(), born);
    await developer.offline(true);
    await page.evaluate(() => fetch('/elsewhere').then(Promise.reject, () => {}));
    await developer.offline(false);
    await page.evaluate(() => fetch('/elsewhere'));
    // Each tells for how long its timer did not run.
    await page.evaluate(() => {
      const watch = `let last = performance.now(); setInterval(() => {
        console.log(globalThis.name, performance.now() - last > 200 ? 'stood still' : 'runs');
        last = performance.now();
      }, 10);`;
      self.name = 'page';
      new Worker(URL.createObjectURL(new Blob([watch])), { name: 'worker' });
      document.head.append(Object.assign(document.createElement('script'), { text: watch }));
    });
    const logged = (text: string): Promise<boolean> => eventually(() => page.console.includes(`log: ${text}`), text);
    await logged('page runs');
    await logged('worker runs');
    await developer.freeze();
    await sleep(400);
    await developer.thaw();
    await logged('page stood still');
    await logged('worker stood still');
    await developer.killRenderer();
    const second = await browser.newPage(url);
    await second.close();
  } finally {
    await browser.close();
  }
});

for (const name of browserNames) {
  test(`${name} loads a page, evaluates in it, tells what it logs, and keeps its profile when it restarts`, async () => {
    const browser = await launchBrowser(name);
    try {
      const page = await browser.newPage(url);
      assert.equal(await page.evaluate((a, b) => `${document.title} ${a + b.length}`, 1, [2, 3]), 'A page 3');
      await eventually(() => page.console.includes('log: hello 1'), `the console line in ${page.console}`);
      await assert.rejects(
        page.evaluate(() => Promise.reject(new Error('no'))),
        /no/,
      );
      await page.evaluate(() => {
        setTimeout(() => {
          throw new Error('nobody catches this');
        });
      });
      await eventually(() => page.console.some((line) => /^uncaught: .*nobody catches this/.test(line)), 'the error');
      await page.evaluate(() => localStorage.setItem('kept', 'yes'));
      await page.reload();
      await page.until(() => localStorage.getItem('kept') === 'yes');
      await page.close();
      await browser.restart();
      const later = await browser.newPage(url);
      assert.equal(await later.evaluate(() => localStorage.getItem('kept')), 'yes');
      await browser.kill();
      await browser.restart();
      await browser.newPage(url);
    } finally {
      await browser.close();
    }
  });

  test(`${name} ends with a test that is killed`, async () => {
    const script = `
      const { launchBrowser } = await import('./test/browsers.ts');
      const browser = await launchBrowser('${name}');
      await browser.newPage();
      console.log(browser.profile);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = await once(child.stdout, 'data');
    const folder = String(text).trim();
    assert.notEqual(processesOf(folder).length, 0);
    child.kill('SIGKILL');
    await eventually(() => processesOf(folder).length === 0, `the end of ${name}`);
  });
}
