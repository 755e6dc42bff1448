// The message contract: a "message" event brings a request, postMessage() takes its response. As plugins/js/message-style.*;
// which request a response belongs to is decided by core (core/correlation.h).
import type { Correlator } from '../../core/core.ts';
import type { Body, HeaderPairs, InstanceOptions, InstanceRequest } from '../instance.ts';
import { failure } from './errors.ts';
import type { Listeners } from './listeners.ts';
import type { Style, StyleHost } from './style.ts';

const { isArray } = Array;
const { isView } = ArrayBuffer;

type ResponseBody = string | ArrayBuffer | ArrayBufferView | null | undefined;

interface Complete {
  request: InstanceRequest;
  body: ArrayBuffer | null;
}

/** An answer, or what is wrong with it. `correlationId`: as far as it was read. */
type Read =
  | { wrong: string; correlationId: string | null }
  | { status: number; headers: HeaderPairs; body: ResponseBody; correlationId: string | null };

function isBody(value: unknown): value is ResponseBody {
  switch (typeof value) {
    case 'string':
    case 'undefined':
      return true;
    case 'object':
      return value === null || value instanceof ArrayBuffer || isView(value);
    default:
      return false;
  }
}

/** MiB, for definitions of a type that has no limit. */
const defaultMemory = 128;

/** What kind of thing a value is, for a sentence. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'an array';
  const type = typeof value;
  return type === 'object' ? 'an object' : type === 'undefined' ? 'undefined' : `a ${type}`;
}

/** https://fetch.spec.whatwg.org/#concept-header-value-normalize */
const normalized = (value: string): string => value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');

function bytesOf(body: ResponseBody): Body {
  if (body === null || body === undefined || body === '') return null;
  if (typeof body === 'string') return new TextEncoder().encode(body).buffer;
  if (!isView(body)) return body;
  const { buffer, byteOffset, byteLength } = body;
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) return buffer;
  return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
}

/** A copy of what was posted. Throws a DataCloneError. */
function copyOf(
  message: unknown,
  options: Iterable<Transferable> | StructuredSerializeOptions | null | undefined,
): unknown {
  const transfer =
    options === undefined || options === null
      ? []
      : Symbol.iterator in options
        ? [...options]
        : [...(options.transfer ?? [])];
  return structuredClone(message, { transfer });
}

export class MessageStyle implements Style {
  readonly #options: InstanceOptions;
  readonly #listeners: Listeners;
  readonly #host: StyleHost;
  readonly #correlator: Correlator;
  /** Requests whose bodies are on their way: how much of them is here. */
  readonly #collecting = new Map<number, { bytes: number }>();
  /** Complete ones that have to wait for their turn. */
  #held: Complete[] = [];
  /** Bytes in the two above. */
  #buffered = 0;
  /** Given to the plug-in, and without an answer. */
  readonly #open = new Set<number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #handling = 0;
  #oneAtATime = false;
  #ended = false;

  constructor(options: InstanceOptions, listeners: Listeners, host: StyleHost) {
    this.#options = options;
    this.#listeners = listeners;
    this.#host = host;
    this.#correlator = options.core.createCorrelator();
  }

  handle(request: InstanceRequest): void {
    const { body } = request;
    const memory = this.#memory;
    const declared = Number(request.headers.find(([name]) => name === 'content-length')?.[1] ?? 0);
    if (declared > memory / 4 || (body instanceof ArrayBuffer && body.byteLength > memory / 4)) {
      if (body instanceof ReadableStream) body.cancel().catch(() => {});
      this.#tooLarge(request.id);
    } else if (body instanceof ReadableStream) {
      this.#collect(request, body);
    } else {
      this.#admit({ request, body });
    }
  }

