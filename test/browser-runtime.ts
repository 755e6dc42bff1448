// valor.js and what belongs to it, bundled for tests of the browser runtime that need more than the server's own: another version of
// Valor, a server that breaks.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import type { Valor } from '../browser/page/valor.ts';
import { root } from './harness.ts';
import { type Answer, bundled, Site } from './site.ts';

export interface RuntimeOptions {
  /** Tells builds apart; where only this differs, pages and service worker understand each other. */
  version?: string;
  /** Of a Valor that speaks other messages. */
  protocol?: number;
}

const made = new Map<string, Promise<Record<string, Answer>>>();

/** By path below /_valor/. */
export function runtimeFiles({ version = 'test', protocol }: RuntimeOptions = {}): Promise<Record<string, Answer>> {
  const key = `${version} ${protocol}`;
  let files = made.get(key);
  if (!files) {
    files = makeFiles(version, protocol);
    made.set(key, files);
  }
  return files;
}

async function makeFiles(version: string, protocol: number | undefined): Promise<Record<string, Answer>> {
  const otherProtocol: Plugin = {
    name: 'other protocol',
    setup({ onLoad }) {
      if (protocol === undefined) return;
      onLoad({ filter: /\/browser\/protocol\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        const contents = source.replace(/(export const PROTOCOL = )\d+/, `$1${protocol}`);
        if (contents === source) throw new Error('protocol.ts has no PROTOCOL');
        return { contents, loader: 'ts' };
      });
    },
  };
  const options = { define: { VALOR_VERSION: JSON.stringify(version) }, plugins: [otherProtocol] };
  const [page, serviceWorker] = await Promise.all([
    bundled({ ...options, entryPoints: ['browser/page/valor.ts'], format: 'esm' }),
    bundled({ ...options, entryPoints: ['browser/main.ts'], format: 'iife' }),
  ]);
  return {
    'valor.js': page,
    'valor-sw.js': serviceWorker,
    'valor-host.js': "importScripts('valor-sw.js');",
    'valor-core.wasm': readFileSync(join(root, 'build/web/valor-core.wasm')),
  };
}

/** A server that has Valor's files, and plug-ins. */
export class ValorSite extends Site {
  static async with(options: RuntimeOptions = {}): Promise<ValorSite> {
    const site = await new ValorSite().start();
    site.headers['service-worker-allowed'] = '/';
    await site.install(options);
    return site;
  }

  /** This version of Valor from now on. */
  async install(options: RuntimeOptions): Promise<void> {
    for (const [name, file] of Object.entries(await runtimeFiles(options))) this.files[`/_valor/${name}`] = file;
  }

  /** From now on a file comes with this Content Security Policy. */
  restrict(path: string, type: string, policy: string): void {
    const file = this.files[path] as string;
    this.files[path] = (_, response) => {
      response.writeHead(200, { 'content-type': type, 'content-security-policy': policy });
      response.end(file);
    };
  }

  /** The list of plug-ins, as a server has it, and their scripts by name. */
  plugins(scripts: Record<string, string>, fields: Record<string, unknown> = {}, folder = '/_valor/'): void {
    const plugins = Object.keys(scripts).map((name) => ({ type: 'web', name, url: `plugins/${name}.js`, ...fields }));
    this.files[`${folder}plugins.json`] = JSON.stringify({ plugins });
    for (const [name, script] of Object.entries(scripts)) this.files[`${folder}plugins/${name}.js`] = script;
  }
}

/** What the pages of html() put on their global, as `page`. */
export interface PageGlobal {
  valor: Valor | undefined;
  failure: string | undefined;
  controlledAtFirst: boolean;
  first: Promise<[number, string]>;
  firstPost: Promise<[number, string]>;
  firstXhr: Promise<[number, string]>;
}

declare const page: PageGlobal;

/** Answers with its version, the request, and how many it has had since it was loaded. */
export const plugin = (version: string): string => `
  let count = 0;
  const instance = Math.random().toString(36).slice(2);
  onmessage = ({ data }) => postMessage({
    status: 200,
    headers: [['x-instance', instance], ['x-count', String(++count)]],
    body: '${version} ' + data.method + ' ' + data.url,
  });`;

/** A page with Valor, which asks for something at once. */
export const html = (attributes = ''): string => `<!doctype html><title>page</title>
  <script type="module" src="/_valor/valor.js" ${attributes}></script>
  <script type="module">
    window.page = { controlledAtFirst: navigator.serviceWorker?.controller != null };
    const answer = async (response) => [(await response).status, await (await response).text()];
    page.first = answer(fetch('/hello/first'));
    page.firstPost = answer(fetch(new Request('/hello/post', { method: 'POST', body: 'something' })));
    page.firstXhr = new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open('PUT', 'hello/xhr');
      request.setRequestHeader('content-type', 'text/plain');
      request.onload = () => done([request.status, request.responseText]);
      request.send('something');
    });
    import { start } from '/_valor/valor.js';
    try { page.valor = await start(); } catch (error) { page.failure = error.message; }
  </script>`;

/** For functions that run in pages. */
export const ready = (): boolean => page.valor?.state === 'ready';
