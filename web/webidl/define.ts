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

/**
 * How many arguments operations require ("" is the constructor, "static f" a static one), where JavaScript would count
 * optional ones too.
 */
export type RequiredArguments = Record<string, number>;

function setLength(operation: unknown, value: number): void {
  Object.defineProperty(operation, 'length', { value, configurable: true });
}

/** Interfaces that are classes themselves, by name. */
export const shapedInterfaces = new Map<string, Constructor>();

/** Gives a class the attributes of an interface object. */
export function shapeInterface(type: Constructor, name: string, required: RequiredArguments = {}): void {
  const { prototype } = type;
  makeMembersEnumerable(prototype);
  makeMembersEnumerable(type);
  Object.defineProperty(type, 'name', { value: name, configurable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const [operation, count] of Object.entries(required)) {
    if (operation === '') setLength(type, count);
    else if (operation.startsWith('static ')) setLength(type[operation.slice('static '.length) as never], count);
    else setLength(prototype[operation as never] ?? type[operation as never], count);
  }
  natives.markPlatformPrototype(prototype);
  shapedInterfaces.set(name, type);
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

let scopePrototype: object | null = null;

/** What is defined on the global from now on goes to this prototype: WorkerGlobalScope's, whose members are not its own. */
export function useScopePrototype(prototype: object): void {
  scopePrototype = prototype;
}

// https://html.spec.whatwg.org/multipage/workers.html#dedicatedworkerglobalscope is [Global]: its members are on the global.
const ownMembers = new Set(['name', 'postMessage', 'valor', 'onfetch', 'onmessage', 'onmessageerror']);

/** Where a member of the global belongs. */
export function holderOf(global: object, name: string): object {
  return scopePrototype === null || ownMembers.has(name) ? global : scopePrototype;
}

/** https://webidl.spec.whatwg.org/#dfn-create-operation-function: no receiver stands for the global. */
export function checkGlobal(receiver: unknown): void {
  if (receiver !== undefined && receiver !== null && receiver !== globalThis) {
    throw new TypeError('Illegal invocation: this is not the global');
  }
}

/**
 * An operation of the global: writable, enumerable, configurable. It checks its receiver itself where it is called often
 * (`checked`).
 */
export function defineOperation(
  global: object,
  name: string,
  operation: (...args: never[]) => unknown,
  checked = false,
): void {
  let value = operation;
  if (!checked) {
    value = {
      operation(this: unknown, ...args: never[]): unknown {
        checkGlobal(this);
        return Reflect.apply(operation, undefined, args);
      },
    }.operation;
    Object.defineProperty(value, 'length', { value: operation.length, configurable: true });
  }
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  const attributes = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(holderOf(global, name), name, attributes);
}

function defineAccessor(
  global: object,
  name: string,
  read: () => unknown,
  write: ((value: unknown) => void) | undefined,
): void {
  const accessor = {
    get(this: unknown): unknown {
      checkGlobal(this);
      return read();
    },
    set(this: unknown, value: unknown): void {
      checkGlobal(this);
      write?.(value);
    },
  };
  const { get, set } = accessor;
  Object.defineProperty(get, 'name', { value: `get ${name}`, configurable: true });
  Object.defineProperty(set, 'name', { value: `set ${name}`, configurable: true });
  const attributes = { get, set: write && set, enumerable: true, configurable: true };
  Object.defineProperty(holderOf(global, name), name, attributes);
}

/** A read-only attribute of the global. */
export function defineReadonly(global: object, name: string, get: () => unknown): void {
  defineAccessor(global, name, get, undefined);
}

/** A [Replaceable] attribute of the global: assigning to it makes it an ordinary property. */
export function defineReplaceable(global: object, name: string, get: () => unknown): void {
  defineAccessor(global, name, get, (value) => {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
  });
}

/** An interface object that is loaded when it is first read. */
export function defineLazyInterface(global: object, name: string, load: () => unknown): void {
  natives.defineLazyProperty(global, name, load);
}
