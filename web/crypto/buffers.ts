// Bytes as operations get them from plug-in code: https://webidl.spec.whatwg.org/#BufferSource

import type { Bytes } from './natives.ts';

function getter(prototype: object, name: PropertyKey): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => unknown;
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const bufferLength = getter(ArrayBuffer.prototype, 'byteLength');
const bufferResizable = getter(ArrayBuffer.prototype, 'resizable');
const viewKind = getter(typedArrayPrototype, Symbol.toStringTag);
const typed = { buffer: getter(typedArrayPrototype, 'buffer'), length: getter(typedArrayPrototype, 'byteLength') };
const dataView = { buffer: getter(DataView.prototype, 'buffer'), length: getter(DataView.prototype, 'byteLength') };

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    bufferLength.call(value);
    return true;
  } catch {
    return false;
  }
}

export function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && viewKind.call(value) === 'Uint8Array';
}

export function isBufferSource(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || isArrayBuffer(value);
}

export function toBytes(value: unknown, what: string): Bytes {
  if (!isBufferSource(value)) throw new TypeError(`${what} is neither an ArrayBuffer nor a view of one`);
  const buffer = ArrayBuffer.isView(value)
    ? (viewKind.call(value) === undefined ? dataView : typed).buffer.call(value)
    : value;
  // Shared and growing memory may change while it is read.
  if (!isArrayBuffer(buffer)) throw new TypeError(`${what} is in shared memory`);
  if (bufferResizable.call(buffer)) throw new TypeError(`${what} is in a resizable ArrayBuffer`);
  return value;
}

/** 0 for what was detached. */
export function sizeOf(bytes: Bytes): number {
  if (!ArrayBuffer.isView(bytes)) return bufferLength.call(bytes) as number;
  if (viewKind.call(bytes) !== undefined) return typed.length.call(bytes) as number;
  try {
    return dataView.length.call(bytes) as number;
  } catch {
    return 0;
  }
}

export function copyOf(bytes: Bytes): Uint8Array<ArrayBuffer> {
  const size = sizeOf(bytes);
  const copy = new Uint8Array(size);
  if (size === 0) return copy;
  copy.set(ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, size) : new Uint8Array(bytes));
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
