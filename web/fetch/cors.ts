// https://fetch.spec.whatwg.org/#http-cors-protocol

import { type HeaderList, listGet } from './header-list.ts';
import { isSafelisted } from './safelist.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const safelistedMethods = ['GET', 'HEAD', 'POST'];
// https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
const safelistedResponseNames = [
  ...['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'],
];
// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names: of all safelisted values together.
const maxSafelistedBytes = 1024;

/** What the rules look at of a request. */
export interface CorsRequest {
  /** Serialised; "null" after a detour over another origin. */
  origin: string;
  /** Whether the credentials mode is "include". */
  credentials: boolean;
}

/** https://fetch.spec.whatwg.org/#extract-header-list-values, of tokens; null: there are none, false: they are malformed. */
export function tokensOf(headers: HeaderList, name: string): string[] | null | false {
  const value = listGet(headers, name);
  if (value === null) return null;
  const tokens = value
    .split(',')
    .map((item) => item.replace(/^[\t ]+|[\t ]+$/g, ''))
    .filter((item) => item !== '');
  return tokens.every((item) => token.test(item)) ? tokens : false;
}

/** https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names: sorted, each once. */
export function unsafeHeaderNames(headers: HeaderList): string[] {
  const unsafe = new Set<string>();
  const others: string[] = [];
  let bytes = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isSafelisted(name, value)) {
      unsafe.add(name);
      continue;
    }
    others.push(name);
    bytes += value.length;
  }
  if (bytes > maxSafelistedBytes) for (const name of others) unsafe.add(name);
  return [...unsafe].sort();
}

export function isSafelistedMethod(method: string): boolean {
  return safelistedMethods.includes(method);
}

/** https://fetch.spec.whatwg.org/#cors-check: why the response may not be seen; "" where it may. */
export function corsCheck({ origin, credentials }: CorsRequest, headers: HeaderList): string {
  const allowed = listGet(headers, 'access-control-allow-origin');
  if (allowed === null) return "the response has no 'access-control-allow-origin'";
  if (allowed === '*' && !credentials) return '';
  if (allowed !== origin) {
    return `the response's 'access-control-allow-origin' is '${allowed}', which is not '${origin}'`;
  }
  if (!credentials || listGet(headers, 'access-control-allow-credentials') === 'true') return '';
  return "the credentials mode is 'include', and the response has no 'access-control-allow-credentials: true'";
}

/** What a preflight allows, or why it does not. https://fetch.spec.whatwg.org/#cors-preflight-fetch */
export function preflightCheck(
  request: CorsRequest & { method: string; unsafeNames: string[]; streams: boolean },
  status: number,
  headers: HeaderList,
): { methods: string[]; names: string[] } | string {
  const refused = corsCheck(request, headers);
  if (refused !== '') return refused;
  if (status < 200 || status > 299) return `the status is ${status}`;
  let methods = tokensOf(headers, 'access-control-allow-methods');
  const listed = tokensOf(headers, 'access-control-allow-headers');
  if (methods === false) return "its 'access-control-allow-methods' is malformed";
  if (listed === false) return "its 'access-control-allow-headers' is malformed";
  if (methods === null && request.streams) methods = [request.method];
  const names = (listed ?? []).map((name) => name.toLowerCase());
  const wild = (list: string[] | null): boolean => !request.credentials && list !== null && list.includes('*');
  if (!isSafelistedMethod(request.method) && !methods?.includes(request.method) && !wild(methods)) {
    return `its 'access-control-allow-methods' does not name ${request.method}`;
  }
  for (const name of request.unsafeNames) {
    if (names.includes(name) || (wild(names) && name !== 'authorization')) continue;
    return `its 'access-control-allow-headers' does not name '${name}'`;
  }
  return { methods: methods ?? [], names };
}

/** https://fetch.spec.whatwg.org/#concept-filtered-response-cors: the headers that may be seen. */
export function visibleHeaders(headers: HeaderList, credentials: boolean): HeaderList {
  const exposed = tokensOf(headers, 'access-control-expose-headers') || [];
  const names = new Set([...safelistedResponseNames, ...exposed.map((name) => name.toLowerCase())]);
  const all = names.has('*') && !credentials;
  return headers.filter((_, i) => all || names.has(headers[i - (i % 2)] as string));
}
