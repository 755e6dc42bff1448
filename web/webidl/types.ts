// The types of Web IDL as values, each with the conversion from JavaScript: https://webidl.spec.whatwg.org/#js-type-mapping
// tools/generate-idl.ts writes the standards' declarations in terms of these.

import { bufferOf, isArrayBuffer, isResizable, typedArrayName } from './buffer-source.ts';
import { isObject, toByteString, toDOMString, toUSVString } from './conversions.ts';

export interface Type {
  /** What a union tells types apart by. */
  readonly kind: Kind;
  /** `what` names the value in errors. */
  convert(value: unknown, what: string): unknown;
  /** Of those that only some objects have. */
  test?(value: unknown): boolean;
  /** The members of a union, the one behind a nullable. */
  readonly members?: readonly Type[];
}

type Kind =
  | 'any'
  | 'boolean'
  | 'number'
  | 'string'
  | 'object'
  | 'buffer'
  | 'instance'
  | 'callback'
  | 'dictionary'
  | 'sequence'
  | 'record'
  | 'nullable'
  | 'union';

const { isView } = ArrayBuffer;
const { ownKeys, getOwnPropertyDescriptor } = Reflect;

export const any: Type = { kind: 'any', convert: (value) => value };
export const boolean: Type = { kind: 'boolean', convert: (value) => Boolean(value) };
export const DOMString: Type = { kind: 'string', convert: toDOMString };
export const USVString: Type = { kind: 'string', convert: toUSVString };
export const ByteString: Type = { kind: 'string', convert: toByteString };
export const nullToEmptyString: Type = {
  kind: 'string',
  convert: (value) => (value === null ? '' : toDOMString(value)),
};

export const object: Type = {
  kind: 'object',
  convert(value, what) {
    if (!isObject(value)) throw new TypeError(`${what} is not an object`);
    return value;
  },
};

export const unrestrictedDouble: Type = { kind: 'number', convert: (value) => Number(value) };
export const double: Type = {
  kind: 'number',
  convert(value, what) {
    const number = Number(value);
    if (!Number.isFinite(number)) throw new TypeError(`${what} is not a finite number`);
    return number;
  },
};

/** https://webidl.spec.whatwg.org/#abstract-opdef-converttoint */
export function integer(bits: number, signed: boolean, mode: 'wrap' | 'clamp' | 'enforceRange'): Type {
  const exact = bits === 64;
  const upper = exact ? Number.MAX_SAFE_INTEGER : 2 ** (signed ? bits - 1 : bits) - 1;
  const lower = signed ? (exact ? Number.MIN_SAFE_INTEGER : -(2 ** (bits - 1))) : 0;
  const modulus = 2 ** bits;
  return {
    kind: 'number',
    convert(value, what) {
      let number = Number(value);
      if (mode === 'enforceRange') {
        if (!Number.isFinite(number)) throw new TypeError(`${what} is not a finite number`);
        number = Math.trunc(number) + 0;
        if (number < lower || number > upper) throw new TypeError(`${what} is outside the range of its type`);
        return number;
      }
      if (Number.isNaN(number)) return 0;
      if (mode === 'clamp') {
        number = Math.min(Math.max(number, lower), upper);
        // To the nearest integer, ties to the even one.
        const floor = Math.floor(number);
        const distance = number - floor;
        if (distance < 0.5 || (distance === 0.5 && floor % 2 === 0)) return floor + 0;
        return floor + 1;
      }
      if (!Number.isFinite(number)) return 0;
      number = Math.trunc(number) + 0;
      if (number >= lower && number <= upper) return number;
      if (exact) {
        const wrapped = signed ? BigInt.asIntN(64, BigInt(number)) : BigInt.asUintN(64, BigInt(number));
        return Number(wrapped);
      }
      number %= modulus;
      if (number < 0) number += modulus;
      return signed && number > upper ? number - modulus : number;
    },
  };
}

function bufferType(test: (value: unknown) => boolean, name: string): Type {
  return {
    kind: 'buffer',
    test,
    convert(value, what) {
      if (!test(value)) throw new TypeError(`${what} is not ${name}`);
      return value;
    },
  };
}

// A view of shared memory, or of memory that may be resized, is refused where the standard does not say [AllowShared].
function isPlainBuffer(buffer: unknown): boolean {
  return isArrayBuffer(buffer) && !isResizable(buffer);
}

function isPlainView(value: unknown): boolean {
  return isView(value) && isPlainBuffer(bufferOf(value));
}

export const arrayBuffer = bufferType(isPlainBuffer, 'an ArrayBuffer');
export const arrayBufferView = bufferType(isPlainView, 'a view of an ArrayBuffer');
export const bufferSource = bufferType(
  (value) => isPlainBuffer(value) || isPlainView(value),
  'an ArrayBuffer or a view of one',
);

export function view(name: string): Type {
  const test = (value: unknown): boolean =>
    isPlainView(value) && typedArrayName(value) === (name === 'DataView' ? undefined : name);
  return bufferType(test, `a ${name}`);
}

const brands = new Map<string, (value: unknown) => boolean>();

/** From now on `test` says what is an instance of that interface. */
export function defineBrand(name: string, test: (value: unknown) => boolean): void {
  brands.set(name, test);
}

export function instance(name: string): Type {
  // As long as nobody defined it, there are none.
  const test = (value: unknown): boolean => brands.get(name)?.(value) ?? false;
  return {
    kind: 'instance',
    test,
    convert(value, what) {
      if (!test(value)) throw new TypeError(`${what} is not of type '${name}'`);
      return value;
    },
  };
}

