// A private cache of one instance, in memory: https://www.rfc-editor.org/rfc/rfc9111

import { type BodySource, type Bytes, concat, sourceOfData } from './body-source.ts';
import type { ResponseHead } from './exchange.ts';
import { type HeaderList, listDelete, listGet, parseFlatHeaders } from './header-list.ts';

// Of the instance's memory. The least recently used goes first.
const maxBytes = 8 * 1024 * 1024;
const maxEntryBytes = 1024 * 1024;

// https://www.rfc-editor.org/rfc/rfc9110#section-15.1: may be kept without being told so.
const heuristicStatuses = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
const redirectStatuses = [301, 302, 303, 307, 308];
// https://www.rfc-editor.org/rfc/rfc9111#section-3.2: describe the content that is stored, not the 304.
const contentHeaders = ['content-encoding', 'content-length', 'content-range', 'content-type', 'transfer-encoding'];

export interface Entry {
  key: string;
  status: number;
  reason: string;
  headers: HeaderList;
  body: Bytes;
  /** The request's headers that its "vary" names, with their values. */
  varied: [string, string | null][];
  variesAlways: boolean;
  /** Milliseconds since the epoch. */
  received: number;
}

const entries = new Map<string, Entry>();
let bytes = 0;

function sizeOf({ key, headers, body }: Entry): number {
  return headers.reduce((size, part) => size + part.length, key.length + body.length);
}

function forget(entry: Entry): void {
  if (entries.delete(entry.key)) bytes -= sizeOf(entry);
}

function keep(entry: Entry): void {
  const known = entries.get(entry.key);
  if (known !== undefined) forget(known);
  entries.set(entry.key, entry);
  bytes += sizeOf(entry);
  if (bytes <= maxBytes) return;
  for (const [, oldest] of entries) {
    if (bytes <= maxBytes) return;
    forget(oldest);
  }
}

function directives(headers: HeaderList): Map<string, string> {
  const found = new Map<string, string>();
  for (const item of (listGet(headers, 'cache-control') ?? '').split(',')) {
    const [name = '', value = ''] = item.trim().toLowerCase().split('=', 2);
    found.set(name, value.replace(/^"(.*)"$/, '$1'));
  }
  return found;
}

const dateOf = (headers: HeaderList, name: string): number => Date.parse(listGet(headers, name) ?? '');

/** In milliseconds. https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1; null: it is not said. */
function explicitLifetime(headers: HeaderList, received: number): number | null {
  const maxAge = directives(headers).get('max-age');
  if (maxAge !== undefined && /^\d+$/.test(maxAge)) return Number(maxAge) * 1000;
  if (listGet(headers, 'expires') === null) return null;
  const expires = dateOf(headers, 'expires');
  return Number.isNaN(expires) ? 0 : expires - (dateOf(headers, 'date') || received);
}

/** https://www.rfc-editor.org/rfc/rfc9111#section-4.2 */
export function isFresh({ status, headers, received }: Entry): boolean {
  if (directives(headers).has('no-cache')) return false;
  let lifetime = explicitLifetime(headers, received);
  if (lifetime === null) {
    const modified = dateOf(headers, 'last-modified');
    if (Number.isNaN(modified) || !heuristicStatuses.includes(status)) return false;
    lifetime = (received - modified) / 10;
  }
  const age = Number(listGet(headers, 'age') ?? 0) * 1000 || 0;
  return lifetime > age + Date.now() - received;
}

/** What is stored for the request, fresh or not. */
export function find(key: string, sent: HeaderList): Entry | null {
  const entry = entries.get(key);
  if (entry === undefined || entry.varied.some(([name, value]) => listGet(sent, name) !== value)) return null;
  entries.delete(key);
  entries.set(key, entry);
  return entry;
}

/** Headers that ask whether the entry is still what the server has. */
export function validators({ headers }: Entry): HeaderList {
  const tag = listGet(headers, 'etag');
  const modified = listGet(headers, 'last-modified');
  return [
    ...(tag === null ? [] : ['if-none-match', tag]),
    ...(modified === null ? [] : ['if-modified-since', modified]),
  ];
}

/** The server has said that it is. https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4 */
export function freshen(entry: Entry, flatHeaders: string): void {
  const news = parseFlatHeaders(flatHeaders);
  for (const name of [...contentHeaders, 'set-cookie']) listDelete(news, name);
  forget(entry);
  for (let i = 0; i < news.length; i += 2) listDelete(entry.headers, news[i] as string);
  entry.headers.push(...news);
  entry.received = Date.now();
  keep(entry);
}

/** What was asked for has been changed. https://www.rfc-editor.org/rfc/rfc9111#section-4.4 */
export function invalidate(key: string): void {
  const entry = entries.get(key);
  if (entry !== undefined) forget(entry);
}

export function headOf({ status, reason, headers, body }: Entry): ResponseHead {
  let flatHeaders = '';
  for (const part of headers) flatHeaders += `${part}\0`;
  return { status, reason, flatHeaders, body: sourceOfData(body.length === 0 ? null : body.slice()) };
}

/** The body, which calls `done` with a copy of all of it when it has been read to its end and is not too large. */
function recorded(body: BodySource, done: (content: Bytes) => void): BodySource {
  const pieces: Bytes[] = [];
  let size = 0;
  return {
    check: () => body.check?.(),
    onFailure: (listener) => body.onFailure?.(listener),
    read() {
      const piece = body.read();
      if (piece === undefined) return undefined;
      if (piece === null) {
        if (size <= maxEntryBytes) done(concat(pieces));
        return null;
      }
      size += piece.length;
      if (size <= maxEntryBytes) pieces.push(piece.slice());
      else pieces.length = 0;
      return piece;
    },
    ready: async () => body.ready?.(),
    cancel: (reason) => body.cancel(reason),
  };
}

/** Stores the response where it may be. https://www.rfc-editor.org/rfc/rfc9111#section-3 */
export function remember(key: string, sent: HeaderList, head: ResponseHead): ResponseHead {
  const headers = parseFlatHeaders(head.flatHeaders);
  const received = Date.now();
  const { status, reason } = head;
  const storable = explicitLifetime(headers, received) !== null || heuristicStatuses.includes(status);
  if (!storable || status === 206 || status === 304 || directives(headers).has('no-store')) return head;
  const vary = (listGet(headers, 'vary') ?? '').split(',').map((name) => name.trim().toLowerCase());
  // A cookie is set by the server, not once more by each copy of what it said.
  listDelete(headers, 'set-cookie');
  const varied = vary.filter((name) => name !== '' && name !== '*');
  const store = (body: Bytes): void =>
    keep({
      ...{ key, status, reason, headers, body, received, variesAlways: vary.includes('*') },
      varied: varied.map((name) => [name, listGet(sent, name)]),
    });
  // Nobody gets to see the content of a redirect.
  if (redirectStatuses.includes(status)) {
    store(new Uint8Array(0));
    return head;
  }
  return { ...head, body: recorded(head.body, store) };
}
