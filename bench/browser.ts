// `make bench-browser`: what the browser runtime costs, in Chromium. Usage: browser.ts [--rounds N]
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Browser, launchBrowser, type Page } from '../test/browsers.ts';
import { eventually, serve, sleep, type Valor, web } from '../test/harness.ts';
import { HostingPage, Site } from '../test/hosting.ts';
import { median } from './processes.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const rounds = Number(options.rounds);

const scopes = { 'service worker': '/in-service-worker/', 'page Worker': '/in-page/' } as const;

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

/** The same answer from a server and from plug-ins in the browser, in turns. */
async function latency(site: Site, valor: Valor, browser: Browser): Promise<string[][]> {
  const subjects: [name: string, page: Page, url: string][] = [
    ['direct fetch from a local valor', await browser.newPage(`${valor.url}/hello`), '/hello'],
  ];
  for (const [name, scope] of Object.entries(scopes)) {
    site.define(scope, [{ name: 'p' }], name === 'page Worker' ? 'page' : 'service-worker');
    subjects.push([name, (await HostingPage.open(site, browser, scope)).page, 'p/hello']);
  }
  const taken = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, [, page, url]] of subjects.entries()) {
      await times(page, url, 20);
      taken[i]!.push(...(await times(page, url, 100)));
    }
  }
  for (const [, page] of subjects) await page.close();
  const direct = median(taken[0]!);
  const limits = ['', '<= 0.6 x', '<= 0.8 x'];
  return subjects.map(([name], i) => [
    name,
    `${median(taken[i]!).toFixed(2)} ms`,
    `${(median(taken[i]!) / direct).toFixed(2)} x`,
    limits[i]!,
  ]);
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

/** Ten streams of 50 MB at once to a reader that is slower than the plug-in. */
async function streams(site: Site, browser: Browser): Promise<string[][]> {
  const rows: string[][] = [];
  for (const [name, scope] of Object.entries(scopes)) {
    site.define(scope, [{ name: 'p' }], name === 'page Worker' ? 'page' : 'service-worker');
    const { page } = await HostingPage.open(site, browser, scope);
    await times(page, 'p/hello', 20);
    const before = memory(browser);
    let most = 0;
    let reading = true;
    const watching = (async () => {
      for (; reading; await sleep(100)) most = Math.max(most, memory(browser));
    })();
    const bytes = await page.evaluate(async () => {
      const one = async (): Promise<number> => {
        const reader = (await fetch('p/stream?pieces=800&size=65536')).body!.getReader();
        for (let size = 0; ; ) {
          const { done, value } = await reader.read();
          if (done) return size;
          size += value.length;
          if (size % 1_000_000 < value.length) await new Promise((done) => setTimeout(done, 20));
        }
      };
      const sizes = await Promise.all(Array.from({ length: 10 }, one));
      return sizes.reduce((sum, size) => sum + size, 0);
    });
    reading = false;
    await watching;
    rows.push([
      `${name}, ${Math.round(bytes / 1e6)} MB in 10 streams`,
      `${Math.round((most - before) / 1e6)} MB more`,
      '',
      'flat',
    ]);
    await page.close();
  }
  return rows;
}

/** From nothing to the first answer, with few and with many plug-ins. */
async function starts(site: Site, browser: Browser): Promise<string[][]> {
  const pages: HostingPage[] = [];
  const taken: number[][] = [[], []];
  for (const count of [1, 100]) {
    const scope = `/with-${count}/`;
    const plugins = Array.from({ length: count }, (_, i) => ({ name: i === 0 ? 'p' : `p${i}` }));
    site.define(scope, plugins, 'service-worker');
    pages.push(await HostingPage.open(site, browser, scope));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { page }] of pages.entries()) {
      await (await page.developer()).stopServiceWorkers();
      await sleep(100);
      taken[i]!.push((await times(page, 'p/hello', 1))[0]!);
    }
  }
  for (const { page } of pages) await page.close();
  const [few, many] = taken.map(median) as [number, number];
  return [
    ['start of the service worker and first answer, 1 plug-in', `${few.toFixed(0)} ms`, '', ''],
    ['the same with 100 plug-ins', `${many.toFixed(0)} ms`, `+ ${(many - few).toFixed(0)} ms`, '<= + 50 ms'],
  ];
}

/** The leading page goes while requests are in flight that may be repeated. */
async function failover(site: Site, browser: Browser): Promise<string[][]> {
  const workMs = 300;
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const scope = `/failover-${round}/`;
    site.define(scope, [{ name: 'p' }]);
    const [leader, other] = [
      await HostingPage.open(site, browser, scope),
      await HostingPage.open(site, browser, scope),
    ];
    await other.counted('p');
    const asked = other.page.evaluate(async (ms) => {
      const answers = Array.from({ length: 20 }, async () => (await fetch(`p/hello?ms=${ms}`)).status);
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

const hello = web('hello.js', { url: new URL('../examples/hello/hello.js', import.meta.url).pathname });
const [site, valor, browser] = await Promise.all([Site.open(), serve([hello]), launchBrowser('chromium')]);
try {
  await eventually(() => valor.port, 'valor');
  const rows = [
    ...(await latency(site, valor, browser)),
    ...(await streams(site, browser)),
    ...(await starts(site, browser)),
    ...(await failover(site, browser)),
  ];
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
