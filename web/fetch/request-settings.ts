// The members of a request that plug-ins can set and read: https://fetch.spec.whatwg.org/#dom-request
// By default fetch() looks at a few of them only; all count where it behaves as in a page.

import { location } from '../html/location.ts';
import { parseURL } from '../url/url.ts';
import { toDOMString, toEnum, toUSVString } from '../webidl/conversions.ts';

export interface RequestSettings {
  mode: string;
  credentials: string;
  cache: string;
  redirect: string;
  referrer: string;
  referrerPolicy: string;
  integrity: string;
  keepalive: boolean;
}

export const defaultSettings: RequestSettings = Object.freeze({
  mode: 'cors',
  credentials: 'same-origin',
  cache: 'default',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
  integrity: '',
  keepalive: false,
});

const modes = ['same-origin', 'no-cors', 'cors', 'navigate'] as const;
const credentials = ['omit', 'same-origin', 'include'] as const;
const caches = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'] as const;
const redirects = ['follow', 'error', 'manual'] as const;
const referrerPolicies = [
  ...['', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin'],
  ...['origin-when-cross-origin', 'strict-origin-when-cross-origin', 'unsafe-url'],
];

/** https://fetch.spec.whatwg.org/#concept-method-normalize, after the checks. */
export function normalizeMethod(method: string): string {
  if (method === '' || /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(method)) {
    throw new TypeError(`'${method}' is not a valid method`);
  }
  const upper = method.toUpperCase();
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') throw new TypeError(`'${method}' is forbidden`);
  return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method;
}

const priorities = ['high', 'low', 'auto'] as const;

/** The URL of a referrer, or one of the two keywords. */
function toReferrer(value: unknown): string {
  const text = toUSVString(value);
  if (text === '') return '';
  const url = parseURL(text, location.href);
  // https://fetch.spec.whatwg.org/#dom-request step 14.3: about:client and other origins mean the client.
  return url.origin === location.origin ? url.href : 'about:client';
}

/** The settings of `base` with what `init` says; `base` itself when it says nothing. */
export function applyInit(
  base: RequestSettings,
  init: Partial<RequestSettings> & { window?: unknown; priority?: unknown; duplex?: unknown },
): RequestSettings {
  if (init.window !== undefined && init.window !== null) throw new TypeError("'window' is not null");
  const changes: Partial<RequestSettings> = {};
  if (init.referrer !== undefined) changes.referrer = toReferrer(init.referrer);
  if (init.referrerPolicy !== undefined) {
    changes.referrerPolicy = toEnum(init.referrerPolicy, referrerPolicies, 'referrerPolicy');
  }
  if (init.mode !== undefined) changes.mode = toEnum(init.mode, modes, 'mode');
  if (changes.mode === 'navigate') throw new TypeError("The mode 'navigate' is reserved");
  if (init.credentials !== undefined) changes.credentials = toEnum(init.credentials, credentials, 'credentials');
  if (init.cache !== undefined) changes.cache = toEnum(init.cache, caches, 'cache');
  if (init.redirect !== undefined) changes.redirect = toEnum(init.redirect, redirects, 'redirect');
  if (init.integrity !== undefined) changes.integrity = toDOMString(init.integrity);
  // Two hints that change nothing here.
  if (init.priority !== undefined) toEnum(init.priority, priorities, 'priority');
  if (init.duplex !== undefined) toEnum(init.duplex, ['half'], 'duplex');
  if (init.keepalive !== undefined) changes.keepalive = Boolean(init.keepalive);
  let changed = false;
  for (const _ in changes) changed = true;
  const settings = changed ? { ...base, ...changes } : base;
  if (settings.cache === 'only-if-cached' && settings.mode !== 'same-origin') {
    throw new TypeError("The cache mode 'only-if-cached' needs the mode 'same-origin'");
  }
  return settings;
}
