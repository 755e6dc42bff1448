// The two contracts in which a plug-in gets a Request and gives a Response: a listener of "fetch" events, and a module
// whose default export has a function `fetch(request, env, context)`. As plugins/js/fetch-style.*.
import type { Body, HeaderPairs, InstanceOptions, InstanceRequest } from '../instance.ts';
import { describe, failure } from './errors.ts';
import { answerOf, createFetchEvent, endDispatch } from './fetch-event.ts';
import type { Listeners } from './listeners.ts';
import { dropReason, type Style, type StyleHost } from './style.ts';

export interface Module {
  fetch(request: Request, env: object, context: object): unknown;
}

/** The module that answers by its default export; null: it has none. */
export function moduleOf(namespace: object): Module | null {
  const candidate = (namespace as { default?: Partial<Module> | null }).default;
  if ((typeof candidate !== 'object' && typeof candidate !== 'function') || candidate === null) return null;
  return typeof candidate.fetch === 'function' ? (candidate as Module) : null;
}

/** A request that the plug-in works on, until the last of its answer has been read. */
interface Call {
  id: number;
  method: string;
  abort: AbortController;
  /** The answer's body, while it streams. */
  body: ReadableStreamDefaultReader<Uint8Array> | null;
  answered: boolean;
}

/** No listener called respondWith(). */
const declined = Symbol('declined');

const streamsRequests = 'body' in Request.prototype;
const NativeRequest = Request;
const NativeResponse = Response;
const Channel = MessageChannel;

// How long the beginning of an answer is waited for, in turns of the event loop: Firefox needs two for a body that is
// there as a whole.
const turnsForBody = 4;
const largestWhole = 64 * 1024;

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new Channel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(null);
  });
}

