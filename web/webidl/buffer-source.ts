// What buffers and views say about themselves, whatever a plug-in has put on them or their prototypes:
// https://webidl.spec.whatwg.org/#js-buffer-source-types

type Getter<T> = (this: unknown) => T;

function getter<T>(prototype: object, name: PropertyKey): Getter<T> {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as Getter<T>;
}

const arrayPrototype = Object.getPrototypeOf(Uint8Array.prototype);
const typedArray = {
  name: getter<string | undefined>(arrayPrototype, Symbol.toStringTag),
  buffer: getter<ArrayBufferLike>(arrayPrototype, 'buffer'),
  byteOffset: getter<number>(arrayPrototype, 'byteOffset'),
  byteLength: getter<number>(arrayPrototype, 'byteLength'),
};
const dataView = {
  buffer: getter<ArrayBufferLike>(DataView.prototype, 'buffer'),
  byteOffset: getter<number>(DataView.prototype, 'byteOffset'),
  byteLength: getter<number>(DataView.prototype, 'byteLength'),
};
const bufferLength = getter<number>(ArrayBuffer.prototype, 'byteLength');
const bufferResizable = getter<boolean>(ArrayBuffer.prototype, 'resizable');

/** "Uint8Array" and so on; undefined for what is no typed array. */
export function typedArrayName(value: unknown): string | undefined {
  return typedArray.name.call(value);
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    bufferLength.call(value);
    return true;
  } catch {
    return false;
  }
}

export function isResizable(buffer: ArrayBuffer): boolean {
  return bufferResizable.call(buffer);
}

/** 0 when it was detached. */
export function byteLengthOf(bytes: ArrayBuffer | ArrayBufferView): number {
  if (!ArrayBuffer.isView(bytes)) return bufferLength.call(bytes);
  if (typedArrayName(bytes) !== undefined) return typedArray.byteLength.call(bytes);
  try {
    return dataView.byteLength.call(bytes);
  } catch {
    return 0;
  }
}

export function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  return (typedArrayName(view) === undefined ? dataView : typedArray).buffer.call(view);
}

/** The bytes of a view, in the same memory. */
export function viewedBytes(view: ArrayBufferView): Uint8Array {
  if (typedArrayName(view) === 'Uint8Array') return view as Uint8Array;
  const { buffer, byteOffset } = typedArrayName(view) === undefined ? dataView : typedArray;
  const size = byteLengthOf(view);
  return size === 0 ? new Uint8Array() : new Uint8Array(buffer.call(view), byteOffset.call(view), size);
}

export function byteOffsetOf(view: ArrayBufferView): number {
  return (typedArrayName(view) === undefined ? dataView : typedArray).byteOffset.call(view);
}

type ViewConstructor = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => ArrayBufferView;

/** Of views by the name of their type, with the size of an element. Those that the configured library types lack, too. */
const viewTypes: readonly (readonly [name: string, make: ViewConstructor, elementSize: number])[] = [
  ['Uint8Array', Uint8Array, 1],
  ['Int8Array', Int8Array, 1],
  ['Uint8ClampedArray', Uint8ClampedArray, 1],
  ['Int16Array', Int16Array, 2],
  ['Uint16Array', Uint16Array, 2],
  ['Float16Array', (globalThis as unknown as { Float16Array: ViewConstructor }).Float16Array, 2],
  ['Int32Array', Int32Array, 4],
  ['Uint32Array', Uint32Array, 4],
  ['Float32Array', Float32Array, 4],
  ['Float64Array', Float64Array, 8],
  ['BigInt64Array', BigInt64Array, 8],
  ['BigUint64Array', BigUint64Array, 8],
];

export interface ViewType {
  make: ViewConstructor;
  elementSize: number;
}

export function viewTypeOf(view: ArrayBufferView): ViewType {
  const name = typedArrayName(view);
  for (const [known, make, elementSize] of viewTypes) if (known === name) return { make, elementSize };
  return { make: DataView as unknown as ViewConstructor, elementSize: 1 };
}
