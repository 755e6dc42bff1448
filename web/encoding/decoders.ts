// The decoders behind TextDecoder. Each keeps the incomplete rest of one piece for the next.

import { natives } from '../natives.ts';
import { latin1Decode } from './latin1.ts';

export interface Decoder {
  /** Decodes a piece; `flush` when it is the last. Returns undefined for ill-formed input when `fatal`. */
  decode(bytes: Uint8Array, flush: boolean, fatal: boolean): string | undefined;
}

const nothing = new Uint8Array(0);

/**
 * How many bytes at the end begin a UTF-8 sequence that more bytes could complete.
 * Follows the bounds of https://encoding.spec.whatwg.org/#utf-8-decoder
 */
export function incompleteTail(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] as number;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    if (byte < 0xc2 || byte > 0xf4) return 0;
    const needed = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (back >= needed) return 0;
    if (back > 1) {
      const second = bytes[length - back + 1] as number;
      const lower = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
      const upper = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
      if (second < lower || second > upper) return 0;
    }
    return back;
  }
  return 0;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

export class Utf8Decoder implements Decoder {
  #pending = nothing;

  decode(bytes: Uint8Array, flush: boolean, fatal: boolean): string | undefined {
    let input = concat(this.#pending, bytes);
    this.#pending = nothing;
    if (!flush) {
      const tail = incompleteTail(input);
      if (tail > 0) {
        this.#pending = input.slice(input.length - tail) as Uint8Array<ArrayBuffer>;
        input = input.subarray(0, input.length - tail);
      }
    }
    return natives.utf8Decode(input, fatal);
  }
}

/** https://encoding.spec.whatwg.org/#shared-utf-16-decoder */
export class Utf16Decoder implements Decoder {
  #bigEndian: boolean;
  #leadByte = -1;
  #leadSurrogate = '';

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  decode(bytes: Uint8Array, flush: boolean, fatal: boolean): string | undefined {
    const units: number[] = [];
    let text = this.#leadSurrogate;
    this.#leadSurrogate = '';
    let lead = this.#leadByte;
    for (const byte of bytes) {
      if (lead < 0) {
        lead = byte;
        continue;
      }
      units.push(this.#bigEndian ? (lead << 8) | byte : (byte << 8) | lead);
      lead = -1;
      if (units.length === 4096) {
        text += String.fromCharCode.apply(null, units);
        units.length = 0;
      }
    }
    text += String.fromCharCode.apply(null, units);
    this.#leadByte = flush ? -1 : lead;
    if (!flush) {
      const last = text.charCodeAt(text.length - 1);
      if (last >= 0xd800 && last < 0xdc00) {
        this.#leadSurrogate = text.slice(-1);
        text = text.slice(0, -1);
      }
    }
    const cutShort = flush && lead >= 0;
    if (fatal && (cutShort || !text.isWellFormed())) return undefined;
    // A lead surrogate before the odd byte is one error together with it.
    if (cutShort) {
      const last = text.charCodeAt(text.length - 1);
      if (!(last >= 0xd800 && last < 0xdc00)) text += '\ufffd';
    }
    return text.toWellFormed();
  }
}

// https://encoding.spec.whatwg.org/#index-windows-1252: what differs from Latin-1, from 0x80 on.
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

export class Windows1252Decoder implements Decoder {
  decode(bytes: Uint8Array): string {
    return latin1Decode(bytes).replace(/[\x80-\x9f]/g, (char) => windows1252[char.charCodeAt(0) - 0x80] as string);
  }
}
