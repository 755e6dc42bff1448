// https://urlpattern.spec.whatwg.org/#canon-encoding-callbacks: each part as the URL parser writes it. Where it takes no
// such part, they throw a TypeError.

import { UrlPart, UrlRecord } from '../url/url-record.ts';

export const specialSchemes: Readonly<Record<string, string>> = {
  ftp: '21',
  file: '',
  http: '80',
  https: '443',
  ws: '80',
  wss: '443',
};

export function isSpecial(protocol: string): boolean {
  return Object.hasOwn(specialSchemes, protocol);
}

function dummy(url = 'https://dummy.invalid/'): UrlRecord {
  return UrlRecord.parse(url) as UrlRecord;
}

function withPart(record: UrlRecord, part: UrlPart, value: string): UrlRecord {
  if (!record.set(part, value)) throw new TypeError(`'${value}' can be no such part of a URL`);
  return record;
}

export function canonicalizeProtocol(value: string): string {
  if (value === '') return value;
  const record = UrlRecord.parse(`${value}://dummy.invalid/`);
  if (!record) throw new TypeError(`'${value}' is no protocol of a URL`);
  return record.protocol.slice(0, -1);
}

export function canonicalizeUsername(value: string): string {
  return value === '' ? value : withPart(dummy(), UrlPart.Username, value).username;
}

export function canonicalizePassword(value: string): string {
  return value === '' ? value : withPart(dummy(), UrlPart.Password, value).password;
}

export function canonicalizeHostname(value: string): string {
  return value === '' ? value : withPart(dummy(), UrlPart.Hostname, value).hostname;
}

export function canonicalizeIPv6Hostname(value: string): string {
  if (/[^0-9a-fA-F[\]:]/.test(value)) throw new TypeError(`'${value}' is no part of an IPv6 address`);
  return value.toLowerCase();
}

/** The default port of `protocol` is left out, as in a URL. */
export function canonicalizePort(value: string, protocol = ''): string {
  if (value === '') return value;
  return withPart(dummy(`${isSpecial(protocol) ? protocol : 'dummy'}://dummy.invalid/`), UrlPart.Port, value).port;
}

export function canonicalizePathname(value: string): string {
  if (value === '') return value;
  // A path always begins with a slash; one that does not, because it is the middle of one, gets something to go behind.
  const whole = value.startsWith('/');
  const { pathname } = withPart(dummy(), UrlPart.Pathname, whole ? value : `/-${value}`);
  return whole ? pathname : pathname.slice(2);
}

export function canonicalizeOpaquePathname(value: string): string {
  if (value === '') return value;
  // The first character keeps a slash from making it an ordinary path.
  const record = UrlRecord.parse(`data:-${value}`);
  if (!record) throw new TypeError(`'${value}' is no path of a URL`);
  return record.pathname.slice(1);
}

// The setters take one delimiter away.
export function canonicalizeSearch(value: string): string {
  return value === '' ? value : withPart(dummy(), UrlPart.Search, `?${value}`).search.slice(1);
}

export function canonicalizeHash(value: string): string {
  return value === '' ? value : withPart(dummy(), UrlPart.Hash, `#${value}`).hash.slice(1);
}
