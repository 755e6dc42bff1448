// Bytes as operations get them from plug-in code: https://webidl.spec.whatwg.org/#BufferSource

import {
  bufferOf,
  byteLengthOf,
  isArrayBuffer,
  isResizable,
  typedArrayName,
  viewedBytes,
} from '../webidl/buffer-source.ts';
import type { Bytes } from './natives.ts';

export { byteLengthOf as sizeOf } from '../webidl/buffer-source.ts';

export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayName(value) === 'Uint8Array';
}

export function isBufferSource(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || isArrayBuffer(value);
}

export function toBytes(value: unknown, what: string): Bytes {
  if (!isBufferSource(value)) throw new TypeError(`${what} is neither an ArrayBuffer nor a view of one`);
  const buffer = ArrayBuffer.isView(value) ? bufferOf(value) : value;
  // Shared and growing memory may change while it is read.
  if (!isArrayBuffer(buffer)) throw new TypeError(`${what} is in shared memory`);
  if (isResizable(buffer)) throw new TypeError(`${what} is in a resizable ArrayBuffer`);
  return value;
}

/** Bytes with the codes of the characters, which are below 256. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export function copyOf(bytes: Bytes): Uint8Array<ArrayBuffer> {
  const size = byteLengthOf(bytes);
  const copy = new Uint8Array(size);
  if (size === 0) return copy;
  copy.set(ArrayBuffer.isView(bytes) ? viewedBytes(bytes) : new Uint8Array(bytes));
  return copy;
}

export const nothing = new Uint8Array(0);

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The first `bits`; what is left of the last byte becomes zeros. */
export function firstBits(bytes: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  const first = copyOf(bytes.subarray(0, Math.ceil(bits / 8)));
  const rest = bits % 8;
  if (rest !== 0) {
    const last = first.length - 1;
    first[last] = (first[last] as number) & (0xff << (8 - rest));
  }
  return first;
}
