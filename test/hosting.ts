// A site for tests of the browser runtime's hosting: its bundles, pages and what they say of plug-ins, and a count of what
// plug-ins have done.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { PluginStatus } from '../browser/protocol.ts';
import { type Browser, type BrowserName, browserNames, type Page } from './browsers.ts';
import { type Definition, eventually, root } from './harness.ts';

/** Instances for tests; or the real ones. */
export type Instances = 'for tests' | 'real';

async function bundle(entry: string, instances: Instances): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    format: entry.includes('page') ? 'esm' : 'iife',
    target: 'es2024',
    plugins: [
      {
        name: 'instances',
        setup({ onResolve }) {
          if (instances === 'for tests') return;
          onResolve({ filter: /^\.\/create\.ts$/ }, () => ({ path: join(root, 'browser/instance/create.ts') }));
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}

export class Site {
  readonly #server: Server;
  readonly #effects = new Map<string, number>();
  /** By scope: "/name/". */
  readonly #definitions = new Map<string, { plugins: Definition[]; hosting: string }>();
  /** How often a plug-in still fails to load, by its file. */
  readonly failLoads = new Map<string, number>();
  /** What the server itself answers; 404 where nothing is here, and status 0 breaks the connection. */
  readonly answers = new Map<string, { status: number; text: string; type?: string }>();
  url = '';
  /** What a page has posted to /report. */
  onreport: ((text: string) => void) | null = null;

  private constructor(files: Record<string, string>) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url!, 'http://site/');
      const send = (status: number, type: string, body: string | Uint8Array): void => {
        request.resume();
        // Pages of this scope may start no Worker but the service worker.
        const policy = { 'content-security-policy': `worker-src ${this.url}/valor-sw.js` };
        response.writeHead(status, {
          ...(pathname === '/no-workers/page' ? policy : {}),
          'content-type': type,
          'service-worker-allowed': '/',
          'cache-control': 'no-cache',
        });
        response.end(body);
      };
      if (pathname === '/report') {
        let text = '';
        request.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        request.on('end', () => {
          response.end();
          this.onreport?.(text);
        });
        return;
      }
      const own = this.answers.get(pathname);
      if (own?.status === 0) {
        request.destroy();
        return;
      }
      if (own) return send(own.status, own.type ?? 'text/plain', own.text);
      if (files[pathname]) return send(200, 'text/javascript', files[pathname]);
      if (pathname === '/valor-core.wasm')
        return send(200, 'application/wasm', readFileSync(join(root, 'build/web/valor-core.wasm')));
      if (pathname.startsWith('/effects/')) {
        this.#effects.set(pathname, this.effects(pathname.slice('/effects/'.length)) + 1);
        return send(200, 'text/plain', '');
      }
      if (pathname.startsWith('/definitions/')) {
        return send(
          200,
          'application/json',
          JSON.stringify(this.#definitions.get(pathname.slice('/definitions'.length))),
        );
      }
      if (pathname.endsWith('/page'))
        return send(200, 'text/html', '<!doctype html><script type="module" src="/page.js"></script>');
      if (pathname.endsWith('/plain')) return send(200, 'text/html', '<!doctype html>');
      if (pathname.endsWith('/file.txt')) return send(200, 'text/plain', 'a file');
      if (pathname.startsWith('/files/')) {
        return send(200, 'text/javascript', readFileSync(join(root, pathname.slice('/files/'.length))));
      }
      if (pathname.endsWith('/fail-loads')) {
        const remaining = this.failLoads.get(pathname) ?? 0;
        this.failLoads.set(pathname, remaining - 1);
        return send(200, 'application/json', JSON.stringify({ remaining }));
      }
      send(404, 'text/plain', 'the server has nothing here');
    });
  }

  static async open(instances: Instances = 'for tests'): Promise<Site> {
    const [page, serviceWorker, worker] = await Promise.all(
      ['test/hosting-page.ts', 'test/browser-hosting/service-worker.ts', 'test/browser-hosting/worker.ts'].map(
        (entry) => bundle(entry, instances),
      ),
    );
    const site = new Site({ '/page.js': page!, '/valor-sw.js': serviceWorker!, '/valor-host.js': worker! });
    await new Promise<void>((done) => site.#server.listen(0, '127.0.0.1', done));
    const address = site.#server.address();
    site.url = `http://127.0.0.1:${typeof address === 'object' ? address!.port : ''}`;
    return site;
  }

  define(scope: string, plugins: Definition[], hosting = 'page'): void {
    const all = plugins.map((plugin) => ({
      type: 'web',
      prefix: plugin.name,
      url: `${this.url}/plug-in.js`,
      config: null,
      instances: { min: 1, max: 1 },
      place: 'both',
      fallback: 'none',
      prefer: 'plugin-first',
      ...plugin,
      limits: { timeout_ms: 20_000, memory_mb: 128, queue: 1024, ...(plugin.limits as object) },
    }));
    this.#definitions.set(scope, { plugins: all, hosting });
  }

  /** How often a plug-in has done what it names so. */
  effects(name: string): number {
    return this.#effects.get(`/effects/${name}`) ?? 0;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Both browsers, or the one that BROWSER names. */
export const chosenBrowsers: BrowserName[] = browserNames.filter((name) => (process.env.BROWSER ?? name) === name);

interface Globals {
  ready?: boolean;
  leader: { leads: boolean };
  call(method: string): Promise<{ result: PluginStatus[] }>;
}

export interface Got {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** From the beginning of the request to the end of its body. */
  ms: number;
}

export interface Counted {
  count: number;
  /** Names the instance. */
  born: string;
  place: string;
  most: number;
  gone: number;
  /** Bytes that its streams have made. */
  made: number;
}

/** A page that takes part in hosting. */
export class HostingPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(site: Site, browser: Browser, scope: string): Promise<HostingPage> {
    const opened = new HostingPage(await browser.newPage(`${site.url}${scope}page`));
    await opened.ready();
    return opened;
  }

  async ready(): Promise<void> {
    const ready = (): Promise<boolean> =>
      this.page.evaluate(() => (globalThis as unknown as Globals).ready === true).catch(() => false); // it navigates
    await eventually(ready, 'the page');
  }

  /** Relative to the scope. */
  async ask(
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Got> {
    return this.page.evaluate(
      async (url, init) => {
        const began = performance.now();
        const response = await fetch(url, init);
        const text = await response.text();
        const headers = Object.fromEntries(response.headers);
        return { status: response.status, headers, text, ms: performance.now() - began };
      },
      url,
      init,
    );
  }

  /** Several, without the driver between them. */
  async askAll(urls: string[], order: 'at once' | 'one after the other' = 'at once'): Promise<Got[]> {
    return this.page.evaluate(
      async (urls, atOnce) => {
        const one = async (url: string) => {
          const began = performance.now();
          const response = await fetch(url);
          const text = await response.text();
          const headers = Object.fromEntries(response.headers);
          return { status: response.status, headers, text, ms: performance.now() - began };
        };
        if (atOnce) return Promise.all(urls.map(one));
        const all = [];
        for (const url of urls) all.push(await one(url));
        return all;
      },
      urls,
      order === 'at once',
    );
  }

  async counted(plugin: string): Promise<Counted> {
    return JSON.parse((await this.ask(`${plugin}/count`)).text);
  }

  leads(): Promise<boolean> {
    return this.page.evaluate(() => (globalThis as unknown as Globals).leader.leads);
  }

  async list(): Promise<PluginStatus[]> {
    return this.page.evaluate(async () => (await (globalThis as unknown as Globals).call('list')).result);
  }

  /** The service worker takes over what the site says of plug-ins now. */
  async reload(): Promise<void> {
    await this.page.evaluate(async () => void (await (globalThis as unknown as Globals).call('reload')));
  }
}