  /** MiB. */
  get #limit(): number {
    return this.#options.definition.limits.memory_mb ?? defaultMemory;
  }

  get #memory(): number {
    return this.#limit * 2 ** 20;
  }

  #tooLarge(id: number): void {
    this.#options.host.fail(id, {
      status: 413,
      detail: "The request's body is larger than a plug-in that takes messages can hold.",
      limit: 'memory_mb',
      limit_value: this.#limit,
    });
  }

  // Bodies here lie in memory as a whole: these bounds keep one client, and all together, from filling it.
  async #collect(request: InstanceRequest, body: ReadableStream<Uint8Array>): Promise<void> {
    const { id } = request;
    const state = { bytes: 0 };
    this.#collecting.set(id, state);
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (!this.#collecting.has(id)) {
          reader.cancel().catch(() => {});
          return;
        }
        if (done) break;
        state.bytes += value.byteLength;
        this.#buffered += value.byteLength;
        pieces.push(value as Uint8Array<ArrayBuffer>);
        if (state.bytes <= this.#memory / 4 && this.#buffered <= this.#memory / 2) continue;
        this.#forget(id);
        reader.cancel().catch(() => {});
        if (state.bytes > this.#memory / 4) return this.#tooLarge(id);
        return this.#options.host.fail(id, {
          status: 503,
          detail: 'The plug-in is receiving more than it can hold at once.',
          limit: 'memory_mb',
          limit_value: this.#limit,
          retry_after_s: 1,
        });
      }
    } catch {
      // The client broke off; the host drops the request.
      return;
    }
    this.#forget(id);
    this.#admit({ request, body: await new Blob(pieces).arrayBuffer() });
  }

  #admit(complete: Complete): void {
    if (this.#replaceIfLost()) return;
    if (this.#correlator.next() === 'give' && this.#held.length === 0) {
      this.#dispatch(complete);
    } else {
      this.#buffered += complete.body?.byteLength ?? 0;
      this.#held.push(complete);
    }
  }

  /** Gives the instance up when its answers can no longer be told apart. */
  #replaceIfLost(): boolean {
    if (this.#ended) return true;
    if (this.#correlator.next() !== 'replace') return false;
    this.#ended = true;
    this.#options.host.broken({
      status: 502,
      detail: 'The plug-in has not answered an earlier request, so that its answers can no longer be told apart.',
    });
    return true;
  }

  /** After what may have changed whether the next request is given. */
  #work(): void {
    if (this.#handling !== 0 || this.#replaceIfLost()) return;
    while (this.#held.length > 0 && this.#correlator.next() === 'give') {
      const complete = this.#held.shift()!;
      this.#buffered -= complete.body?.byteLength ?? 0;
      this.#dispatch(complete);
      if (this.#replaceIfLost()) return;
    }
  }

  /** Whether the plug-in had not been given it yet. */
  #forget(id: number): boolean {
    const collecting = this.#collecting.get(id);
    if (collecting) {
      this.#buffered -= collecting.bytes;
      return this.#collecting.delete(id);
    }
    const at = this.#held.findIndex(({ request }) => request.id === id);
    if (at < 0) return false;
    this.#buffered -= this.#held[at]!.body?.byteLength ?? 0;
    this.#held.splice(at, 1);
    return true;
  }

  #dispatch({ request, body }: Complete): void {
    const { id, url, method } = request;
    const shownId = this.#correlator.begin(id, request.requestId);
    const headers = request.headers.map(([name, value]) => [name, name === 'x-request-id' ? shownId : value]);
    this.#open.add(id);
    this.#handling = id;
    this.#correlator.enterHandler(id);
    this.#listeners.dispatch(new MessageEvent('message', { data: { url, method, headers, body } }), {
      // What an async listener throws is known to be of this request.
      returned: (value) => {
        if (value instanceof Promise) value.catch((error) => this.#host.uncaught(error, 'rejected', id));
      },
      threw: (error) => this.#host.uncaught(error, 'thrown', id),
    });
    this.#correlator.leaveHandler();
    this.#handling = 0;
    if (this.#held.length > 0) queueMicrotask(() => this.#work());
  }

  drop(id: number, reason: 'gone' | 'timeout'): void {
    // What the plug-in never saw it will not answer.
    if (this.#forget(id)) return;
    this.#open.delete(id);
    this.#correlator.end(id, reason);
    if (reason === 'gone') {
      // The plug-in may still answer it, for as long as it might have before its client left.
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#correlator.expire(id);
        this.#work();
      }, this.#options.definition.limits.timeout_ms);
      this.#timers.add(timer);
    }
    this.#work();
  }

  suspect(): number {
    const [id, ...others] = this.#open;
    return this.#handling || (id !== undefined && others.length === 0 ? id : 0);
  }

  failed(id: number): void {
    if (this.#forget(id)) return;
    this.#settle(id);
  }

  end(): void {
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#correlator.free();
  }

  // ---- responses

  /** postMessage(). Throws what structured clone throws. */
  post(message: unknown, options?: Iterable<Transferable> | StructuredSerializeOptions | null): void {
    const copy = copyOf(message, options);
    if (this.#ended) return;
    const read = this.#read(copy);
    if ('wrong' in read) {
      this.#refuse(read.wrong, read.correlationId);
      return;
    }
    const { status, headers, body, correlationId } = read;
    const id = this.#match(correlationId);
    if (id === 0) return;
    this.#options.host.respond(id, status, headers, bytesOf(body));
    this.#settle(id);
  }

  #settle(id: number): void {
    this.#open.delete(id);
    this.#correlator.end(id, 'answered');
    this.#work();
  }

  #read(message: unknown): Read {
    let correlationId: string | null = null;
    const refuse = (wrong: string): Read => ({ wrong, correlationId });
    if (typeof message !== 'object' || message === null || isArray(message)) {
      return refuse(`a response is an object { status, headers, body }, not ${describe(message)}`);
    }
    const { status = 200, headers: given = [], body } = message as Record<string, unknown>;
    if (!isBody(body)) {
      return refuse(`a response's body is a string, an ArrayBuffer, a view or null, not ${describe(body)}`);
    }
    if (!isArray(given)) {
      return refuse(`a response's headers are a list of [name, value] pairs, not ${describe(given)}`);
    }
    const headers: HeaderPairs = [];
    for (const pair of given) {
      const [name, value] = isArray(pair) && pair.length === 2 ? pair : [];
      if (typeof name !== 'string' || (typeof value !== 'string' && typeof value !== 'number')) {
        return refuse("a response's headers are a list of [name, value] pairs of strings");
      }
      if (name.toLowerCase() === 'x-correlation-id') correlationId = normalized(`${value}`) || null;
      else headers.push([name.toLowerCase(), normalized(`${value}`)]);
    }
    if (typeof status !== 'number') return refuse('its status is not a number');
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      return refuse(`its status ${status} is not a whole number from 200 to 599`);
    }
    const wrong = this.#options.core.checkResponse(status, headers);
    return wrong === null ? { status, headers, body, correlationId } : refuse(wrong);
  }

  /** The request that a response belongs to; 0 when it belongs to none, which is logged. */
  #match(correlationId: string | null): number {
    const answer = this.#correlator.match(correlationId);
    if (this.#correlator.oneAtATime && !this.#oneAtATime) {
      this.#oneAtATime = true;
      this.#options.host.oneAtATime(true);
    }
    if (!('why' in answer)) return answer.token;
    this.#options.host.log('warn', `posted a response that belongs to no request: ${answer.why}`);
    if (this.#held.length > 0) queueMicrotask(() => this.#work());
    return 0;
  }

  #refuse(why: string, correlationId: string | null): void {
    const id = this.#match(correlationId);
    this.#options.host.log('error', `posted no valid response: ${why}`);
    if (id === 0) return;
    this.#options.host.fail(id, failure(`The plug-in's response is not valid: ${why}.`));
    this.#settle(id);
  }
}
