// What natives.classify() says a value is. The numbers are those of inspect.cpp.

export const ValueKind = {
  Ordinary: 0,
  Proxy: 1,
  Promise: 2,
  Map: 3,
  Set: 4,
  MapIterator: 5,
  SetIterator: 6,
  WeakMap: 7,
  WeakSet: 8,
  WeakRef: 9,
  Date: 10,
  RegExp: 11,
  Error: 12,
  ArrayBuffer: 13,
  SharedArrayBuffer: 14,
  TypedArray: 15,
  DataView: 16,
  BoxedPrimitive: 17,
  Arguments: 18,
  Generator: 19,
  ModuleNamespace: 20,
  Array: 21,
  Function: 22,
} as const;

export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];
