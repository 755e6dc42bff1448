// https://url.spec.whatwg.org/#api, implemented by a library that is loaded when it is first needed.

import { registerInspector } from '../console/inspectors.ts';
import { natives } from '../natives.ts';
import { defineLazyInterface } from '../webidl/define.ts';

export interface URL {
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  readonly searchParams: URLSearchParams;
  hash: string;
}

export interface URLSearchParams extends Iterable<[string, string]> {
  toString(): string;
}

interface URLLibrary {
  URL: { new (url: string, base?: string): URL; prototype: object };
  URLSearchParams: { new (): URLSearchParams; prototype: object };
}

let library: URLLibrary | null = null;

const attributes = [
  ...(['href', 'origin', 'protocol', 'username', 'password', 'host'] as const),
  ...(['hostname', 'port', 'pathname', 'search', 'hash'] as const),
];

function load(): URLLibrary {
  if (library) return library;
  library = (natives.loadLazy('url') as { default: URLLibrary }).default;
  const { URL, URLSearchParams } = library;
  natives.markPlatformPrototype(URL.prototype);
  natives.markPlatformPrototype(URLSearchParams.prototype);
  registerInspector(URL.prototype, (url: URL) => attributes.map((name) => [name, url[name]]));
  registerInspector(URLSearchParams.prototype, (parameters: URLSearchParams) => [...parameters]);
  return library;
}

/** Parses, with a base if given; throws a TypeError when that fails. */
export function parseURL(url: string, base?: string): URL {
  const { URL } = load();
  return base === undefined ? new URL(url) : new URL(url, base);
}

export function isURLSearchParams(value: object): value is URLSearchParams {
  // Nobody can have made one before the library was there.
  return library !== null && value instanceof library.URLSearchParams;
}

export function installURL(global: object): void {
  defineLazyInterface(global, 'URL', () => load().URL);
  defineLazyInterface(global, 'URLSearchParams', () => load().URLSearchParams);
}
