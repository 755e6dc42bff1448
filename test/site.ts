// A small web server for tests of the browser runtime, which a test changes and breaks while pages are open.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BuildOptions } from 'esbuild';
import { build } from 'esbuild';
import { root, within } from './harness.ts';

/** What a path gives: a file; a status; a connection that breaks; an answer that never comes. */
export type Answer = string | Uint8Array | number | 'reset' | 'hang' | http.RequestListener;

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json',
  wasm: 'application/wasm',
};

export class Site {
  /** By path. Every other one is 404. */
  files: Record<string, Answer> = {};
  /** "GET /path?query", as they arrive. */
  requests: string[] = [];
  /** Response headers of every answer. */
  headers: Record<string, string> = {};
  port = 0;
  #server: http.Server | null = null;

  /** On the same port as before, if it was stopped. */
  async start(): Promise<this> {
    const server = http.createServer((request, response) => this.#answer(request, response));
    this.#server = server;
    await within(
      new Promise<void>((done, fail) => server.once('error', fail).listen(this.port, '127.0.0.1', done)),
      'a web server',
    );
    server.unref();
    this.port = (server.address() as AddressInfo).port;
    return this;
  }

  /** Connections break; nobody listens any more. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await within(closed, 'the end of a web server');
  }

  /** 127.0.0.1 is a secure origin: service workers are there. */
  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    const path = new URL(request.url!, 'http://site').pathname;
    const answer = this.files[path] ?? 404;
    if (answer === 'hang') return;
    if (answer === 'reset') {
      request.socket.destroy();
      return;
    }
    for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value);
    if (typeof answer === 'function') {
      answer(request, response);
      return;
    }
    response.setHeader('cache-control', 'no-cache');
    if (typeof answer === 'number') {
      response.writeHead(answer).end(`${answer}\n`);
      return;
    }
    response.setHeader('content-type', types[path.replace(/.*\./, '')] ?? types.html!);
    response.end(answer);
  }
}

/** The text of one file of browser/ with all that it imports. */
export async function bundled(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    write: false,
    target: 'es2024',
    logLevel: 'silent',
    ...options,
  });
  return outputFiles![0]!.text;
}
