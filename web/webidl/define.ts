// Property attributes that Web IDL asks for: https://webidl.spec.whatwg.org/#js-interfaces

import { natives } from '../natives.ts';

// biome-ignore lint/suspicious/noExplicitAny: constructors of every shape are accepted
export type Constructor = abstract new (...args: any[]) => object;

const classOwnNames = new Set<PropertyKey>(['constructor', 'length', 'name', 'prototype']);

function makeMembersEnumerable(holder: object): void {
  for (const key of Reflect.ownKeys(holder)) {
    if (typeof key === 'string' && !classOwnNames.has(key)) {
      Object.defineProperty(holder, key, { enumerable: true });
    }
  }
}

/** How many arguments operations require ("" is the constructor), where JavaScript would count optional ones too. */
export type RequiredArguments = Record<string, number>;

function setLength(operation: unknown, value: number): void {
  Object.defineProperty(operation, 'length', { value, configurable: true });
}

/** Gives a class the attributes of an interface object. */
export function shapeInterface(type: Constructor, name: string, required: RequiredArguments = {}): void {
  const { prototype } = type;
  makeMembersEnumerable(prototype);
  makeMembersEnumerable(type);
  Object.defineProperty(type, 'name', { value: name, configurable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const [operation, count] of Object.entries(required)) {
    if (operation === '') setLength(type, count);
    else setLength(prototype[operation as never] ?? type[operation as never], count);
  }
  natives.markPlatformPrototype(prototype);
}

/** Defines an interface object on the global. */
export function defineInterface(global: object, type: Constructor, name: string, required?: RequiredArguments): void {
  shapeInterface(type, name, required);
  defineHidden(global, name, type);
}

/** Defines the constants of an interface, on the constructor and on the prototype. */
export function defineConstants(type: Constructor, constants: Record<string, number>): void {
  for (const [name, value] of Object.entries(constants)) {
    const descriptor = { value, enumerable: true, writable: false, configurable: false };
    Object.defineProperty(type, name, descriptor);
    Object.defineProperty(type.prototype, name, descriptor);
  }
}

/** A data property as interface objects have it: writable and configurable, not enumerable. */
export function defineHidden(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
}

/** An operation of the global: writable, enumerable, configurable. */
export function defineOperation(global: object, name: string, operation: (...args: never[]) => unknown): void {
  Object.defineProperty(operation, 'name', { value: name, configurable: true });
  Object.defineProperty(global, name, { value: operation, writable: true, enumerable: true, configurable: true });
}

/** A read-only attribute of the global. */
export function defineReadonly(global: object, name: string, get: () => unknown): void {
  Object.defineProperty(get, 'name', { value: `get ${name}`, configurable: true });
  Object.defineProperty(global, name, { get, set: undefined, enumerable: true, configurable: true });
}

/** A [Replaceable] attribute of the global: assigning to it makes it an ordinary property. */
export function defineReplaceable(global: object, name: string, get: () => unknown): void {
  Object.defineProperty(get, 'name', { value: `get ${name}`, configurable: true });
  const set = (value: unknown): void => {
    Object.defineProperty(global, name, { value, writable: true, enumerable: true, configurable: true });
  };
  Object.defineProperty(set, 'name', { value: `set ${name}`, configurable: true });
  Object.defineProperty(global, name, { get, set, enumerable: true, configurable: true });
}

/** An interface object that is loaded when it is first read; it then becomes an ordinary property. */
export function defineLazyInterface(global: object, name: string, load: () => unknown): void {
  Object.defineProperty(global, name, {
    get(): unknown {
      const value = load();
      defineHidden(global, name, value);
      return value;
    },
    set(value: unknown): void {
      defineHidden(global, name, value);
    },
    enumerable: false,
    configurable: true,
  });
}
