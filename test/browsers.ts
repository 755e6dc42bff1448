// Real browsers for tests: Chromium through Playwright, Firefox through WebDriver BiDi, behind one interface. Every wait
// has a deadline, and browsers and their profiles end with the test's process, also when that is killed.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CDPSession, chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { type BrowserName, browserNames, chromiumFlags, needBrowser } from '../cli/browsers.ts';
import { eventually, within } from './harness.ts';

export { type BrowserName, browserNames };

// Tests run as root in containers, where its sandbox does not work.
const flags = [...chromiumFlags, '--no-sandbox'];

export interface Browser {
  readonly name: BrowserName;
  /** The folder of its profile. */
  readonly profile: string;
  newPage(url?: string): Promise<Page>;
  /** Ends the browser and starts it again with the same profile: storage and service workers are still there. */
  restart(): Promise<void>;
  /** The browser process is killed, as in a crash; restart() starts it again. */
  kill(): Promise<void>;
  /** Its profile goes too. */
  close(): Promise<void>;
}

export interface Page {
  /** What it wrote to its console, a line each: "log: text". Errors that nobody caught are lines "uncaught: text". */
  readonly console: string[];
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs a function of the test in the page. It sees nothing of the test's module; arguments and result are JSON. */
  evaluate<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R>;
  /** Evaluates again and again until the result is truthy, and returns it. */
  until<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R>;
  close(): Promise<void>;
  /** Chromium only. */
  developer(): Promise<Developer>;
}

/** What only the DevTools protocol can do to a page. */
export interface Developer {
  /** The page's process ends, and with it the Workers that it hosts. Not the service worker, unless it lived there. */
  killRenderer(): Promise<void>;
  /** Stops the running service workers of the browser, as it does by itself when they are idle. */
  stopServiceWorkers(): Promise<void>;
  /**
   * The page and its Workers run no code, as in the background of a phone. A debugger holds them: Chromium does not freeze
   * pages that it takes for visible, and without a screen all are.
   */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** No network for the page and for service workers. */
  offline(offline: boolean): Promise<void>;
  send(method: string, parameters?: object): Promise<unknown>;
}

/** Starting takes most; on a loaded machine a minute. */
const startMs = 120_000;

/**
 * Ends the processes that name the folder on their command line, when its input ends: when this process is gone or
 * says so. With "and the folder" it removes the folder too. It knows them by the folder, so it needs no process id,
 * which a browser that is just starting does not have yet.
 */
const watchman = `
const { readdirSync, readFileSync, rmSync } = require('node:fs');
const folder = process.argv[1];
function end() {
  let ended = 0;
  for (const id of readdirSync('/proc').filter(Number)) {
    try {
      const args = readFileSync('/proc/' + id + '/cmdline', 'utf8');
      if (Number(id) !== process.pid && args.includes(folder)) { process.kill(Number(id), 'SIGKILL'); ended++; }
    } catch {}
  }
  return ended;
}
let tries = 0;
function tidy() {
  const ended = end();
  try { rmSync(folder, { recursive: true, force: true }); } catch {}
  // A process that is being killed may write one more file.
  if (ended && ++tries < 100) setTimeout(tidy, 50);
}
process.stdin.on('data', () => process.stdout.write(end() + '\\n'));
process.stdin.on('end', tidy);
`;

