// Request headers that need no permission of another origin.

import { parseMimeType } from './mime-type.ts';

// https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be found
const unsafeByte = /[\x00-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/;
const formTypes = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

function isSimpleRange(value: string): boolean {
  const range = /^bytes=(\d+)-(\d*)$/.exec(value);
  return range !== null && (range[2] === '' || Number(range[1]) <= Number(range[2]));
}

/** https://fetch.spec.whatwg.org/#cors-safelisted-request-header */
export function isSafelisted(name: string, value: string): boolean {
  if (value.length > 128) return false;
  switch (name) {
    case 'accept':
      return !unsafeByte.test(value);
    case 'accept-language':
    case 'content-language':
      return !/[^0-9A-Za-z *,\-.;=]/.test(value);
    case 'content-type':
      return !unsafeByte.test(value) && formTypes.includes(parseMimeType(value)?.replace(/;.*$/s, '') ?? '');
    case 'range':
      return isSimpleRange(value);
    default:
      return false;
  }
}

/** https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header-name */
export function isNoCorsName(name: string): boolean {
  return ['accept', 'accept-language', 'content-language', 'content-type'].includes(name);
}
