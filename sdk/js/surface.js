// A plug-in that lists what plug-ins find on their global, for tools/generate-types.ts and for the test of its result.
const language = new Set(
  `Object Function Array Number Boolean String Symbol BigInt Promise Date RegExp Error AggregateError EvalError RangeError ReferenceError
  SyntaxError TypeError URIError SuppressedError ArrayBuffer SharedArrayBuffer DataView Map Set WeakMap WeakSet WeakRef
  FinalizationRegistry Proxy Reflect JSON Math Intl Atomics Iterator Temporal DisposableStack AsyncDisposableStack globalThis Infinity NaN
  undefined eval parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape
  Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array
  Float16Array Float32Array Float64Array`.split(/\s+/),
);
const names = (holder) => Reflect.ownKeys(holder).map(String);

/** Names of the members of an object and of its prototypes that are not the language's. */
function members(object) {
  const found = new Set();
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of names(at)) found.add(name);
  }
  return [...found];
}

function describe(name) {
  const value = globalThis[name];
  if (typeof value === 'function' && typeof value.prototype === 'object') {
    return { own: names(value.prototype), members: members(value.prototype), statics: names(value) };
  }
  return typeof value === 'object' && value !== null && name === 'WebAssembly' ? { members: names(value) } : {};
}

const surface = {};
for (const name of members(globalThis)) if (!language.has(name)) surface[name] = describe(name);

export default { fetch: () => Response.json(surface) };