/** Firefox has no Request.body: this one begins to read when it is read. */
function withBody(request: Request): Request {
  let stream: ReadableStream | null = null;
  return Object.defineProperty(request, 'body', {
    configurable: true,
    get: () => {
      stream ??= new ReadableStream(
        {
          async pull(controller) {
            controller.enqueue(new Uint8Array(await request.arrayBuffer()));
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      return stream;
    },
  });
}

/** The beginning of a body, as far as it is there without waiting for the plug-in. */
interface Beginning {
  pieces: Uint8Array<ArrayBuffer>[];
  done: boolean;
  /** A piece that has been asked for. */
  next: Promise<ReadableStreamReadResult<Uint8Array>> | null;
}

async function beginningOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Beginning> {
  const beginning: Beginning = { pieces: [], done: false, next: null };
  let late = false;
  let read = false;
  const reading = (async () => {
    let bytes = 0;
    while (!late && bytes <= largestWhole) {
      beginning.next = reader.read();
      const { done, value } = await beginning.next;
      // Whoever gave up waiting has the promise.
      if (late) return;
      beginning.next = null;
      if (done) {
        beginning.done = true;
        break;
      }
      beginning.pieces.push(value as Uint8Array<ArrayBuffer>);
      bytes += value.byteLength;
    }
    read = true;
  })().catch(() => {
    // An error is told by the promise that is left in `next`.
    read = true;
  });
  await Promise.race([reading, patience(() => read)]);
  late = true;
  return beginning;
}

async function patience(enough: () => boolean): Promise<void> {
  for (let turns = 0; turns < turnsForBody && !enough(); turns++) await turn();
}

function joined(pieces: Uint8Array<ArrayBuffer>[]): ArrayBuffer | null {
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (size === 0) return null;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes.buffer;
}

export class FetchStyle implements Style {
  readonly #options: InstanceOptions;
  readonly #listeners: Listeners;
  readonly #host: StyleHost;
  readonly #module: Module | null;
  readonly #env: object;
  readonly #calls = new Map<number, Call>();
  readonly #origin: string;

  /** `module` null: the listeners answer. */
  constructor(options: InstanceOptions, listeners: Listeners, host: StyleHost, module: Module | null) {
    this.#options = options;
    this.#listeners = listeners;
    this.#host = host;
    this.#module = module;
    const { config } = options.definition;
    this.#env = typeof config === 'object' && config !== null ? { ...config } : {};
    this.#origin = new URL(options.location).origin;
  }

  handle(request: InstanceRequest): void {
    const { id, method, body } = request;
    const call: Call = { id, method, abort: new AbortController(), body: null, answered: false };
    this.#calls.set(id, call);
    // https://fetch.spec.whatwg.org/#dom-request: such a request has no body.
    const hasBody = body !== null && method !== 'GET' && method !== 'HEAD';
    if (hasBody && body instanceof ReadableStream && !streamsRequests) {
      new NativeResponse(body).arrayBuffer().then(
        (bytes) => this.#give(call, request, bytes),
        (error) => this.#fail(call, "The request's body broke off", error),
      );
    } else {
      this.#give(call, request, hasBody ? body : null);
    }
  }

  #give(call: Call, { url, method, headers }: InstanceRequest, body: Body): void {
    if (!this.#calls.has(call.id)) return;
    let request: Request;
    try {
      const { signal } = call.abort;
      const init: RequestInit & { duplex?: 'half' } = { method, headers, signal };
      if (body !== null) Object.assign(init, { body, duplex: 'half' });
      request = new NativeRequest(`${this.#origin}/${url}`, init);
    } catch (error) {
      this.#fail(call, 'The request cannot be given to a plug-in', error);
      return;
    }
    if (body !== null && !streamsRequests) withBody(request);
    let answer: unknown;
    try {
      answer = this.#module ? this.#module.fetch(request, this.#env, this.#context()) : this.#ask(request);
    } catch (error) {
      this.#fail(call, 'The plug-in threw an error', error);
      return;
    }
    if (answer === declined) {
      this.#calls.delete(call.id);
      this.#options.host.decline(call.id);
      return;
    }
    Promise.resolve(answer).then(
      (response) => this.#send(call, response),
      (error) => this.#fail(call, 'The plug-in threw an error', error),
    );
  }

  /** The third argument of a module's fetch function. */
  #context(): object {
    return {
      waitUntil: (work: unknown) => this.#watch(work),
      passThroughOnException() {},
    };
  }

  /** A promise that is waited for: its errors are not lost. */
  #watch(work: unknown): void {
    Promise.resolve(work).catch((error) => this.#host.uncaught(error, 'rejected', 0));
  }

  /** What the listeners answer. Throws what a listener threw, unless another one answers. */
  #ask(request: Request): unknown {
    const event = createFetchEvent(request, (work) => this.#watch(work));
    const errors: unknown[] = [];
    this.#listeners.dispatch(event, { returned() {}, threw: (error) => errors.push(error) });
    endDispatch(event);
    const answered = answerOf(event);
    if (!answered) {
      if (errors.length > 0) throw errors[0];
      return declined;
    }
    for (const error of errors) this.#host.uncaught(error, 'thrown', 0);
    return answered.answer;
  }

  #fail(call: Call, why: string, error: unknown): void {
    const text = `${why}: ${describe(error)}`;
    // Nobody hears of it any more when the client has left, and often that is the cause.
    const open = this.#calls.delete(call.id);
    this.#options.host.log(open ? 'error' : 'debug', text);
    if (open && !call.answered) this.#options.host.fail(call.id, failure(`${why}.`));
  }

  async #send(call: Call, response: unknown): Promise<void> {
    let body: ReadableStream<Uint8Array> | null;
    try {
      if (!(response instanceof NativeResponse)) throw new TypeError("The plug-in's answer is not a Response");
      if (response.type === 'error') throw new TypeError("The plug-in's answer is an error response");
      if (response.status === 0)
        throw new TypeError("The plug-in's answer is an opaque response, which nobody may read");
      body = response.body;
      if (response.bodyUsed || body?.locked) throw new TypeError('The body has already been used');
    } catch (error) {
      return this.#fail(call, 'The plug-in gave no usable Response', error);
    }
    const { status } = response;
    const headers = [...response.headers].filter(([name]) => name !== 'x-correlation-id');
    const wrong = this.#options.core.checkResponse(status, headers);
    if (wrong !== null) {
      body?.cancel().catch(() => {});
      this.#calls.delete(call.id);
      this.#options.host.log('error', `gave no valid response: ${wrong}`);
      return this.#options.host.fail(call.id, failure(`The plug-in's response is not valid: ${wrong}.`));
    }
    if (body === null) return this.#respond(call, status, headers, null);
    if (!this.#calls.has(call.id)) return this.#watch(body.cancel(dropReason('gone')));
    if (call.method === 'HEAD') {
      this.#respond(call, status, headers, null);
      return this.#watch(body.cancel());
    }
    const reader = body.getReader();
    call.body = reader;
    const beginning = await beginningOf(reader);
    // drop() has cancelled the body.
    if (!this.#calls.has(call.id)) return;
    if (beginning.done) return this.#respond(call, status, headers, joined(beginning.pieces));
    call.answered = true;
    this.#options.host.respond(call.id, status, headers, this.#rest(call, reader, beginning));
  }

  #respond(call: Call, status: number, headers: HeaderPairs, body: Body): void {
    if (this.#calls.delete(call.id)) this.#options.host.respond(call.id, status, headers, body);
  }

  /** The whole body, read no faster than the client takes it. */
  #rest(
    call: Call,
    reader: ReadableStreamDefaultReader<Uint8Array>,
    { pieces, next }: Beginning,
  ): ReadableStream<Uint8Array> {
    let asked = next;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const first = pieces.shift();
          if (first) return controller.enqueue(first);
          try {
            const { done, value } = await (asked ?? reader.read());
            asked = null;
            if (!done) return controller.enqueue(value);
            this.#calls.delete(call.id);
            controller.close();
          } catch (error) {
            this.#fail(call, "The plug-in's response broke off", error);
            controller.error(new TypeError("The plug-in's response broke off"));
          }
        },
        cancel: () => this.drop(call.id, 'gone'),
      },
      { highWaterMark: 0 },
    );
  }

  drop(id: number, reason: 'gone' | 'timeout'): void {
    const call = this.#calls.get(id);
    if (!this.#calls.delete(id)) return;
    const why = dropReason(reason);
    call!.abort.abort(why);
    if (call!.body) this.#watch(call!.body.cancel(why));
  }

  suspect(): number {
    return 0;
  }

  failed(id: number): void {
    this.#calls.delete(id);
  }

  end(): void {
    for (const id of [...this.#calls.keys()]) this.drop(id, 'gone');
  }
}
