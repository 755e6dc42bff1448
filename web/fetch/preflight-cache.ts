// https://fetch.spec.whatwg.org/#cors-preflight-cache, of one instance.

import { natives } from '../natives.ts';
import { forgetOldest } from './forget-oldest.ts';
import { type HeaderList, listGet } from './header-list.ts';

const defaultSeconds = 5;
// As in browsers: no server may bind a page to what it said once for much longer.
const maxSeconds = 7200;
// Requests that differ; the oldest is forgotten.
const maxEntries = 500;

/** "method GET" or "header x-a", and until when, in milliseconds of natives.now(). */
type Allowed = Map<string, number>;

const entries = new Map<string, Allowed>();

const keyOf = (origin: string, url: string, credentials: boolean): string => `${origin} ${credentials} ${url}`;

function allowed(origin: string, url: string, credentials: boolean, what: string): boolean {
  // What was allowed with credentials is allowed without.
  for (const kind of credentials ? [true] : [true, false]) {
    const until = entries.get(keyOf(origin, url, kind))?.get(what);
    if (until !== undefined && until > natives.now()) return true;
  }
  return false;
}

/** https://fetch.spec.whatwg.org/#concept-cache-match-method */
export function mayMethod(origin: string, url: string, credentials: boolean, method: string): boolean {
  return allowed(origin, url, credentials, `method ${method}`) || allowed(origin, url, credentials, 'method *');
}

/** https://fetch.spec.whatwg.org/#concept-cache-match-header */
export function mayHeader(origin: string, url: string, credentials: boolean, name: string): boolean {
  if (allowed(origin, url, credentials, `header ${name}`)) return true;
  return name !== 'authorization' && allowed(origin, url, credentials, 'header *');
}

export function rememberPreflight(
  origin: string,
  url: string,
  credentials: boolean,
  { methods, names }: { methods: string[]; names: string[] },
  headers: HeaderList,
): void {
  const age = listGet(headers, 'access-control-max-age') ?? '';
  const seconds = Math.min(/^\d+$/.test(age) ? Number(age) : defaultSeconds, maxSeconds);
  if (seconds === 0) return;
  const key = keyOf(origin, url, credentials);
  const known: Allowed = entries.get(key) ?? new Map();
  const until = natives.now() + seconds * 1000;
  for (const method of methods) known.set(`method ${method}`, until);
  for (const name of names) known.set(`header ${name}`, until);
  entries.delete(key);
  entries.set(key, known);
  forgetOldest(entries, maxEntries);
}

/** https://fetch.spec.whatwg.org/#concept-cache-clear */
export function forgetPreflight(origin: string, url: string): void {
  for (const credentials of [true, false]) entries.delete(keyOf(origin, url, credentials));
}
