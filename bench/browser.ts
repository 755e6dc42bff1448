// `make bench-browser`: what the browser runtime costs, in Chromium. Usage: browser.ts [--rounds N]
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPage } from '../cli/browsers.ts';
import { type Browser, launchBrowser, type Page } from '../test/browsers.ts';
import { root, serve, sleep, type Valor, web, within } from '../test/harness.ts';
import { HostingPage, Site } from '../test/hosting.ts';
import { median } from './processes.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const rounds = Number(options.rounds);

const scopes = { 'service worker': '/in-service-worker/', 'page Worker': '/in-page/' } as const;
const files = { hello: 'examples/hello/hello.js', frame: 'bench/handlers/frame.js', stream: 'test/plugins/stream.js' };

function define(site: Site, scope: string, place: keyof typeof scopes, count = 0): void {
  const plugins = Object.entries(files).map(([name, file]) => ({ name, url: `${site.url}/files/${file}` }));
  for (let i = 0; i < count; i++) plugins.push({ name: `more-${i}`, url: `${site.url}/files/${files.hello}` });
  site.define(scope, plugins, place === 'page Worker' ? 'page' : 'service-worker');
}

/** Milliseconds of each of `count` requests, one after the other. */
function times(page: Page, url: string, count: number): Promise<number[]> {
  return page.evaluate(
    async (url, count) => {
      const taken: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        await (await fetch(url)).text();
        taken.push(performance.now() - began);
      }
      return taken;
    },
    url,
    count,
  );
}

/** Runs in a page without the DevTools, whose view of each request takes time: asks its frames in turns, and reports. */
const conductor = async (frames: [url: string, requests: string][], rounds: number): Promise<void> => {
  const asked: [window: Window, url: string, taken: number[]][] = [];
  const reply = (): Promise<MessageEvent<number[]>> =>
    new Promise((done) => addEventListener('message', done, { once: true }));
  for (const [url, requests] of frames) {
    const frame = document.createElement('iframe');
    frame.src = url;
    const ready = reply();
    document.body.append(frame);
    await ready;
    asked.push([frame.contentWindow!, requests, []]);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [frame, url, taken] of asked) {
      for (const [count, counts] of [
        [10, false],
        [100, true],
      ] as const) {
        const answer = reply();
        frame.postMessage({ url, count }, '*');
        const { data } = await answer;
        if (counts) taken.push(...data);
      }
    }
  }
  await fetch('/report', { method: 'POST', body: JSON.stringify(asked.map(([, , taken]) => taken)) });
};

/** A service worker that gives the same answer and does nothing else. */
function addFloor(site: Site): void {
  const page = async (): Promise<void> => {
    addEventListener('message', async ({ data: { url, count }, source }) => {
      const taken: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        await (await fetch(url)).text();
        taken.push(performance.now() - began);
      }
      source!.postMessage(taken, { targetOrigin: '*' });
    });
    const { serviceWorker } = navigator;
    const controlled = new Promise((done) => serviceWorker.addEventListener('controllerchange', done));
    await serviceWorker.register('/floor-sw.js', { scope: '/floor/' });
    if (serviceWorker.controller === null) await controlled;
    parent.postMessage('ready', '*');
  };
  const worker = readFileSync(join(root, 'bench/handlers/floor-service-worker.js'), 'utf8');
  site.answers.set('/floor-sw.js', { status: 200, type: 'text/javascript', text: worker });
  site.answers.set('/floor/page', {
    status: 200,
    type: 'text/html',
    text: `<!doctype html><script>(${page})()</script>`,
  });
}

/** The same answer from a server and from plug-ins in the browser, in turns. */
async function latency(site: Site, valor: Valor): Promise<string[][]> {
  const subjects: [name: string, frame: string, requests: string, limit: string][] = [
    ['direct fetch from a local valor', `${valor.url}/frame`, '/hello', ''],
  ];
  addFloor(site);
  subjects.push(['a service worker that does nothing else', `${site.url}/floor/page`, 'hello', '']);
  const limits = { 'service worker': '<= 0.6 x', 'page Worker': '<= 0.8 x' };
  for (const name of ['service worker', 'page Worker'] as const) {
    define(site, scopes[name], name);
    subjects.push([name, `${site.url}${scopes[name]}page`, 'hello', limits[name]]);
  }
  const frames = subjects.map(([, url, requests]) => [url, requests]);
  const script = `(${conductor})(${JSON.stringify(frames)}, ${rounds})`;
  site.answers.set('/conductor', {
    status: 200,
    type: 'text/html',
    text: `<!doctype html><body><script>${script}</script>`,
  });
  const report = new Promise<string>((done) => {
    site.onreport = done;
  });
  // Nobody drives it, so that nothing looks on while it works.
  const alone = openPage('chromium', `${site.url}/conductor`);
  try {
    const taken = JSON.parse(
      await within(Promise.race([report, alone.ended]), 'the measurements', 300_000),
    ) as number[][];
    const direct = median(taken[0]!);
    return subjects.map(([name, , , limit], i) => [
      name,
      `${median(taken[i]!).toFixed(2)} ms`,
      `${(median(taken[i]!) / direct).toFixed(2)} x`,
      limit,
    ]);
  } finally {
    await alone.close();
  }
}

