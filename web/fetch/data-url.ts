// https://fetch.spec.whatwg.org/#data-url-processor

import { natives } from '../natives.ts';
import type { URL } from '../url/url.ts';
import type { Bytes } from './body-source.ts';
import { parseMimeType } from './mime-type.ts';

export interface DataURL {
  type: string;
  body: Bytes;
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** https://url.spec.whatwg.org/#percent-decode */
function percentDecode(bytes: Bytes): Bytes {
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] as number;
    if (byte === 0x25) {
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    bytes[length++] = byte;
  }
  return bytes.slice(0, length);
}

/** https://infra.spec.whatwg.org/#forgiving-base64-decode; null when it is none. */
function decodeBase64(bytes: Bytes): Bytes | null {
  let text = '';
  const step = 8192;
  for (let i = 0; i < bytes.length; i += step) text += String.fromCharCode(...bytes.subarray(i, i + step));
  text = text.replace(/[\t\n\f\r ]+/g, '');
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, '');
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) return null;
  return Uint8Array.fromBase64(text);
}

/** null when the URL is not valid. */
export function readDataURL(url: URL): DataURL | null {
  const text = url.href.replace(/#.*$/s, '').slice('data:'.length);
  const comma = text.indexOf(',');
  if (comma < 0) return null;
  let type = text.slice(0, comma).replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '');
  let body = percentDecode(natives.utf8Encode(text.slice(comma + 1)));
  const base64 = /; *base64$/i.exec(type);
  if (base64 !== null) {
    const decoded = decodeBase64(body);
    if (decoded === null) return null;
    body = decoded;
    type = type.slice(0, base64.index);
  }
  if (type.startsWith(';')) type = `text/plain${type}`;
  return { type: parseMimeType(type) ?? 'text/plain;charset=US-ASCII', body };
}
