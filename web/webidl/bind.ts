// Makes an interface of a standard out of its declaration (valor-idl, made by tools/generate-idl.ts) and a class that
// implements it: https://webidl.spec.whatwg.org/#js-interfaces
//
// The class has the interface's members under their names. It gets values that are already converted, as its methods'
// arguments, and is only ever called on its own instances. What is public is not the class but a constructor that
// converts and then constructs the class; the platform constructs the class directly.

import { defineEventHandler } from '../dom/event-handler.ts';
import { natives } from '../natives.ts';
import { defineHidden, shapedInterfaces } from './define.ts';
import { type Pair, pairIteratorFactory } from './iterable.ts';
import { defineBrand, emptyDictionary, type Type } from './types.ts';

interface Arguments {
  required: number;
  types: readonly Type[];
  defaults: readonly ((() => unknown) | undefined)[];
  variadic: boolean;
}

export type MemberDeclaration =
  | { kind: 'constant'; name: string; value: number }
  | {
      kind: 'attribute' | 'handler';
      name: string;
      static: boolean;
      promise: boolean;
      json: boolean;
      set?: Type;
      replaceable?: boolean;
      forwards?: string;
    }
  | { kind: 'operation'; name: string; static: boolean; promise: boolean; arguments: Arguments }
  | { kind: 'stringifier'; attribute?: string }
  | { kind: 'toJSON' };

export interface InterfaceDeclaration {
  name: string;
  parent: string | null;
  constructor: Arguments | null;
  iterable: string;
  members: readonly MemberDeclaration[];
}

// biome-ignore lint/suspicious/noExplicitAny: classes of every shape are accepted
type Class = abstract new (...args: any[]) => object;
type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Bound {
  constructor: Class;
  /** Attributes that toJSON gives, those of the parent first. */
  json: readonly string[];
}

export interface BindOptions<T extends object> {
  /** Members of the standard that are left out on purpose. */
  without?: readonly string[];
  /** What an interface that is iterable iterates over. */
  pairs?: (object: T) => readonly (readonly [unknown, unknown])[];
  /** How structured clone copies an object. */
  clone?: (object: T) => object;
  /** Its data, for a copy in another instance (messaging/unpack.ts). */
  pack?: (object: T) => unknown;
  /** What becomes of an object that is transferred. */
  transfer?: (object: T) => object;
  /** Told when an event handler attribute was set. */
  handlerSet?: (object: T, type: string) => void;
}

