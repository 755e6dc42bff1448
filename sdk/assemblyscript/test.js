// Runs a plug-in's .wasm in Node, for its tests: a small host of the ABI (abi/valor.h) without a server. Limits, permissions
// and rules about headers are Valor's and not looked at here.
//
//   const plugin = await load('build/hello.wasm', { config: 'Alice' });
//   const response = await plugin.fetch('?who=Bob', { method: 'GET', headers: {}, body: ... });
import { readFile } from 'node:fs/promises';

const OK = 0;
const GONE = -2;
const INVALID = -3;
const FAILED = -5;
const ABSENT = -6;
/** After something was done that cannot fail. */
const ok = (_done) => OK;
const levels = ['debug', 'info', 'warn', 'error'];
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytesOf = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/**
 * An instance of the plug-in in `file`. Rejects when the plug-in refuses to be created. `options`: `config` (any JSON value),
 * `name`, `location`, and `fetch` (a function like the global one) for what the plug-in fetches.
 */
export async function load(file, options = {}) {
  const bytes = await readFile(file).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`${error.path} is not there; build it: valor build`);
  });
  const module = await WebAssembly.compile(bytes);
  const instance = new TestInstance(options);
  await instance.start(module);
  return instance;
}

class TestInstance {
  /** What the plug-in logged: { level, message }. */
  log = [];
  #options;
  #exports;
  #self = 0;
  #state = new Map();
  #exchanges = new Map();
  #sleeping = new Map();
  #last = 0n;
  #created;

  constructor(options) {
    this.#options = { config: null, name: 'test', location: 'http://127.0.0.1:8080/test/', fetch, ...options };
  }

