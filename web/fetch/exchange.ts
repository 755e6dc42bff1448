// One request to one server and its response, between fetch.ts and C++ (plugins/js/outgoing.h). Bodies stream both ways
// only as fast as they are read.

import { natives } from '../natives.ts';
import type { BodySource, Bytes } from './body-source.ts';
import type { HeaderList } from './header-list.ts';

export interface ResponseHead {
  status: number;
  reason: string;
  /** "name\0value\0name\0value\0..." */
  flatHeaders: string;
  body: BodySource;
}

export interface ExchangeParts {
  method: string;
  url: string;
  headers: HeaderList;
  body: Bytes | BodySource | null;
  outlivesCall: boolean;
  /** No connection that is there already may be used. */
  freshConnection?: boolean;
}

// It must not hold on to the body's source: when nobody else does, the body is given up.
interface Exchange {
  id: number;
  url: string;
  upload: BodySource | null;
  uploading: boolean;
  /** Who waits for the response's head. Its promise holds on to the body, so it is let go with the head. */
  waiting: { resolve: (head: ResponseHead) => void; reject: (error: unknown) => void } | null;
  /** What a read of the response's body waits for. */
  reader: (() => void) | null;
  /** The body's source, where it wants to hear of a failure. */
  watching: WeakRef<Source> | null;
  failed: boolean;
  error: unknown;
}

const exchanges = new Map<number, Exchange>();
const Registry = FinalizationRegistry;
const Reference = WeakRef;
let forgotten: FinalizationRegistry<Exchange> | null = null;

/** What a fetch fails with: https://fetch.spec.whatwg.org/#concept-network-error. The cause says what happened. */
export function networkError(url: string, message: string, code: string, reason?: unknown): TypeError {
  const cause = Object.assign(new Error(message, reason === undefined ? undefined : { cause: reason }), { code });
  return new TypeError(`Cannot fetch ${url}: ${message}`, { cause });
}

function cancel(source: BodySource | null, reason: unknown): void {
  if (source === null) return;
  // A source that cannot even be given up in order has nobody left to tell.
  Promise.resolve(source.cancel(reason)).catch(() => {});
}

function end(exchange: Exchange, reason?: unknown): void {
  exchanges.delete(exchange.id);
  forgotten?.unregister(exchange);
  const { upload } = exchange;
  exchange.upload = null;
  cancel(upload, reason);
}

/** Ends it with an error, at whatever point it is. */
function fail(exchange: Exchange, error: unknown): void {
  if (exchange.failed) return;
  exchange.failed = true;
  exchange.error = error;
  end(exchange, error);
  const { waiting, reader, watching } = exchange;
  exchange.waiting = null;
  exchange.reader = null;
  waiting?.reject(error);
  reader?.();
  watching?.deref()?.listener?.(error);
}

interface Source extends BodySource {
  listener: ((error: unknown) => void) | null;
}

function sourceOf(exchange: Exchange): Source {
  return {
    listener: null,
    check() {
      if (exchange.failed) throw exchange.error;
    },
    onFailure(listener) {
      this.listener = listener;
      exchange.watching = new Reference(this);
      if (exchange.failed) listener(exchange.error);
    },
    read() {
      if (exchange.failed) throw exchange.error;
      const piece = natives.readOutgoing(exchange.id);
      if (piece === null) end(exchange);
      return piece;
    },
    ready: () =>
      new Promise((resolve) => {
        exchange.reader = resolve;
        if (exchange.failed) resolve();
      }),
    cancel() {
      natives.cancelOutgoing(exchange.id);
      end(exchange);
    },
  };
}

async function sendPiece(exchange: Exchange, source: BodySource): Promise<void> {
  exchange.uploading = true;
  try {
    let piece = source.read();
    while (piece === undefined || piece?.length === 0) {
      if (piece === undefined) await source.ready?.();
      piece = source.read();
    }
    exchange.uploading = false;
    if (piece === null) exchange.upload = null;
    natives.writeOutgoing(exchange.id, piece);
  } catch (error) {
    exchange.upload = null;
    natives.cancelOutgoing(exchange.id);
    fail(exchange, networkError(exchange.url, "the request's body failed", 'ERR_BODY', error));
  }
}

/** Begins; `abort` ends it with an error of the caller's. */
export function startExchange(parts: ExchangeParts): {
  head: Promise<ResponseHead>;
  abort(error: unknown): void;
} {
  const { method, url, headers, body, outlivesCall, freshConnection = false } = parts;
  let flat = '';
  for (const part of headers) flat += `${part}\0`;
  const whole = body === null || body instanceof Uint8Array;
  const { promise, resolve, reject } = Promise.withResolvers<ResponseHead>();
  const exchange: Exchange = {
    id: natives.startOutgoing(method, url, flat, whole ? body : (body.size ?? true), outlivesCall, freshConnection),
    url,
    upload: whole ? null : body,
    uploading: false,
    waiting: { resolve, reject },
    reader: null,
    watching: null,
    failed: false,
    error: undefined,
  };
  exchanges.set(exchange.id, exchange);
  return {
    head: promise,
    abort(error) {
      if (!exchanges.has(exchange.id)) return;
      natives.cancelOutgoing(exchange.id);
      fail(exchange, error);
    },
  };
}

/** Takes what is there of a body that nobody wants, so that its connection can be used again, or gives it up. */
export function discard(body: BodySource): void {
  for (let piece = body.read(); piece !== null; piece = body.read()) {
    if (piece === undefined) return void body.cancel(undefined);
  }
}

// --- called by C++ ---

export function onOutgoingHead(id: number, status: number, reason: string, flatHeaders: string): void {
  const exchange = exchanges.get(id);
  if (exchange === undefined) return;
  const body = sourceOf(exchange);
  forgotten ??= new Registry<Exchange>((lost) => {
    natives.cancelOutgoing(lost.id);
    end(lost);
  });
  forgotten.register(body, exchange, exchange);
  const { waiting } = exchange;
  exchange.waiting = null;
  waiting?.resolve({ status, reason, flatHeaders, body });
}

export function onOutgoingReadable(id: number): void {
  const exchange = exchanges.get(id);
  const reader = exchange?.reader;
  if (!exchange || !reader) return;
  exchange.reader = null;
  reader();
}

export function onOutgoingWanted(id: number): void {
  const exchange = exchanges.get(id);
  if (exchange?.upload && !exchange.uploading) sendPiece(exchange, exchange.upload);
}

export function onOutgoingFailed(id: number, code: string, message: string): void {
  const exchange = exchanges.get(id);
  if (exchange !== undefined) fail(exchange, networkError(exchange.url, message, code));
}
