// https://encoding.spec.whatwg.org/#interface-textdecoder

import { loadPart } from '../lazy.ts';
import { byteLengthOf, isArrayBuffer, viewedBytes } from '../webidl/buffer-source.ts';
import { toDictionary, toDOMString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { type Decoder, Utf8Decoder, Utf16Decoder, Windows1252Decoder } from './decoders.ts';
import { encodingFromLabel } from './labels.ts';

export interface TextDecoderOptions {
  fatal?: boolean;
  ignoreBOM?: boolean;
}

export interface TextDecodeOptions {
  stream?: boolean;
}

const nothing = new Uint8Array(0);

function createDecoder(encoding: string): Decoder {
  switch (encoding) {
    case 'utf-8':
      return new Utf8Decoder();
    case 'windows-1252':
      return new Windows1252Decoder();
    case 'utf-16le':
    case 'utf-16be':
      return new Utf16Decoder(encoding === 'utf-16be');
    default:
      return loadPart<typeof import('../lazy/legacy-encodings.ts')>('legacy-encodings').createLegacyDecoder(encoding);
  }
}

/** The bytes behind a BufferSource; of a detached one none. Valid until its buffer is detached or resized. */
export function bytesOf(source: unknown): Uint8Array {
  if (ArrayBuffer.isView(source)) return viewedBytes(source);
  if (isArrayBuffer(source) && byteLengthOf(source) === 0) return nothing;
  if (isBuffer(source)) return new Uint8Array(source);
  throw new TypeError('The input is not an ArrayBuffer or a view of one');
}

// SharedArrayBuffer does not exist while the snapshot is built, and a plug-in may run without it.
function isBuffer(value: unknown): value is ArrayBufferLike {
  if (typeof value !== 'object' || value === null) return false;
  if (isArrayBuffer(value)) return true;
  return typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer;
}

export class TextDecoder {
  #encoding: string;
  #fatal: boolean;
  #ignoreBOM: boolean;
  #decoder: Decoder;
  #bomSeen = false;
  #doNotFlush = false;

  constructor(label: string = 'utf-8', options?: TextDecoderOptions | null) {
    const encoding = encodingFromLabel(toDOMString(label));
    const { fatal, ignoreBOM } = toDictionary(options, 'The options');
    if (!encoding || encoding === 'replacement') throw new RangeError(`The encoding label '${label}' is not supported`);
    this.#encoding = encoding;
    this.#fatal = Boolean(fatal);
    this.#ignoreBOM = Boolean(ignoreBOM);
    this.#decoder = createDecoder(encoding);
  }

  get encoding(): string {
    return this.#encoding;
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBOM;
  }

  decode(input?: ArrayBufferView | ArrayBufferLike, options?: TextDecodeOptions | null): string {
    const bytes = input === undefined ? nothing : bytesOf(input);
    const stream = Boolean(toDictionary(options, 'The options').stream);
    if (!this.#doNotFlush) this.#bomSeen = false;
    this.#doNotFlush = stream;
    const text = this.#decoder.decode(bytes, !stream, this.#fatal);
    if (text === undefined) throw new TypeError(`The data is not valid ${this.#encoding}`);
    if (this.#bomSeen || text.length === 0 || this.#ignoreBOM || !this.#encoding.startsWith('utf-')) return text;
    this.#bomSeen = true;
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
}

export function installTextDecoder(global: object): void {
  defineInterface(global, TextDecoder, 'TextDecoder', { decode: 0 });
}
