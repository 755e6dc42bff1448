// The fetches of a guest. They are the browser's: it follows redirects, and a body is sent in one piece, when the guest
// has ended it, because browsers stream none over HTTP/1.1 and Firefox none at all.
import type { HeaderPairs } from '../instance.ts';
import { packResponse } from './blocks.ts';
import { FAILED, FINE, GONE } from './codes.ts';
import { Incoming } from './incoming.ts';
import type { Exchange, Operation, Operations } from './operations.ts';

/** As many at a time: what is unread of their responses takes memory that no limit of the instance counts. */
export const mostFetches = 1024;
/** Bytes of bodies that are not sent yet, of all fetches: the guest's memory does not count them. */
const mostUnsent = 2 ** 28;
/** Set in the number of every fetch, and of no request. */
const mark = 1n << 62n;

interface Fetch extends Exchange {
  number: bigint;
  /** On whose behalf; 0: of none. */
  request: bigint;
  message: Request;
  abort: AbortController;
  /** The body that the guest sends. */
  upload?: { pieces: Uint8Array<ArrayBuffer>[]; size: bigint; length: bigint | undefined; ended: boolean };
  /** The response's body, once there is a head. */
  incoming?: Incoming;
}

export interface FetchOptions {
  request: bigint;
  method: string;
  url: string;
  headers: HeaderPairs;
  manual: boolean;
  /** `length` where the guest announced one. */
  body: { length: bigint | undefined } | undefined;
  operation: bigint;
}

export class Fetches {
  #all = new Map<bigint, Fetch>();
  #last = 0n;
  #unsent = 0n;
  #operations: Operations;
  #send: (message: Request, request: bigint) => Promise<Response>;
  #warn: (text: string) => void;

  constructor(
    operations: Operations,
    send: (message: Request, request: bigint) => Promise<Response>,
    warn: (text: string) => void,
  ) {
    this.#operations = operations;
    this.#send = send;
    this.#warn = warn;
  }

  get size(): number {
    return this.#all.size;
  }

  /** The fetch that waited with this operation for its head. */
  of({ exchange, waitsFor }: Operation): Fetch | undefined {
    return waitsFor === 'head' ? this.find((exchange as Fetch).number) : undefined;
  }

  /** Undefined when it is over. */
  find(number: bigint): Fetch | undefined {
    return this.#all.get(number);
  }

  /** Returns its number. Throws where an argument breaks a rule. */
  start({ request, method, url, headers, manual, body, operation }: FetchOptions): bigint {
    const target = new URL(url);
    if (!/^https?:$/.test(target.protocol)) throw new Error(`'${url}' is neither http: nor https:`);
    if (body && /^(GET|HEAD)$/i.test(method)) throw new Error(`${method} has no body: leave VALOR_FETCH_BODY out`);
    const abort = new AbortController();
    const redirect = manual ? 'manual' : 'follow';
    // Refuses methods and headers that no fetch may have, and credentials in the URL.
    const message = new Request(target, { method, headers, redirect, signal: abort.signal });
    const number = mark + ++this.#last;
    const fetch: Fetch = { number, request, message, abort, waiting: {} };
    if (body) fetch.upload = { pieces: [], size: 0n, length: body.length, ended: false };
    this.#all.set(number, fetch);
    this.#operations.wait(fetch, 'head', operation);
    if (!body) this.#begin(fetch, message);
    return number;
  }

  #begin(fetch: Fetch, message: Request): void {
    this.#send(message, fetch.request).then(
      (response) => this.#arrived(fetch, response),
      (error) => this.#failed(fetch, (error as Error).message),
    );
  }

  #arrived(fetch: Fetch, response: Response): void {
    if (!this.#all.has(fetch.number)) {
      response.body?.cancel().catch(() => {});
    } else if (response.status === 0) {
      this.#failed(fetch, 'it redirects, and browsers do not show where to');
    } else {
      fetch.incoming = new Incoming(response.body, () => this.#operations.complete(fetch, 'body', FINE));
      this.#operations.complete(fetch, 'head', FINE, packResponse(response, response.url || fetch.message.url));
    }
  }

  #failed(fetch: Fetch, why: string): void {
    if (!this.#all.has(fetch.number)) return;
    this.#end(fetch);
    const text = new TextEncoder().encode(`cannot fetch ${fetch.message.url}: ${why}`);
    this.#operations.complete(fetch, 'head', FAILED, text);
  }

  /** More of the body, or without `data` its end. A body of another size than announced makes the fetch fail. */
  upload(fetch: Fetch, data?: Uint8Array<ArrayBuffer>): number {
    const upload = fetch.upload!;
    const more = BigInt(data?.length ?? 0);
    const expected = upload.length ?? upload.size + more;
    let why = '';
    if (upload.size + more > expected) why = 'the plug-in sent a body of more bytes than it had announced';
    else if (!data && upload.size < expected) why = 'the plug-in sent a body of fewer bytes than it had announced';
    else if (this.#unsent > 0n && this.#unsent + more > mostUnsent) why = 'too many bytes of bodies are unsent';
    if (why) {
      this.#failed(fetch, why);
      return GONE;
    }
    if (data) {
      upload.pieces.push(data.slice());
      upload.size += more;
      this.#unsent += more;
    } else {
      const body = new Blob(upload.pieces);
      this.#endUpload(fetch);
      this.#begin(fetch, new Request(fetch.message, { body }));
    }
    return FINE;
  }

  /** As body_read(), for one that has a response. */
  read(fetch: Fetch, incoming: Incoming, target: Uint8Array): number {
    const result = incoming.read(target);
    if (result === GONE) this.#warn(`cannot fetch ${fetch.message.url}: the response broke off`);
    if (result === GONE || result === 0) this.#end(fetch);
    return result;
  }

  #endUpload({ upload }: Fetch): void {
    if (!upload) return;
    this.#unsent -= upload.size;
    Object.assign(upload, { pieces: [], size: 0n, ended: true });
  }

  #end(fetch: Fetch): void {
    this.#all.delete(fetch.number);
    this.#endUpload(fetch);
    fetch.abort.abort();
    fetch.incoming?.cancel();
  }

  /** Its operations are not completed. */
  cancel(fetch: Fetch): void {
    this.#end(fetch);
    this.#operations.forget(fetch);
  }

  /** Those on behalf of a request have ended with it. */
  endRequest(request: bigint): void {
    for (const fetch of this.#all.values()) {
      if (fetch.request !== request) continue;
      this.#end(fetch);
      this.#operations.end(fetch);
    }
  }

  clear(): void {
    for (const fetch of this.#all.values()) this.#end(fetch);
  }
}

export function isFetch(exchange: bigint): boolean {
  return (exchange & mark) !== 0n;
}