const { apply, construct, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const { setPrototypeOf, getPrototypeOf } = Object;
const reject = Promise.reject.bind(Promise);

const interfaces = new Map<string, Bound>();

function findInterface(name: string): Bound {
  const shaped = shapedInterfaces.get(name);
  const found = interfaces.get(name) ?? (shaped && { constructor: shaped as Class, json: [] });
  if (!found) throw new Error(`The interface ${name} is not there yet`);
  return found;
}

function count(number: number): string {
  return `${number} argument${number === 1 ? '' : 's'}`;
}

/** Converts in place. */
function convert(args: unknown[], declared: Arguments, what: string): unknown[] {
  const { required, types, defaults, variadic } = declared;
  if (args.length < required) {
    throw new TypeError(`${what}: ${count(required)} required, but only ${args.length} present`);
  }
  const length = variadic ? Math.max(args.length, types.length) : types.length;
  for (let at = 0; at < length; at++) {
    const last = variadic && at >= types.length - 1;
    if (last && at >= args.length) break;
    const type = types[Math.min(at, types.length - 1)] as Type;
    const value = args[at];
    if (value === undefined && at >= required && !last) {
      const otherwise = defaults[at];
      args[at] = otherwise === emptyDictionary ? type.convert(undefined, what) : otherwise?.();
    } else {
      args[at] = type.convert(value, `${what}: parameter ${at + 1}`);
    }
  }
  if (args.length > length) args.length = length;
  return args;
}

function named<T extends object>(value: T, name: string, length?: number): T {
  if (length !== undefined) defineProperty(value, 'length', { value: length, configurable: true });
  defineProperty(value, 'name', { value: name, configurable: true });
  return value;
}

function makeConstructor(declaration: InterfaceDeclaration, implementation: Class): Class {
  const { name, constructor: declared } = declaration;
  const what = `Failed to construct '${name}'`;
  // A function, not a class, so that `prototype` can be the implementation's.
  function Interface(this: unknown, ...args: unknown[]): unknown {
    if (declared === null) throw new TypeError('Illegal constructor');
    if (new.target === undefined) throw new TypeError(`${what}: use the 'new' operator`);
    return construct(implementation as never, convert(args, declared, what), new.target);
  }
  named(Interface, name, declared?.required ?? 0);
  defineProperty(Interface, 'prototype', { value: implementation.prototype, writable: false });
  return Interface as unknown as Class;
}

/**
 * `isInstance` tells the real instances from objects that only inherit from the prototype. Returns what belongs on the
 * global.
 */
export function bind<T extends object>(
  declaration: InterfaceDeclaration,
  implementation: abstract new (...args: never[]) => T,
  isInstance: (value: unknown) => boolean,
  options: BindOptions<T> = {},
): Class {
  const { name, parent, members } = declaration;
  const publicClass = makeConstructor(declaration, implementation as unknown as Class);
  const prototype = implementation.prototype as object;
  const left = new Set(ownKeys(prototype).filter((key) => typeof key === 'string' && key !== 'constructor'));
  const from = parent === null ? null : findInterface(parent);
  if (from && getPrototypeOf(prototype) !== from.constructor.prototype) {
    throw new Error(`${name}: its class does not extend that of ${parent}`);
  }
  setPrototypeOf(publicClass, from?.constructor ?? Function.prototype);
  defineHidden(prototype, 'constructor', publicClass);

  const json = [...(from?.json ?? [])];
  const check = (value: unknown): void => {
    if (!isInstance(value)) throw new TypeError(`Illegal invocation: this is not of type '${name}'`);
  };
  const find = (holder: object, member: string): PropertyDescriptor | undefined => {
    const found = getOwnPropertyDescriptor(holder, member);
    if (!found && !options.without?.includes(member)) throw new Error(`${name}: ${member} is not implemented`);
    return found;
  };

  const defineOperation = (member: MemberDeclaration & { kind: 'operation' }): void => {
    const found = find(member.static ? implementation : prototype, member.name);
    if (!found) return;
    const method = found.value as Method;
    const what = `Failed to execute '${member.name}' on '${name}'`;
    const { static: isStatic, promise } = member;
    // A method, not a function, so that it is no constructor.
    const { operation } = {
      operation(this: unknown, ...args: unknown[]): unknown {
        if (!promise) {
          if (!isStatic) check(this);
          return apply(method, isStatic ? implementation : this, convert(args, member.arguments, what));
        }
        try {
          if (!isStatic) check(this);
          return apply(method, isStatic ? implementation : this, convert(args, member.arguments, what));
        } catch (error) {
          return reject(error);
        }
      },
    };
    defineProperty(member.static ? publicClass : prototype, member.name, {
      value: named(operation, member.name, member.arguments.required),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  };

  const defineAttribute = (member: MemberDeclaration & { kind: 'attribute' }): void => {
    const found = find(member.static ? implementation : prototype, member.name);
    if (!found) return;
    const read = found.get as Method;
    const { get } = {
      get(this: unknown): unknown {
        if (!member.promise) {
          if (!member.static) check(this);
          return apply(read, this, []);
        }
        try {
          check(this);
          return apply(read, this, []);
        } catch (error) {
          return reject(error);
        }
      },
    };
    named(get, `get ${member.name}`);
    const write = found.set as Method | undefined;
    const type = member.set;
    let set: ((value: unknown) => void) | undefined;
    if (type && write) {
      const what = `Failed to set '${member.name}' on '${name}': the value`;
      set = {
        set(this: unknown, value: unknown): void {
          check(this);
          apply(write, this, [type.convert(value, what)]);
        },
      }.set;
      named(set, `set ${member.name}`);
    }
    if (member.json) json.push(member.name);
    defineProperty(member.static ? publicClass : prototype, member.name, {
      get,
      set,
      enumerable: true,
      configurable: true,
    });
  };

  for (const member of members) {
    if ('name' in member) left.delete(member.name);
    switch (member.kind) {
      case 'constant': {
        const constant = { value: member.value, writable: false, enumerable: true, configurable: false };
        defineProperty(publicClass, member.name, constant);
        defineProperty(prototype, member.name, constant);
        break;
      }
      case 'handler':
        if (!options.without?.includes(member.name))
          defineEventHandler(prototype, member.name.slice(2), check, options.handlerSet as never);
        break;
      case 'attribute':
        defineAttribute(member as MemberDeclaration & { kind: 'attribute' });
        break;
      case 'operation':
        defineOperation(member);
        break;
      case 'stringifier': {
        left.delete('toString');
        const { attribute } = member;
        const read = (
          attribute ? getOwnPropertyDescriptor(prototype, attribute)?.get : find(prototype, 'toString')?.value
        ) as Method;
        const holder = {
          toString(this: unknown): unknown {
            check(this);
            return apply(read, this, []);
          },
        };
        defineProperty(prototype, 'toString', {
          value: holder.toString,
          writable: true,
          enumerable: true,
          configurable: true,
        });
        break;
      }
      case 'toJSON': {
        const { toJSON } = {
          toJSON(this: unknown): object {
            check(this);
            const result: Record<string, unknown> = {};
            for (const key of json) result[key] = (this as Record<string, unknown>)[key];
            return result;
          },
        };
        defineProperty(prototype, 'toJSON', { value: toJSON, writable: true, enumerable: true, configurable: true });
        break;
      }
    }
  }
  if (declaration.iterable === 'pairs' && options.pairs) definePairs(prototype, name, check, options.pairs as never);
  if (left.size > 0) throw new Error(`${name}: the standard has no ${[...left].map(String).join(', ')}`);

  defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  const { clone, transfer, pack } = options;
  natives.markPlatformPrototype(
    prototype,
    clone as never,
    transfer as never,
    pack && ((object: never) => [name, pack(object)]),
  );
  interfaces.set(name, { constructor: publicClass, json });
  defineBrand(name, isInstance);
  return publicClass;
}

/** https://webidl.spec.whatwg.org/#js-iterable */
function definePairs(
  prototype: object,
  name: string,
  check: (value: unknown) => void,
  pairsOf: (object: object) => readonly Pair[],
): void {
  const iterate = pairIteratorFactory(name, pairsOf);
  const methods = {
    entries(this: object): unknown {
      check(this);
      return iterate(this, 'key+value');
    },
    keys(this: object): unknown {
      check(this);
      return iterate(this, 'key');
    },
    values(this: object): unknown {
      check(this);
      return iterate(this, 'value');
    },
    forEach(this: object, callback: unknown, thisArgument?: unknown): void {
      check(this);
      if (typeof callback !== 'function') {
        throw new TypeError(`Failed to execute 'forEach' on '${name}': parameter 1 is not a function`);
      }
      for (let at = 0, pairs = pairsOf(this); at < pairs.length; pairs = pairsOf(this)) {
        const [key, value] = pairs[at++] as Pair;
        apply(callback as Method, thisArgument, [value, key, this]);
      }
    },
  };
  for (const [key, method] of Object.entries(methods)) {
    if (key === 'forEach') named(method, key, 1);
    defineProperty(prototype, key, { value: method, writable: true, enumerable: true, configurable: true });
  }
  defineHidden(prototype, Symbol.iterator, methods.entries);
}
