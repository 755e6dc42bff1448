// An instance of a plug-in that speaks the plug-in ABI: the host's side of abi/valor.h in the browser, as
// plugins/abi/abi-guest.cpp is the server's. docs/abi.md says what the functions do.
import type { Definition } from '../../core/core.ts';
import type { CreateInstance, HeaderPairs, Instance, InstanceOptions, InstanceRequest, Problem } from '../instance.ts';
import { declaredLength, fromBytes, packRequest, unpackHeaders } from './blocks.ts';
import { ABSENT, FINE, GONE, INVALID, WAIT } from './codes.ts';
import { Fetches, isFetch, mostFetches } from './fetches.ts';
import { Guest } from './guest.ts';
import { Incoming } from './incoming.ts';
import { type LoadedModule, loadModule } from './module.ts';
import { type Exchange, Operations, type WaitsFor } from './operations.ts';
import { Outgoing } from './outgoing.ts';
import type { HostCalls } from './signatures.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
const mostLogText = 65_536;
/** What one call of the guest may log: whoever takes the lines gets them only when it has returned. */
const mostLogged = 2 ** 20;
const longestKey = 256;
const mostState = 2 ** 24;
const mostKeys = 65_536;
/** Of a fetch: method, URL and headers. */
const mostOfHead = 2 ** 17;
/** What may be sent of answers while the guest is told to wait: it can cancel the operation and go on. */
const mostAhead = 2 ** 28;
const unknownLength = 2n ** 64n - 1n;
/** https://fetch.spec.whatwg.org/#null-body-status */
const nullBody = [204, 205, 304];
const began = 'the answer to this request has begun already';

interface OpenRequest extends Exchange {
  number: bigint;
  request: InstanceRequest;
  incoming: Incoming;
  /** Once it has begun; null: nobody wants its body. */
  answer?: Outgoing | null;
}

type Bytes = Uint8Array<ArrayBuffer>;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** What the guest has to say, as far as it is kept. */
function words(message: Uint8Array): string {
  return decoder.decode(message.subarray(0, mostLogText));
}

function copyOut(data: Uint8Array, place: Bytes): number {
  place.set(data.subarray(0, place.length));
  return data.length;
}

/** Native plug-ins have no limit of their own, so their builds for browsers have that of WebAssembly. */
function memoryLimit({ limits }: Definition): number {
  return limits.memory_mb ?? 4096;
}

class AbiInstance implements Instance {
  #options: InstanceOptions;
  #guest: Guest;
  #requests = new Map<bigint, OpenRequest>();
  #operations: Operations;
  #fetches: Fetches;
  #state = new Map<string, Bytes>();
  #stateSize = 0;
  #logged = 0;
  #dropped = 0;
  #creation: 'running' | 'done' | 'failed' | 'told' = 'running';
  #creationError = '';
  #created = Promise.withResolvers<Instance>();

