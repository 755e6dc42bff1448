// https://encoding.spec.whatwg.org/#interface-textencoder
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { natives } from '../natives.ts';
import { requireArguments, toDOMString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';

// Arrays of up to 64 bytes are kept on the JavaScript heap, where they cost a fraction of those with a buffer outside.
const shortLength = 64;

function encodeShortAscii(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length > shortLength) return null;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return null;
    bytes[i] = code;
  }
  return bytes;
}

export class TextEncoder {
  // Only there for the brand check.
  #brand = true;

  get encoding(): string {
    void this.#brand;
    return 'utf-8';
  }

  encode(input: string = ''): Uint8Array<ArrayBuffer> {
    void this.#brand;
    const text = toDOMString(input);
    return encodeShortAscii(text) ?? natives.utf8Encode(text);
  }

  encodeInto(source: string, destination: Uint8Array): { read: number; written: number } {
    void this.#brand;
    requireArguments(arguments.length, 2, 'encodeInto');
    const text = toDOMString(source);
    const done = natives.utf8EncodeInto(text, destination);
    if (!done) throw new TypeError('The destination is not a Uint8Array');
    return { read: done[0], written: done[1] };
  }
}

export function installTextEncoder(global: object): void {
  defineInterface(global, TextEncoder, 'TextEncoder');
}