class Profile {
  readonly folder = mkdtempSync(join(tmpdir(), 'valor-browser-'));
  #watchman = spawn(process.execPath, ['-e', watchman, this.folder], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // Ctrl-C is for the test; its process group is not the watchman's.
    detached: true,
  });
  #answers: ((ended: number) => void)[] = [];

  constructor() {
    this.#watchman.unref();
    this.#watchman.stdout!.on('data', (text) => this.#answers.shift()?.(Number(String(text))));
    for (const stream of [this.#watchman.stdin, this.#watchman.stdout])
      (stream as unknown as { unref(): void }).unref();
  }

  /** Kills what still runs with this profile. */
  async kill(): Promise<void> {
    await eventually(async () => {
      const answer = new Promise<number>((done) => this.#answers.push(done));
      this.#watchman.stdin!.write('\n');
      return (await within(answer, 'the end of a browser')) === 0;
    }, 'the end of a browser');
  }

  async remove(): Promise<void> {
    this.#watchman.stdin!.end();
    await eventually(() => !existsSync(this.folder), `the end of ${this.folder}`);
  }
}

/** What the two drivers have in common of what we use. */
interface DriverPage {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  close(): Promise<unknown>;
  /** Gives what the script's promise resolves with: JSON, or undefined. */
  run(script: string): Promise<unknown>;
  developer(): Promise<Developer>;
}

interface Driver {
  newPage(console: string[]): Promise<DriverPage>;
  close(): Promise<unknown>;
}

const isolated = (source: string, args: unknown[]): string =>
  `(async () => JSON.stringify(await (${source})(...${JSON.stringify(args)})))()`;

async function startChromium(folder: string): Promise<Driver> {
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: needBrowser('chromium'),
    headless: true,
    timeout: startMs,
    args: flags,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return {
    close: () => context.close(),
    async newPage(lines) {
      const page = await context.newPage();
      page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => lines.push(`uncaught: ${error}`));
      return {
        goto: (url) => page.goto(url),
        reload: () => page.reload(),
        close: () => page.close(),
        run: (script) => page.evaluate(script),
        developer: async () => {
          const session = await context.newCDPSession(page);
          return developerOf(session, (offline) => context.setOffline(offline));
        },
      };
    },
  };
}

function developerOf(session: CDPSession, setOffline: (offline: boolean) => Promise<void>): Developer {
  const send = (method: string, parameters?: object): Promise<unknown> =>
    within(session.send(method as 'Page.enable', parameters as undefined), method);
  let messages = 0;
  const workers = new Set<string>();
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    // The service worker of the page is offered too, and is not the page's.
    if (targetInfo.type === 'worker') workers.add(sessionId);
  });
  session.on('Target.detachedFromTarget', ({ sessionId }) => workers.delete(sessionId));
  /** To the page and its Workers. */
  async function toAll(method: string): Promise<void> {
    await send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    for (const sessionId of workers) {
      await send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id: ++messages, method }) });
    }
    await send(method);
  }
  return {
    send,
    async killRenderer() {
      // The answer never comes: who would give it has crashed.
      session.send('Page.crash').catch(() => {});
      await within(new Promise((done) => session.once('Inspector.targetCrashed', done)), 'the end of the renderer');
    },
    async stopServiceWorkers() {
      await send('ServiceWorker.enable');
      await send('ServiceWorker.stopAllWorkers');
    },
    async freeze() {
      await toAll('Debugger.enable');
      await toAll('Debugger.pause');
    },
    async thaw() {
      // Disabling resumes.
      await toAll('Debugger.disable');
    },
    offline: (offline) => within(setOffline(offline), 'no network'),
  };
}

async function startFirefox(folder: string): Promise<Driver> {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: needBrowser('firefox'),
    headless: true,
    timeout: startMs,
    userDataDir: folder,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return {
    close: () => browser.close(),
    async newPage(lines) {
      const page = await browser.newPage();
      page.on('console', (message) => lines.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => lines.push(`uncaught: ${error}`));
      return {
        goto: (url) => page.goto(url),
        reload: () => page.reload(),
        close: () => page.close(),
        run: (script) => page.evaluate(script),
        developer: () => Promise.reject(new Error('only Chromium speaks the DevTools protocol')),
      };
    },
  };
}

function pageOf(page: DriverPage, lines: string[]): Page {
  async function evaluate<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R> {
    const result = await within(page.run(isolated(String(run), args)), `the result of ${String(run).slice(0, 200)}`);
    return (result === undefined ? undefined : JSON.parse(result as string)) as R;
  }
  return {
    console: lines,
    evaluate,
    until: (run, ...args) => eventually(() => evaluate(run, ...args), String(run)) as never,
    async goto(url) {
      await within(page.goto(url), url);
    },
    async reload() {
      await within(page.reload(), 'reloading');
    },
    async close() {
      await within(page.close(), 'the end of a page');
    },
    developer: () => page.developer(),
  };
}

export async function launchBrowser(name: BrowserName): Promise<Browser> {
  const profile = new Profile();
  const start = (): Promise<Driver> => {
    const starting = name === 'chromium' ? startChromium(profile.folder) : startFirefox(profile.folder);
    return within(starting, `the start of ${name}`, startMs);
  };
  let driver = await start();
  let killed = false;
  return {
    name,
    profile: profile.folder,
    async newPage(url) {
      const lines: string[] = [];
      const page = pageOf(await within(driver.newPage(lines), 'a new page'), lines);
      if (url !== undefined) await page.goto(url);
      return page;
    },
    async kill() {
      killed = true;
      await profile.kill();
    },
    async restart() {
      // Whoever is dead does not answer.
      if (!killed) await within(driver.close(), `the end of ${name}`);
      await profile.kill();
      driver = await start();
      killed = false;
    },
    async close() {
      if (!killed) await within(driver.close(), `the end of ${name}`).catch(() => {});
      await profile.kill();
      await profile.remove();
    },
  };
}

/** A Chromium that shows a page and that nobody drives, so that nothing looks on while it works. Returns what ends it. */
export async function launchAlone(url: string): Promise<() => Promise<void>> {
  const profile = new Profile();
  spawn(needBrowser('chromium'), ['--headless', ...flags, `--user-data-dir=${profile.folder}`, url], {
    stdio: 'ignore',
  }).unref();
  return async () => {
    await profile.kill();
    await profile.remove();
  };
}