/** Bytes that the browser's processes hold in memory. */
function memory(browser: Browser): number {
  let pages = 0;
  for (const id of readdirSync('/proc').filter(Number)) {
    try {
      if (!readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(browser.profile)) continue;
      const [, resident, shared] = readFileSync(`/proc/${id}/statm`, 'utf8').split(' ').map(Number);
      pages += resident! - shared!;
    } catch {
      // It has ended.
    }
  }
  return pages * Number(execFileSync('getconf', ['PAGESIZE']));
}

/** Ten streams of 50 MB at once to a slow reader. Chromium itself reads up to 64 MB of each answer ahead. */
async function streams(site: Site, valor: Valor, browser: Browser): Promise<string[][]> {
  const rows: string[][] = [];
  for (const name of ['direct fetch from a local valor', 'service worker', 'page Worker'] as const) {
    let page: Page;
    let url = 'stream';
    if (name === 'direct fetch from a local valor') {
      page = await browser.newPage(`${valor.url}/hello`);
      url = '/stream';
    } else {
      define(site, scopes[name], name);
      page = (await HostingPage.open(site, browser, scopes[name])).page;
    }
    await times(page, url.replace('stream', 'hello'), 20);
    const before = memory(browser);
    let most = 0;
    let reading = true;
    const watching = (async () => {
      for (; reading; await sleep(100)) most = Math.max(most, memory(browser));
    })();
    const bytes = await page.evaluate(async (url) => {
      const one = async (): Promise<number> => {
        const reader = (await fetch(`${url}?bytes=50000000`)).body!.getReader();
        let paused = 0;
        for (let size = 0; ; ) {
          const { done, value } = await reader.read();
          if (done) return size;
          size += value.length;
          if (size < paused + 1_000_000) continue;
          paused = size;
          await new Promise((done) => setTimeout(done, 50));
        }
      };
      const sizes = await Promise.all(Array.from({ length: 10 }, one));
      return sizes.reduce((sum, size) => sum + size, 0);
    }, url);
    reading = false;
    await watching;
    const size = `${Math.round(bytes / 1e6)} MB in 10 streams`;
    rows.push([`${name}, ${size}`, `${Math.round((most - before) / 1e6)} MB more`, '', '']);
    await page.close();
  }
  return rows;
}

/** From nothing to the first answer, with few and with many plug-ins. */
async function starts(site: Site, browser: Browser): Promise<string[][]> {
  const pages: HostingPage[] = [];
  const taken: number[][] = [[], []];
  for (const count of [0, 100]) {
    const scope = `/with-${count}/`;
    define(site, scope, 'service worker', count);
    pages.push(await HostingPage.open(site, browser, scope));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { page }] of pages.entries()) {
      await (await page.developer()).stopServiceWorkers();
      await sleep(100);
      taken[i]!.push((await times(page, 'hello', 1))[0]!);
    }
  }
  for (const { page } of pages) await page.close();
  const [few, many] = taken.map(median) as [number, number];
  return [
    ['start of the service worker and first answer, 3 plug-ins', `${few.toFixed(0)} ms`, '', ''],
    ['the same with 100 more', `${many.toFixed(0)} ms`, `+ ${(many - few).toFixed(0)} ms`, '<= + 50 ms'],
  ];
}

/** The leading page goes while requests are in flight that may be repeated. */
async function failover(site: Site, browser: Browser): Promise<string[][]> {
  const workMs = 300;
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const scope = `/failover-${round}/`;
    site.define(scope, [{ name: 'p', url: `${site.url}/files/bench/handlers/wait.js` }]);
    const [leader, other] = [
      await HostingPage.open(site, browser, scope),
      await HostingPage.open(site, browser, scope),
    ];
    await other.ask('p?ms=0');
    const asked = other.page.evaluate(async (ms) => {
      const answers = Array.from({ length: 20 }, async () => (await fetch(`p?ms=${ms}`)).status);
      const statuses = await Promise.all(answers);
      if (statuses.some((status) => status !== 200)) throw new Error(`lost: ${statuses}`);
      return Date.now();
    }, workMs);
    await sleep(workMs / 2);
    const gone = Date.now();
    await leader.page.close();
    taken.push((await asked) - gone - workMs);
    await other.page.close();
  }
  return [
    ['20 requests after the end of the leader, beyond their work', `${median(taken)} ms`, '', '<= 250 ms'],
    ['the slowest round', `${Math.max(...taken)} ms`, '', ''],
  ];
}

const plugins = Object.entries(files).map(([name, file]) => web(`${name}.js`, { url: join(root, file) }));
const [site, valor] = await Promise.all([Site.open('real'), serve(plugins)]);
const rows = await latency(site, valor);
const browser = await launchBrowser('chromium');
try {
  rows.push(...(await streams(site, valor, browser)));
  rows.push(...(await starts(site, browser)));
  rows.push(...(await failover(site, browser)));
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
} finally {
  await browser.close();
  await valor.stop();
  site.close();
}
