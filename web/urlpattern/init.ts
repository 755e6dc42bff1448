// https://urlpattern.spec.whatwg.org/#urlpatterninit-processing

import { UrlRecord } from '../url/url-record.ts';
import { toDictionary, toUSVString } from '../webidl/conversions.ts';
import * as canonical from './canonicalize.ts';
import type { ComponentName } from './component.ts';
import { escapePattern } from './parts.ts';

export type ComponentValues = Partial<Record<ComponentName, string>>;

export interface URLPatternInit extends ComponentValues {
  baseURL?: string;
}

// As Web IDL reads a dictionary.
const members = [
  ...(['baseURL', 'hash', 'hostname', 'password', 'pathname', 'port', 'protocol', 'search', 'username'] as const),
];

export function toInit(value: unknown): URLPatternInit {
  const given = toDictionary(value as URLPatternInit, 'The input');
  const init: URLPatternInit = {};
  for (const member of members) {
    const text = given[member];
    if (text !== undefined) init[member] = toUSVString(text);
  }
  return init;
}

/** The parts of a URL as a pattern is matched with them, without their delimiters. */
export function valuesOf(url: UrlRecord): Record<ComponentName, string> {
  return {
    protocol: url.protocol.slice(0, -1),
    username: url.username,
    password: url.password,
    hostname: url.hostname,
    port: url.port,
    pathname: url.pathname,
    search: url.search.slice(1),
    hash: url.hash.slice(1),
  };
}

type Kind = 'pattern' | 'url';

// What a base URL gives is overruled by an earlier part that the init has; user name and password are never a pattern's.
const earlier: Record<ComponentName, readonly ComponentName[]> = {
  protocol: ['protocol'],
  username: ['protocol', 'hostname', 'port', 'username'],
  password: ['protocol', 'hostname', 'port', 'username', 'password'],
  hostname: ['protocol', 'hostname'],
  port: ['protocol', 'hostname', 'port'],
  pathname: ['protocol', 'hostname', 'port', 'pathname'],
  search: ['protocol', 'hostname', 'port', 'pathname', 'search'],
  hash: ['protocol', 'hostname', 'port', 'pathname', 'search', 'hash'],
};

function isAbsolute(pathname: string, kind: Kind): boolean {
  return pathname.startsWith('/') || (kind === 'pattern' && /^[\\{]\//.test(pathname));
}

/** Throws a TypeError where the base URL, or a value of the kind "url", is none. */
export function processInit(init: URLPatternInit, kind: Kind, result: ComponentValues): ComponentValues {
  const pattern = kind === 'pattern';
  let basePath: string | null = null;
  if (init.baseURL !== undefined) {
    const base = UrlRecord.parse(init.baseURL);
    if (!base) throw new TypeError(`'${init.baseURL}' is no URL`);
    for (const [name, value] of Object.entries(valuesOf(base)) as [ComponentName, string][]) {
      if (pattern && (name === 'username' || name === 'password')) continue;
      if (earlier[name].every((other) => init[other] === undefined))
        result[name] = pattern ? escapePattern(value) : value;
    }
    if (base.pathname.startsWith('/')) basePath = pattern ? escapePattern(base.pathname) : base.pathname;
  }
  const { protocol, username, password, hostname, port, search, hash } = init;
  let { pathname } = init;
  const use = (name: ComponentName, value: string, canonicalize: (value: string) => string): void => {
    result[name] = pattern ? value : canonicalize(value);
  };
  if (protocol !== undefined) use('protocol', protocol.replace(/:$/, ''), canonical.canonicalizeProtocol);
  const scheme = result.protocol ?? '';
  if (username !== undefined) use('username', username, canonical.canonicalizeUsername);
  if (password !== undefined) use('password', password, canonical.canonicalizePassword);
  if (hostname !== undefined) use('hostname', hostname, canonical.canonicalizeHostname);
  if (port !== undefined) use('port', port, (value) => canonical.canonicalizePort(value, scheme));
  if (pathname !== undefined) {
    if (basePath !== null && !isAbsolute(pathname, kind)) {
      pathname = basePath.slice(0, basePath.lastIndexOf('/') + 1) + pathname;
    }
    const ordinary = scheme === '' || canonical.isSpecial(scheme);
    use('pathname', pathname, ordinary ? canonical.canonicalizePathname : canonical.canonicalizeOpaquePathname);
  }
  if (search !== undefined) use('search', search.replace(/^\?/, ''), canonical.canonicalizeSearch);
  if (hash !== undefined) use('hash', hash.replace(/^#/, ''), canonical.canonicalizeHash);
  return result;
}