export const callback: Type = {
  kind: 'callback',
  test: (value) => typeof value === 'function',
  convert(value, what) {
    if (typeof value !== 'function') throw new TypeError(`${what} is not a function`);
    return value;
  },
};
/** [LegacyTreatNonObjectAsNull] */
export const handler: Type = { kind: 'callback', convert: (value) => (isObject(value) ? value : null) };

export function nullable(inner: Type): Type {
  return {
    kind: 'nullable',
    members: [inner],
    convert: (value, what) => (value === null || value === undefined ? null : inner.convert(value, what)),
  };
}

export function enumeration(name: string, values: readonly string[]): Type {
  return {
    kind: 'string',
    convert(value, what) {
      const text = toDOMString(value);
      if (!values.includes(text)) throw new TypeError(`${what}: '${text}' is not a valid value of ${name}`);
      return text;
    },
  };
}

/** A declaration that may stand further down. */
export function later(type: () => Type): Type {
  return {
    get kind() {
      return type().kind;
    },
    convert: (value, what) => type().convert(value, what),
  };
}

function convertIterable(inner: Type, value: object, method: unknown, what: string): unknown[] {
  if (typeof method !== 'function') throw new TypeError(`${what} is not iterable`);
  const list: unknown[] = [];
  for (const entry of { [Symbol.iterator]: () => Reflect.apply(method, value, []) as Iterator<unknown> }) {
    Object.defineProperty(list, list.length, {
      value: inner.convert(entry, `${what}, element ${list.length}`),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return list;
}

export function sequence(inner: Type): Type {
  return {
    kind: 'sequence',
    members: [inner],
    convert(value, what) {
      if (!isObject(value)) throw new TypeError(`${what} is not iterable`);
      return convertIterable(inner, value, (value as Iterable<unknown>)[Symbol.iterator], what);
    },
  };
}

/** As a list of pairs. */
export function record(key: Type, inner: Type): Type {
  return {
    kind: 'record',
    convert(value, what) {
      if (!isObject(value)) throw new TypeError(`${what} is not an object`);
      const pairs = new Map<unknown, unknown>();
      for (const name of ownKeys(value)) {
        if (!getOwnPropertyDescriptor(value, name)?.enumerable) continue;
        const converted = key.convert(name, what);
        pairs.set(
          converted,
          inner.convert((value as Record<PropertyKey, unknown>)[name], `${what}, '${String(name)}'`),
        );
      }
      return [...pairs];
    },
  };
}

/** The default value `{}`. */
export const emptyDictionary = (): unknown => undefined;

type Member = readonly [name: string, type: Type, required: boolean, defaultValue: (() => unknown) | undefined];

interface Dictionary extends Type {
  fill(value: object | null | undefined, result: Record<string, unknown>, what: string): void;
}

export function dictionary(
  name: string,
  parent: (() => Dictionary) | null,
  members: () => readonly Member[],
): Dictionary {
  let list: readonly Member[] | null = null;
  return {
    kind: 'dictionary',
    fill(value, result, what) {
      parent?.().fill(value, result, what);
      list ??= members();
      for (const [key, type, required, defaultValue] of list) {
        const given = value === null || value === undefined ? undefined : (value as Record<string, unknown>)[key];
        if (given !== undefined) {
          result[key] = type.convert(given, `${what}, '${key}'`);
        } else if (defaultValue) {
          result[key] = defaultValue === emptyDictionary ? type.convert(undefined, what) : defaultValue();
        } else if (required) {
          throw new TypeError(`${what}: the member '${key}' of ${name} is required`);
        }
      }
    },
    convert(value, what) {
      if (value !== null && value !== undefined && !isObject(value)) throw new TypeError(`${what} is not an object`);
      const result: Record<string, unknown> = {};
      Object.setPrototypeOf(result, null);
      this.fill(value as object, result, what);
      return result;
    },
  };
}

/** https://webidl.spec.whatwg.org/#js-union */
export function union(types: readonly Type[]): Type {
  return {
    kind: 'union',
    members: types,
    convert(value, what) {
      const flat: Type[] = [];
      let acceptsNull = false;
      const add = (list: readonly Type[]): void => {
        for (const type of list) {
          if (type.kind === 'nullable') acceptsNull = true;
          if (type.kind === 'nullable' || type.kind === 'union') add(type.members ?? []);
          else flat.push(type);
        }
      };
      add(types);
      const find = (...kinds: Kind[]): Type | undefined => flat.find(({ kind }) => kinds.includes(kind));
      const use = (type: Type): unknown => type.convert(value, what);
      if (value === null || value === undefined) {
        if (acceptsNull) return null;
        const empty = find('dictionary');
        if (empty) return use(empty);
      }
      if (isObject(value)) {
        const special = flat.find((type) => type.test?.(value));
        if (special) return value;
        const list = find('sequence');
        if (list) {
          const method = (value as Iterable<unknown>)[Symbol.iterator];
          if (method !== undefined && method !== null) {
            return convertIterable(list.members?.[0] as Type, value, method, what);
          }
        }
        const structure = find('dictionary', 'record', 'object', 'callback');
        if (structure) return use(structure);
      }
      const boolean = find('boolean');
      if (boolean && typeof value === 'boolean') return value;
      const number = find('number');
      if (number && (typeof value === 'number' || typeof value === 'bigint')) return use(number);
      const other = find('string', 'number', 'boolean', 'any') ?? flat[0];
      return use(other as Type);
    },
  };
}
