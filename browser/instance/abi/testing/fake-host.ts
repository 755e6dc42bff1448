// A host for instances in Node: hands out requests and keeps what comes back.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Definition, loadCore } from '../../../core/core.ts';
import type { Body, HeaderPairs, Instance, InstanceRequest, Problem } from '../../instance.ts';
import { createAbiInstance } from '../abi.ts';

const root = resolve(import.meta.dirname, '../../../..');
const build = process.env.VALOR_BUILD ?? resolve(root, 'build/release');

const core = loadCore(new WebAssembly.Module(readFileSync(resolve(root, 'build/web/valor-core.wasm'))));

/** A module that the build has made: 'plugins/wasm/test-plugins/behaviours.wasm'. */
export function built(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(resolve(build, path)));
}

export interface Answer {
  status: number;
  headers: HeaderPairs;
  text: string;
  problem?: Problem;
}

export interface Sent {
  method?: string;
  headers?: HeaderPairs;
  body?: Body;
}

async function textOf(body: Body): Promise<string> {
  return body === null ? '' : new Response(body).text();
}

/** Deadline for everything that is waited for. */
export async function within<T>(promise: Promise<T>, what: string, milliseconds = 10_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited too long for ${what}`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class FakeHost {
  readonly logged: string[] = [];
  readonly broken = Promise.withResolvers<Problem>();
  instance!: Instance;
  fetch: (request: Request) => Promise<Response> = (request) => fetch(request);
  /** Called inside of respond(), with the request's id. */
  onrespond: ((id: number) => void) | undefined;
  #open = new Map<number, (answer: Omit<Answer, 'text'> & { body: Body }) => void>();
  #last = 0;

  /** Rejects as createAbiInstance() does. */
  static async start(
    bytes: Uint8Array<ArrayBuffer>,
    { config = null as unknown, memoryMb = 128, name = 'plugin.wasm' } = {},
  ): Promise<FakeHost> {
    const host = new FakeHost();
    const limits = { timeout_ms: 30_000, memory_mb: memoryMb, queue: 100 };
    const definition = { type: 'web', name: 'test', prefix: 'test', url: `http://files/${name}`, config, limits };
    const created = createAbiInstance({
      definition: definition as unknown as Definition,
      location: 'http://127.0.0.1:8080/test/',
      read: async (url) => ({ url, type: 'application/wasm', bytes: bytes.slice().buffer }),
      core,
      place: 'worker',
      host: {
        respond: (id, status, headers, body) => {
          FakeHost.#answered(host, id, { status, headers, body });
          host.onrespond?.(id);
        },
        fail: (id, problem) =>
          FakeHost.#answered(host, id, { status: problem.status, headers: [], body: null, problem }),
        decline: () => {},
        oneAtATime: () => {},
        broken: (problem) => host.broken.resolve(problem),
        log: (level, text) => host.logged.push(`${level}: ${text}`),
        fetch: (request) => host.fetch(request),
      },
    });
    host.instance = await within(created, 'the instance');
    return host;
  }

  static #answered(host: FakeHost, id: number, answer: Omit<Answer, 'text'> & { body: Body }): void {
    host.#open.get(id)?.(answer);
    host.#open.delete(id);
  }

  get log(): string {
    return this.logged.join('\n');
  }

  /** Hands out a request; the promise is for its answer's head. */
  begin(url: string, { method = 'GET', headers = [], body = null }: Sent = {}) {
    const request: InstanceRequest = { id: ++this.#last, requestId: `r${this.#last}`, method, url, headers, body };
    const { promise, resolve } = Promise.withResolvers<Omit<Answer, 'text'> & { body: Body }>();
    this.#open.set(request.id, resolve);
    this.instance.handle(request);
    return { id: request.id, head: within(promise, `the answer to ${url.slice(0, 100)}`) };
  }

  async send(url: string, sent?: Sent): Promise<Answer> {
    const { body, ...head } = await this.begin(url, sent).head;
    return { ...head, text: await within(textOf(body), `the body of ${url.slice(0, 100)}`) };
  }

  async text(url: string, sent?: Sent): Promise<string> {
    return (await this.send(url, sent)).text;
  }

  /** Sends a request that the instance does not survive. */
  breaks(url: string): Promise<Problem> {
    this.begin(url).head.catch(() => {});
    return within(this.broken.promise, 'the end of the instance');
  }
}

/** Why an instance of the module cannot be made. */
export async function refusal(bytes: Uint8Array<ArrayBuffer>, options?: Parameters<typeof FakeHost.start>[1]) {
  return FakeHost.start(bytes, options).then(
    () => 'nothing: it was created',
    (error: Error) => error.message,
  );
}
