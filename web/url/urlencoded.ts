// application/x-www-form-urlencoded: https://url.spec.whatwg.org/#application/x-www-form-urlencoded

import { natives } from '../natives.ts';

function percentDecodeBytes(text: string): string {
  const bytes = natives.utf8Encode(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const hex = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0) : '';
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes[length++] = Number.parseInt(hex, 16);
      i += 2;
    } else {
      bytes[length++] = bytes[i] as number;
    }
  }
  return natives.utf8Decode(bytes.subarray(0, length), false) as string;
}

function decode(part: string): string {
  const text = part.includes('+') ? part.replaceAll('+', ' ') : part;
  if (!text.includes('%')) return text.toWellFormed();
  try {
    return decodeURIComponent(text).toWellFormed();
  } catch {
    // Not all of it is well-formed: byte by byte then.
    return percentDecodeBytes(text);
  }
}

/** Names and values in turn. */
export function parseUrlencoded(input: string): string[] {
  const list: string[] = [];
  if (input === '') return list;
  for (const sequence of input.split('&')) {
    if (sequence === '') continue;
    const at = sequence.indexOf('=');
    list.push(decode(at < 0 ? sequence : sequence.slice(0, at)), at < 0 ? '' : decode(sequence.slice(at + 1)));
  }
  return list;
}

const replacements: Record<string, string> = {
  '%20': '+',
  '!': '%21',
  "'": '%27',
  '(': '%28',
  ')': '%29',
  '~': '%7E',
};

function encode(text: string): string {
  return encodeURIComponent(text).replace(/%20|[!'()~]/g, (match) => replacements[match] as string);
}

/** `list` holds names and values in turn, well-formed. */
export function serializeUrlencoded(list: readonly string[]): string {
  let output = '';
  for (let i = 0; i < list.length; i += 2) {
    output += `${i === 0 ? '' : '&'}${encode(list[i] as string)}=${encode(list[i + 1] as string)}`;
  }
  return output;
}