  constructor(options: InstanceOptions, loaded: LoadedModule, file: string) {
    this.#options = options;
    this.#guest = new Guest({
      loaded,
      file,
      memoryMb: memoryLimit(options.definition),
      calls: this.#calls(),
      mistake: (text) => this.#log(3, text),
      broken: (problem) => this.#broken(problem),
      idle: () => this.#idle(),
    });
    this.#operations = new Operations(
      (work) => this.#guest.run(work),
      (operation, status, data) => this.#guest.complete(operation, status, data),
    );
    this.#fetches = new Fetches(
      this.#operations,
      (message, request) => options.host.fetch(message, Number(request)),
      (text) => this.#log(2, text),
    );
  }

  create(): Promise<Instance> {
    this.#guest.run(() => this.#guest.create());
    return this.#created.promise;
  }

  // ---- Instance

  handle(request: InstanceRequest): void {
    const number = BigInt(request.id);
    const { body, headers } = request;
    const open: OpenRequest = {
      number,
      request,
      incoming: new Incoming(body, () => this.#operations.complete(open, 'body', FINE)),
      waiting: {},
    };
    this.#requests.set(number, open);
    const length =
      body instanceof ArrayBuffer
        ? body.byteLength
        : declaredLength(headers.find(([name]) => name === 'content-length')?.[1]);
    const head = packRequest(request, body !== null, length);
    this.#guest.run(() => {
      if (this.#requests.has(number)) this.#guest.start(number, head);
    });
  }

  drop(id: number, reason: 'gone' | 'timeout'): void {
    const open = this.#requests.get(BigInt(id));
    if (!open) return;
    open.answer?.break();
    this.#end(open);
    this.#guest.run(() => this.#guest.drop(open.number, reason === 'timeout' ? 1 : 0));
  }

  destroy(): void {
    this.#guest.run(() => {
      try {
        this.#guest.destroy();
      } finally {
        this.#guest.silence();
        this.#release();
      }
    });
  }

  // ---- what becomes of the guest

  #idle(): void {
    this.#logged = 0;
    if (this.#dropped > 0) {
      const text = `${this.#dropped} lines of the log were dropped, because they came too fast`;
      this.#dropped = 0;
      this.#log(2, text);
    }
    if (this.#guest.over || this.#creation === 'running' || this.#creation === 'told') return;
    const failed = this.#creation === 'failed';
    this.#creation = 'told';
    if (failed) {
      this.destroy();
      this.#created.reject(new Error(this.#creationError));
    } else {
      this.#created.resolve(this);
    }
  }

  #broken(problem: Problem): void {
    if (this.#creation === 'told') this.#options.host.broken({ ...problem, plugin: this.#options.definition.name });
    else this.#created.reject(new Error(problem.detail));
    for (const { answer } of this.#requests.values()) answer?.break();
    this.#release();
  }

  #release(): void {
    this.#operations.clear();
    this.#fetches.clear();
    for (const { incoming } of this.#requests.values()) incoming.cancel();
    this.#requests.clear();
  }

  /** The answer to the request has ended or cannot go on: so has what the guest waits for there. */
  #end(open: OpenRequest): void {
    this.#requests.delete(open.number);
    open.incoming.cancel();
    this.#operations.end(open);
    this.#fetches.endRequest(open.number);
  }

  #log(level: number, text: string): void {
    if (this.#logged > mostLogged) {
      this.#dropped++;
      return;
    }
    this.#logged += text.length + 100;
    this.#options.host.log(levels[level]!, text);
  }

  #invalid(name: string, what: string): number {
    this.#log(3, `${name}(): ${what}`);
    return INVALID;
  }

  /** Checks the head of an answer. A string: the host has been told that the request failed. */
  #head(open: OpenRequest, status: number, block: Bytes): HeaderPairs | undefined {
    const unpacked = unpackHeaders(block);
    const why = typeof unpacked === 'string' ? unpacked : this.#options.core.checkResponse(status, unpacked);
    if (why === null) return unpacked as HeaderPairs;
    const detail = `the plug-in's answer cannot be sent: ${why}`;
    this.#log(3, detail);
    this.#fail(open, detail);
    return undefined;
  }

  #fail(open: OpenRequest, detail: string): void {
    if (open.answer === undefined) {
      const plugin = this.#options.definition.name;
      this.#options.host.fail(open.request.id, { status: 500, detail, plugin });
    }
    open.answer?.break();
    this.#end(open);
  }

  /** Why the guest cannot wait for this; '': it can. */
  #refusal(name: string, exchange: Exchange, waitsFor: WaitsFor, operation: bigint): string {
    return exchange.waiting[waitsFor]
      ? `an earlier ${name}() of this exchange is not complete`
      : this.#operations.refusal(operation);
  }

  #ahead(): number {
    let sum = 0;
    for (const { answer } of this.#requests.values()) sum += answer?.queued ?? 0;
    return sum;
  }

  // ---- what the guest calls

  #calls(): HostCalls {
    const { definition, location, host } = this.#options;
    const find = (number: bigint): OpenRequest | undefined => this.#requests.get(number);
    const invalid = this.#invalid.bind(this);
    return {
      create_done: () => {
        if (this.#creation !== 'running') return invalid('create_done', 'creation has ended already');
        this.#creation = 'done';
        return FINE;
      },
      create_fail: (message) => {
        if (this.#creation !== 'running') return invalid('create_fail', 'creation has ended already');
        this.#creation = 'failed';
        this.#creationError = words(message) || 'the plug-in could not be created and did not say why';
        return FINE;
      },
      abort: (message) => this.#guest.abort(`The plug-in gave up: ${words(message) || 'it did not say why'}`),
      config: (place) => copyOut(encoder.encode(JSON.stringify(definition.config ?? null)), place),
      name: (place) => copyOut(encoder.encode(definition.name), place),
      location: (place) => copyOut(encoder.encode(location), place),
      log: (level, message) => {
        if (level > 3) return invalid('log', `there is no level ${level}`);
        this.#log(level, words(message));
        return FINE;
      },
      state_get: (key, place) => {
        const value = this.#state.get(fromBytes(key));
        return value ? copyOut(value, place) : ABSENT;
      },
      state_set: (key, value) => {
        if (key.length < 1 || key.length > longestKey) {
          return invalid('state_set', `a key has 1 to ${longestKey} bytes, not ${key.length}`);
        }
        const name = fromBytes(key);
        const old = this.#state.get(name);
        const size = this.#stateSize + value.length + (old ? -old.length : key.length);
        if (size > mostState) {
          return invalid('state_set', `all keys and values together may have ${mostState} bytes`);
        }
        if (!old && this.#state.size === mostKeys) {
          return invalid('state_set', `there are ${mostKeys} keys, and there may be no more`);
        }
        this.#stateSize = size;
        this.#state.set(name, value.slice());
        return FINE;
      },
      state_delete: (key) => {
        const name = fromBytes(key);
        const value = this.#state.get(name);
        if (!value) return ABSENT;
        this.#stateSize -= key.length + value.length;
        this.#state.delete(name);
        return FINE;
      },
      respond: (request, status, block, body) => {
        const open = find(request);
        if (!open) return GONE;
        if (open.answer !== undefined) return invalid('respond', began);
        const headers = this.#head(open, status, block);
        if (!headers) return INVALID;
        host.respond(open.request.id, status, headers, body.length > 0 ? body.slice().buffer : null);
        this.#end(open);
        return FINE;
      },
      send_head: (request, status, block, length) => {
        const open = find(request);
        if (!open) return GONE;
        if (open.answer !== undefined) return invalid('send_head', began);
        const headers = this.#head(open, status, block);
        if (!headers) return INVALID;
        const { id, method } = open.request;
        if (method === 'HEAD' || nullBody.includes(status)) {
          open.answer = null;
        } else {
          open.answer = new Outgoing(
            length === unknownLength ? undefined : length,
            () => this.#operations.complete(open, 'room', FINE),
            () => this.drop(id, 'gone'),
          );
        }
        host.respond(id, status, headers, open.answer?.stream ?? null);
        return FINE;
      },
      send_body: (exchange, data, operation) => {
        if (isFetch(exchange)) {
          const fetch = this.#fetches.find(exchange);
          if (!fetch) return GONE;
          const why = fetch.upload
            ? fetch.upload.ended
              ? 'send_end() was called'
              : this.#operations.refusal(operation)
            : 'the fetch was begun without VALOR_FETCH_BODY';
          return why ? invalid('send_body', why) : this.#fetches.upload(fetch, data);
        }
        const open = find(exchange);
        if (!open) return GONE;
        if (open.answer === undefined) return invalid('send_body', 'send_head() comes first');
        const why = this.#refusal('send_body', open, 'room', operation);
        if (why) return invalid('send_body', why);
        // Whoever sends without end would never hear that nobody listens.
        if (!open.answer) return GONE;
        const tooFast = open.answer.full && this.#ahead() > mostAhead;
        if (tooFast) {
          this.#log(3, 'send_body(): the plug-in sends faster than its clients take it, and did not wait');
          open.answer.break();
        }
        if (tooFast || !open.answer.write(data)) {
          this.#end(open);
          return GONE;
        }
        if (!open.answer.full) return FINE;
        this.#operations.wait(open, 'room', operation);
        return WAIT;
      },
      send_end: (exchange) => {
        if (isFetch(exchange)) {
          const fetch = this.#fetches.find(exchange);
          if (!fetch) return GONE;
          if (!fetch.upload) return invalid('send_end', 'the fetch was begun without VALOR_FETCH_BODY');
          if (fetch.upload.ended) return invalid('send_end', 'send_end() was called before');
          return this.#fetches.upload(fetch);
        }
        const open = find(exchange);
        if (!open) return GONE;
        if (open.answer === undefined) return invalid('send_end', 'send_head() comes first');
        open.answer?.end();
        this.#end(open);
        return FINE;
      },
      fail: (request, message) => {
        const open = find(request);
        if (!open) return GONE;
        this.#log(3, `request ${open.request.requestId} failed: ${words(message)}`);
        this.#fail(open, 'the plug-in failed while it handled the request');
        return FINE;
      },
      body_read: (exchange, place, operation) => {
        if (place.length === 0) return invalid('body_read', 'capacity is 0');
        const fetch = isFetch(exchange) ? this.#fetches.find(exchange) : undefined;
        const open = fetch ?? find(exchange);
        if (!open) return GONE;
        const { incoming } = open;
        if (!incoming) return invalid('body_read', 'the fetch has no response yet');
        const why = this.#refusal('body_read', open, 'body', operation);
        if (why) return invalid('body_read', why);
        const result = fetch ? this.#fetches.read(fetch, incoming, place) : incoming.read(place);
        if (result === WAIT) this.#operations.wait(open, 'body', operation);
        return result;
      },
      fetch: (request, method, url, block, length, flags, operation) => {
        if (request && !find(request)) return GONE;
        if (flags > 3) return invalid('fetch', 'there is a flag of no meaning');
        const size = method.length + url.length + block.length;
        if (size > mostOfHead) {
          return invalid('fetch', `method, URL and headers together may have ${mostOfHead} bytes, not ${size}`);
        }
        const why =
          this.#operations.refusal(operation) ||
          (this.#fetches.size >= mostFetches &&
            `${mostFetches} fetches are open: read their bodies to the end, or call fetch_cancel()`);
        if (why) return invalid('fetch', why);
        const headers = unpackHeaders(block);
        if (typeof headers === 'string') return invalid('fetch', headers);
        try {
          return this.#fetches.start({
            request,
            method: fromBytes(method),
            url: new URL(decoder.decode(url), location).href,
            headers,
            manual: (flags & 2) > 0,
            body: flags & 1 ? { length: length === unknownLength ? undefined : length } : undefined,
            operation,
          });
        } catch (error) {
          return invalid('fetch', (error as Error).message);
        }
      },
      fetch_cancel: (number) => {
        const fetch = this.#fetches.find(number);
        if (!fetch) return GONE;
        this.#fetches.cancel(fetch);
        return FINE;
      },
      sleep: (milliseconds, operation) => {
        const why = this.#operations.refusal(operation);
        if (why) return invalid('sleep', why);
        this.#operations.sleep(milliseconds, operation);
        return FINE;
      },
      cancel: (number) => {
        const operation = this.#operations.cancel(number);
        if (!operation) return INVALID;
        // Without its head nobody can use the response.
        const fetch = this.#fetches.of(operation);
        if (fetch) this.#fetches.cancel(fetch);
        return FINE;
      },
      now: (clock) => {
        if (clock > 1) return 0;
        return Math.floor((performance.now() + (clock ? 0 : performance.timeOrigin)) * 1000);
      },
      random: (place) => {
        // As much as browsers give at once.
        for (let at = 0; at < place.length; at += 65_536) crypto.getRandomValues(place.subarray(at, at + 65_536));
        return FINE;
      },
    };
  }
}

/** Runs WebAssembly modules that speak the plug-in ABI. */
export const createAbiInstance: CreateInstance = async (options) => {
  const { definition, location } = options;
  const url = new URL(definition.web ?? definition.url ?? '', location).href;
  const file = await options.read(url);
  const loaded = await loadModule(file.bytes, memoryLimit(definition)).catch((error) => {
    throw new Error(`${url}: ${(error as Error).message}`);
  });
  const name = decodeURIComponent(new URL(url).pathname.replace(/.*\//, ''));
  return new AbiInstance(options, loaded, name).create();
};
