// The cookies of one instance: https://httpwg.org/specs/rfc6265.html
// There is no list of public suffixes: a domain has at least two labels, and a site is a host and what is below it.

import { location } from '../html/location.ts';
import type { URL } from '../url/url.ts';
import { forgetOldest } from './forget-oldest.ts';
import { isTrustworthy } from './referrer.ts';

// As browsers bound them.
const maxCookies = 500;
const maxBytes = 4096;

interface Cookie {
  name: string;
  value: string;
  domain: string;
  hostOnly: boolean;
  path: string;
  secure: boolean;
  sameSite: string;
  /** Milliseconds since the epoch; Infinity: for as long as the instance lives. */
  expires: number;
}

// In the order in which they were made, by domain, path and name.
const jar = new Map<string, Cookie>();

const isBelow = (host: string, domain: string): boolean =>
  host === domain || (host.endsWith(`.${domain}`) && !/^[\d.]+$|^\[/.test(host));

/** https://httpwg.org/specs/rfc6265.html#cookie-path: the default one. */
function defaultPath(url: URL): string {
  const end = url.pathname.lastIndexOf('/');
  return end <= 0 ? '/' : url.pathname.slice(0, end);
}

const pathMatches = (path: string, of: string): boolean =>
  path === of || (path.startsWith(of) && (of.endsWith('/') || path[of.length] === '/'));

/** https://httpwg.org/specs/rfc6265.html#set-cookie, section 5.2 and 5.3; null where it is to be ignored. */
function parseCookie(url: URL, text: string): Cookie | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be found
  if (text.length > maxBytes || /[\x00-\x08\x0a-\x1f\x7f]/.test(text)) return null;
  const parts = text.split(';');
  const pair = parts[0] ?? '';
  const equals = pair.indexOf('=');
  const name = pair.slice(0, Math.max(equals, 0)).trim();
  const value = pair.slice(equals + 1).trim();
  if (name === '' && value === '') return null;
  const cookie: Cookie = {
    ...{ name, value, domain: url.hostname, hostOnly: true, path: defaultPath(url) },
    ...{ secure: false, sameSite: '', expires: Number.POSITIVE_INFINITY },
  };
  let maxAge: number | null = null;
  for (const attribute of parts.slice(1)) {
    const at = attribute.indexOf('=');
    const key = (at < 0 ? attribute : attribute.slice(0, at)).trim().toLowerCase();
    const given = at < 0 ? '' : attribute.slice(at + 1).trim();
    if (key === 'max-age' && /^-?\d+$/.test(given)) maxAge = Number(given);
    else if (key === 'expires' && !Number.isNaN(Date.parse(given))) cookie.expires = Date.parse(given);
    else if (key === 'path' && given.startsWith('/')) cookie.path = given;
    else if (key === 'secure') cookie.secure = true;
    else if (key === 'samesite') cookie.sameSite = given.toLowerCase();
    else if (key === 'domain' && given !== '') {
      cookie.domain = given.replace(/^\./, '').toLowerCase();
      cookie.hostOnly = false;
    }
  }
  if (maxAge !== null) cookie.expires = maxAge <= 0 ? 0 : Date.now() + maxAge * 1000;
  if (cookie.domain === url.hostname) return cookie.secure && !isTrustworthy(url) ? null : cookie;
  if (!cookie.domain.includes('.') || !isBelow(url.hostname, cookie.domain)) return null;
  return cookie.secure && !isTrustworthy(url) ? null : cookie;
}

/** What a response sets with its headers "set-cookie". */
export function storeCookies(url: URL, headers: string[]): void {
  for (const text of headers) {
    const cookie = parseCookie(url, text);
    if (cookie === null) continue;
    const key = `${cookie.domain};${cookie.path};${cookie.name}`;
    if (cookie.expires <= Date.now()) jar.delete(key);
    else jar.set(key, cookie);
    forgetOldest(jar, maxCookies);
  }
}

/** The value of the header "cookie"; "" for none. */
export function cookiesFor(url: URL): string {
  const sameSite = isBelow(url.hostname, location.hostname) || isBelow(location.hostname, url.hostname);
  const found: Cookie[] = [];
  for (const [key, cookie] of jar) {
    if (cookie.expires <= Date.now()) {
      jar.delete(key);
      continue;
    }
    if (cookie.hostOnly ? url.hostname !== cookie.domain : !isBelow(url.hostname, cookie.domain)) continue;
    if (!pathMatches(url.pathname, cookie.path) || (cookie.secure && !isTrustworthy(url))) continue;
    if (!sameSite && (cookie.sameSite === 'lax' || cookie.sameSite === 'strict')) continue;
    found.push(cookie);
  }
  found.sort((a, b) => b.path.length - a.path.length);
  return found.map(({ name, value }) => (name === '' ? value : `${name}=${value}`)).join('; ');
}