  async start(module) {
    const { exports } = await WebAssembly.instantiate(module, { valor: this.#host() });
    this.#exports = exports;
    exports._initialize?.();
    if (exports.valor_abi() !== 1) throw new Error(`the plug-in needs ABI ${exports.valor_abi()}`);
    const created = new Promise((done, failed) => {
      this.#created = { done, failed };
    });
    this.#self = exports.valor_create(1n);
    await created;
  }

  /** Asks the plug-in; rejects when it fails. `path` is relative to its mount, `init` as of the global fetch(). */
  async fetch(path = '', init = {}) {
    const request = new Request(new URL(path, this.#options.location), { ...init, redirect: 'manual' });
    const body = new Uint8Array(await request.arrayBuffer());
    const number = ++this.#last;
    const answered = new Promise((done, failed) => {
      this.#exchanges.set(number, { rest: body, chunks: [], done, failed });
    });
    const id = request.headers.get('x-request-id') ?? `test-${number}`;
    const headers = [...request.headers].filter(([name]) => name !== 'x-request-id');
    const head = packedHead(48, [request.method, path, id], [...headers, ['x-request-id', id]], (view, spans) => {
      view.setUint32(4, init.body === undefined ? 0 : 3, true);
      view.setBigUint64(8, BigInt(body.length), true);
      spans.forEach(([offset, size], i) => {
        view.setUint32(16 + 8 * i, offset, true);
        view.setUint32(20 + 8 * i, size, true);
      });
    });
    this.#pass(head, (at) => this.#exports.valor_start(this.#self, number, at, head.length));
    return answered;
  }

  /** The size of the plug-in's memory. */
  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** The client of every open request leaves; the instance ends. */
  destroy() {
    for (const timer of this.#sleeping.values()) clearTimeout(timer);
    for (const [number, { failed }] of this.#exchanges) {
      this.#exchanges.delete(number);
      failed?.(new Error('the client left'));
      this.#exports.valor_drop(this.#self, number, 0);
    }
    this.#exports.valor_destroy(this.#self);
  }

  #bytes(at, size) {
    return new Uint8Array(this.#exports.memory.buffer, at, size);
  }

  #text(at, size) {
    return decoder.decode(this.#bytes(at, size));
  }

  /** Copies what fits, returns the whole size. */
  #give(bytes, at, capacity) {
    this.#bytes(at, capacity).set(bytes.subarray(0, capacity));
    return bytes.length;
  }

  #pass(bytes, call) {
    const at = this.#exports.valor_alloc(bytes.length);
    this.#bytes(at, bytes.length).set(bytes);
    call(at);
    this.#exports.valor_free(at, bytes.length);
  }

  #complete(operation, status, data = new Uint8Array()) {
    this.#pass(data, (at) => this.#exports.valor_complete(this.#self, operation, status, at, data.length));
  }

  #headers(at, size) {
    const view = new DataView(this.#exports.memory.buffer, at, size);
    const headers = new Headers();
    const latin1 = (from, length) => String.fromCharCode(...this.#bytes(at + from, length));
    for (let i = 0; i < size; ) {
      const [name, value] = [view.getUint32(i, true), view.getUint32(i + 4, true)];
      headers.append(latin1(i + 8, name), latin1(i + 8 + name, value));
      i += 8 + name + value;
    }
    return headers;
  }

  /** Ends a request with an answer, or with an error. */
  #end(number, settle) {
    const exchange = this.#exchanges.get(number);
    if (!exchange?.done) return GONE;
    this.#exchanges.delete(number);
    try {
      settle(exchange);
    } catch (error) {
      exchange.failed(error);
      return INVALID;
    }
    return OK;
  }

  #answer({ done }, status, headers, body) {
    const empty = [204, 205, 304].includes(status);
    done(new Response(empty ? null : body, { status, headers }));
  }

  async #fetch(number, operation, url, init) {
    const exchange = this.#exchanges.get(number);
    try {
      const response = await this.#options.fetch(new URL(url, this.#options.location).href, init);
      exchange.rest = new Uint8Array(await response.arrayBuffer());
      const head = packedHead(
        40,
        [response.url || url],
        [...response.headers],
        (view, [[offset, size]]) => {
          view.setUint32(16, response.status, true);
          view.setUint32(20, offset, true);
          view.setUint32(24, size, true);
        },
        28,
      );
      if (this.#exchanges.has(number)) this.#complete(operation, OK, head);
    } catch (error) {
      if (this.#exchanges.delete(number)) this.#complete(operation, FAILED, encoder.encode(`${error}`));
    }
  }

  #host() {
    const json = () => encoder.encode(JSON.stringify(this.#options.config));
    return {
      create_done: () => ok(this.#created.done()),
      create_fail: (_, at, size) => ok(this.#created.failed(new Error(this.#text(at, size)))),
      abort: (_, at, size) => {
        throw new Error(this.#text(at, size));
      },
      config: (_, at, capacity) => this.#give(json(), at, capacity),
      name: (_, at, capacity) => this.#give(encoder.encode(this.#options.name), at, capacity),
      location: (_, at, capacity) => this.#give(encoder.encode(this.#options.location), at, capacity),
      log: (_, level, at, size) => ok(this.log.push({ level: levels[level], message: this.#text(at, size) })),
      state_get: (_, key, keySize, at, capacity) => {
        const value = this.#state.get(this.#text(key, keySize));
        return value ? this.#give(value, at, capacity) : ABSENT;
      },
      state_set: (_, key, keySize, at, size) =>
        ok(this.#state.set(this.#text(key, keySize), this.#bytes(at, size).slice())),
      state_delete: (_, key, keySize) => (this.#state.delete(this.#text(key, keySize)) ? OK : ABSENT),
      respond: (_, number, status, headers, headersSize, at, size) =>
        this.#end(number, (exchange) =>
          this.#answer(exchange, status, this.#headers(headers, headersSize), this.#bytes(at, size).slice()),
        ),
      send_head: (_, number, status, headers, headersSize) => {
        const exchange = this.#exchanges.get(number);
        if (!exchange) return GONE;
        exchange.head = { status, headers: this.#headers(headers, headersSize) };
        return OK;
      },
      send_body: (_, number, at, size) => {
        const exchange = this.#exchanges.get(number);
        if (!exchange) return GONE;
        exchange.chunks.push(this.#bytes(at, size).slice());
        return OK;
      },
      send_end: (_, number) => {
        const exchange = this.#exchanges.get(number);
        if (!exchange) return GONE;
        if (exchange.sent) return ok(exchange.sent(new Blob(exchange.chunks)));
        const { status, headers } = exchange.head;
        return this.#end(number, (one) => this.#answer(one, status, headers, new Blob(one.chunks)));
      },
      fail: (_, number, at, size) => {
        const message = this.#text(at, size);
        return this.#end(number, ({ failed }) => failed(new Error(message)));
      },
      body_read: (_, number, at, capacity) => {
        const exchange = this.#exchanges.get(number);
        if (!exchange) return GONE;
        const piece = exchange.rest.subarray(0, capacity);
        exchange.rest = exchange.rest.subarray(piece.length);
        return this.#give(piece, at, capacity);
      },
      fetch: (_, _request, method, methodSize, url, urlSize, headers, headersSize, _length, flags, operation) => {
        const number = ++this.#last;
        const exchange = { rest: new Uint8Array(), chunks: [] };
        this.#exchanges.set(number, exchange);
        const init = {
          method: this.#text(method, methodSize),
          headers: this.#headers(headers, headersSize),
          redirect: flags & 2 ? 'manual' : 'follow',
        };
        const target = this.#text(url, urlSize);
        const go = (body) => void this.#fetch(number, operation, target, body ? { ...init, body } : init);
        if (flags & 1) exchange.sent = go;
        else queueMicrotask(go);
        return number;
      },
      fetch_cancel: (_, number) => (this.#exchanges.delete(number) ? OK : GONE),
      sleep: (_, milliseconds, operation) => {
        const wake = () => {
          this.#sleeping.delete(operation);
          this.#complete(operation, OK);
        };
        this.#sleeping.set(operation, setTimeout(wake, Number(milliseconds)));
        return OK;
      },
      cancel: (_, operation) => {
        clearTimeout(this.#sleeping.get(operation));
        return this.#sleeping.delete(operation) ? OK : INVALID;
      },
      now: (clock) => BigInt(Math.round((clock === 0 ? Date.now() : performance.now()) * 1000)),
      random: (at, size) => ok(crypto.getRandomValues(this.#bytes(at, size))),
    };
  }
}

/** A head as the ABI has it: a struct of `size` bytes, the list of headers (named in the struct at `listAt`), texts. */
function packedHead(size, texts, headers, fill, listAt = 40) {
  const parts = [...texts.map((text) => encoder.encode(text)), ...headers.flat().map(bytesOf)];
  const listSize = headers.length * 16;
  const head = new Uint8Array(size + listSize + parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(head.buffer);
  let at = size + listSize;
  const spans = parts.map((part) => {
    head.set(part, at);
    at += part.length;
    return [at - part.length, part.length];
  });
  view.setUint32(0, size, true);
  view.setUint32(listAt, size, true);
  view.setUint32(listAt + 4, headers.length, true);
  spans.slice(texts.length).forEach(([offset, length], i) => {
    view.setUint32(size + 8 * i, offset, true);
    view.setUint32(size + 8 * i + 4, length, true);
  });
  fill(view, spans.slice(0, texts.length));
  return head;
}
