// Shows any value as text, for people. Runs no code of the plug-in: getters are named, proxies are looked through.

import { natives } from '../natives.ts';
import { platformFields } from './inspectors.ts';
import { arrange, quote, shorten } from './layout.ts';
import { ValueKind } from './value-kind.ts';

export interface InspectOptions {
  /** How many levels of objects in objects are shown. */
  depth: number;
  showHidden: boolean;
}

export const defaultOptions: InspectOptions = { depth: 4, showHidden: false };

const maxItems = 100;
// An object graph can be far larger than anybody reads; from here on objects are only named.
const maxObjects = 10_000;

/** Never throws. */
export function inspect(value: unknown, options: InspectOptions = defaultOptions): string {
  try {
    return new Inspection(options).value(value, 0);
  } catch {
    // Objects that a plug-in has tampered with, and nesting deeper than the stack.
    return '[Object that cannot be shown]';
  }
}

interface Parts {
  prefix: string;
  entries: string[];
  brackets: '{}' | '[]';
  /** Own properties that the entries show already. */
  skip: (key: PropertyKey) => boolean;
  /** Shown instead of "prefix {}" when there is nothing inside. */
  bare: string | null;
}

const nothing = (): boolean => false;
const isIndex = (key: PropertyKey): boolean => typeof key === 'string' && /^(?:0|[1-9]\d*)$/.test(key);

/** A data property of an object or its prototypes, without running getters. */
function dataProperty(object: object, key: PropertyKey): unknown {
  for (let holder: object | null = object; holder; holder = Object.getPrototypeOf(holder)) {
    if (natives.classify(holder) === ValueKind.Proxy) return undefined;
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor) return descriptor.value;
  }
  return undefined;
}

function constructorName(object: object): string | null {
  for (let holder: object | null = object; holder; holder = Object.getPrototypeOf(holder)) {
    if (natives.classify(holder) === ValueKind.Proxy) return 'Object';
    const value = Object.getOwnPropertyDescriptor(holder, 'constructor')?.value;
    if (typeof value !== 'function' || natives.classify(value) !== ValueKind.Function) continue;
    const name = Object.getOwnPropertyDescriptor(value, 'name')?.value;
    if (typeof name === 'string' && name !== '') return name;
  }
  return null;
}

/** "Class", "Class [tag]" or "[Object: null prototype]", with `size` in parentheses behind the name. */
function objectPrefix(object: object, fallback: string, size = ''): string {
  const name = constructorName(object);
  const tag = dataProperty(object, Symbol.toStringTag);
  const title = name === null ? `[${fallback}${size}: null prototype]` : `${name}${size}`;
  return typeof tag === 'string' && tag !== '' && tag !== name ? `${title} [${tag}]` : title;
}

class Inspection {
  #options: InspectOptions;
  #ancestors: object[] = [];
  #references = new Map<object, number>();
  #budget = maxObjects;

  constructor(options: InspectOptions) {
    this.#options = options;
  }

  value(value: unknown, level: number): string {
    switch (typeof value) {
      case 'string':
        return quote(shorten(value));
      case 'bigint':
        return `${value}n`;
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'object':
        return value === null ? 'null' : this.#object(value, level);
      case 'function':
        return this.#object(value, level);
      default:
        return String(value);
    }
  }

  #object(object: object, level: number): string {
    if (natives.classify(object) === ValueKind.Proxy) {
      let target: object | null = object;
      while (target && natives.classify(target) === ValueKind.Proxy) target = natives.proxyTarget(target);
      return target ? this.#object(target, level) : '<Revoked Proxy>';
    }
    if (this.#ancestors.includes(object)) {
      let reference = this.#references.get(object);
      if (reference === undefined) {
        reference = this.#references.size + 1;
        this.#references.set(object, reference);
      }
      return `[Circular *${reference}]`;
    }
    const tooDeep = level > this.#options.depth || --this.#budget < 0;
    this.#ancestors.push(object);
    const text = this.#parts(object, level, tooDeep);
    this.#ancestors.pop();
    const reference = this.#references.get(object);
    return reference === undefined ? text : `<ref *${reference}> ${text}`;
  }

  #parts(object: object, level: number, tooDeep: boolean): string {
    const parts = this.#describe(object, level, tooDeep);
    if (typeof parts === 'string') return parts;
    if (tooDeep) return parts.bare ?? `[${parts.prefix || (parts.brackets === '[]' ? 'Array' : 'Object')}]`;
    this.#properties(object, parts, level);
    if (parts.entries.length === 0 && parts.bare !== null) return parts.bare;
    return arrange(parts.bare ?? parts.prefix, parts.entries, parts.brackets, level);
  }

  #describe(object: object, level: number, tooDeep: boolean): Parts | string {
    const parts: Parts = { prefix: '', entries: [], brackets: '{}', skip: nothing, bare: null };
    const kind = natives.classify(object);
    const add = (entries: string[]): void => {
      parts.entries = entries;
    };
    switch (kind) {
      case ValueKind.Function:
        parts.bare = functionTitle(object as CallableFunction);
        break;
      case ValueKind.Error:
        return this.#error(object as Error, level, tooDeep);
      case ValueKind.Date: {
        const time = Date.prototype.getTime.call(object);
        parts.bare = Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(object);
        break;
      }
      case ValueKind.RegExp:
        parts.bare = RegExp.prototype.toString.call(object);
        break;
      case ValueKind.BoxedPrimitive: {
        parts.bare = boxedTitle(object, (value) => this.value(value, level));
        if (parts.bare.startsWith('[String')) parts.skip = (key) => isIndex(key) || key === 'length';
        break;
      }
      case ValueKind.Array: {
        const array = object as unknown[];
        const name = constructorName(array);
        parts.prefix = name === 'Array' ? '' : objectPrefix(array, 'Array', `(${array.length})`);
        parts.brackets = '[]';
        parts.skip = isIndex;
        if (!tooDeep) add(this.#items(array, level));
        break;
      }
      case ValueKind.Arguments:
        parts.prefix = '[Arguments]';
        parts.brackets = '[]';
        parts.skip = isIndex;
        if (!tooDeep) add(this.#items(Array.prototype.slice.call(object), level));
        break;
      case ValueKind.TypedArray: {
        const array = object as Uint8Array;
        parts.prefix = objectPrefix(array, 'TypedArray', `(${array.length})`).replace(/ \[\w+\]$/, '');
        parts.brackets = '[]';
        parts.skip = isIndex;
        const first = { length: Math.min(array.length, maxItems) };
        if (!tooDeep)
          add(
            this.#list(
              Array.from(first, (_, at) => array[at]),
              array.length,
              level,
            ),
          );
        break;
      }
      case ValueKind.Map:
      case ValueKind.Set:
      case ValueKind.MapIterator:
      case ValueKind.SetIterator:
        this.#collection(object, kind, parts, level, tooDeep);
        break;
      case ValueKind.WeakMap:
      case ValueKind.WeakSet:
        parts.prefix = objectPrefix(object, 'WeakMap').replace(/ \[\w+\]$/, '');
        add(['<items unknown>']);
        break;
      case ValueKind.WeakRef:
        parts.prefix = 'WeakRef';
        if (!tooDeep) add([this.value(WeakRef.prototype.deref.call(object), level + 1)]);
        break;
      case ValueKind.Promise: {
        const [state, result] = natives.promiseState(object);
        parts.prefix = objectPrefix(object, 'Promise').replace(/ \[\w+\]$/, '');
        if (state === 0) add(['<pending>']);
        else if (!tooDeep) add([`${state === 2 ? '<rejected> ' : ''}${this.value(result, level + 1)}`]);
        break;
      }
      case ValueKind.ArrayBuffer:
      case ValueKind.SharedArrayBuffer: {
        const bytes = new Uint8Array((object as ArrayBuffer).detached ? [] : (object as ArrayBuffer));
        const hex = Array.from(bytes.subarray(0, maxItems), (byte) => byte.toString(16).padStart(2, '0'));
        if (bytes.length > maxItems) hex.push('...');
        parts.prefix = objectPrefix(object, 'ArrayBuffer').replace(/ \[\w+\]$/, '');
        add([`[Uint8Contents]: <${hex.join(' ')}>`, `byteLength: ${bytes.length}`]);
        break;
      }
      case ValueKind.Generator:
        parts.prefix = 'Object [Generator]';
        break;
      case ValueKind.ModuleNamespace:
        parts.prefix = '[Module: null prototype]';
        break;
      default: {
        parts.prefix = objectPrefix(object, 'Object');
        if (parts.prefix === 'Object') parts.prefix = '';
        const fields = platformFields(object);
        if (!fields) break;
        parts.skip = (key) => typeof key === 'string' && key.startsWith('_');
        if (!tooDeep) add(fields.map(([name, field]) => `${propertyName(name)}: ${this.value(field, level + 1)}`));
      }
    }
    return parts;
  }

  /** The items of an array, with runs of holes. */
  #items(array: unknown[], level: number): string[] {
    const entries: string[] = [];
    let holes = 0;
    const flush = (): void => {
      if (holes > 0) entries.push(`<${holes} empty item${holes === 1 ? '' : 's'}>`);
      holes = 0;
    };
    let index = 0;
    for (; index < array.length && entries.length < maxItems; index++) {
      const descriptor = Object.getOwnPropertyDescriptor(array, index);
      if (!descriptor) {
        holes++;
        continue;
      }
      flush();
      entries.push(this.#property(descriptor, level));
    }
    flush();
    if (index < array.length) entries.push(more(array.length - index));
    return entries;
  }

  #list(values: Iterable<unknown>, length: number, level: number): string[] {
    const entries = Array.from(values, (value) => this.value(value, level + 1));
    if (length > maxItems) entries.push(more(length - maxItems));
    return entries;
  }

  #collection(object: object, kind: number, parts: Parts, level: number, tooDeep: boolean): void {
    const { entries, pairs } = natives.previewEntries(object);
    const count = pairs ? entries.length / 2 : entries.length;
    const isIterator = kind === ValueKind.MapIterator || kind === ValueKind.SetIterator;
    parts.prefix = isIterator
      ? `[${kind === ValueKind.MapIterator ? 'Map' : 'Set'} Iterator]`
      : objectPrefix(object, kind === ValueKind.Map ? 'Map' : 'Set', `(${count})`).replace(/ \[\w+\]$/, '');
    if (tooDeep) return;
    for (let i = 0; i < count && i < maxItems; i++) {
      if (!pairs) {
        parts.entries.push(this.value(entries[i], level + 1));
        continue;
      }
      const key = this.value(entries[2 * i], level + 1);
      const value = this.value(entries[2 * i + 1], level + 1);
      parts.entries.push(isIterator ? `[ ${key}, ${value} ]` : `${key} => ${value}`);
    }
    if (count > maxItems) parts.entries.push(more(count - maxItems));
  }

  /** Stack, or name and message; then further properties, the cause, and the errors of an AggregateError. */
  #error(error: Error, level: number, tooDeep: boolean): string {
    let title: string;
    try {
      // The stack of a real error is read without running code; a replaced one may be an accessor.
      const { stack } = error;
      title = typeof stack === 'string' && stack !== '' ? stack : Error.prototype.toString.call(error);
    } catch {
      title = '[Error]';
    }
    if (!title.includes('\n')) title = `[${title}]`;
    title = title.replaceAll('\n', `\n${'  '.repeat(level)}`);
    if (tooDeep) return title.split('\n', 1)[0] as string;
    const hidden = new Set<PropertyKey>(['stack', 'message', 'cause', 'errors']);
    const parts: Parts = { prefix: title, entries: [], brackets: '{}', skip: (key) => hidden.has(key), bare: title };
    for (const key of ['cause', 'errors']) {
      const descriptor = Object.getOwnPropertyDescriptor(error, key);
      if (descriptor) parts.entries.push(`[${key}]: ${this.#property(descriptor, level)}`);
    }
    this.#properties(error, parts, level);
    return parts.entries.length === 0 ? title : arrange(title, parts.entries, '{}', level);
  }

  #properties(object: object, parts: Parts, level: number): void {
    for (const key of Reflect.ownKeys(object)) {
      if (parts.skip(key)) continue;
      const descriptor = Object.getOwnPropertyDescriptor(object, key);
      if (!descriptor || (!descriptor.enumerable && !this.#options.showHidden)) continue;
      const name = descriptor.enumerable ? propertyName(key) : `[${String(key)}]`;
      parts.entries.push(`${name}: ${this.#property(descriptor, level)}`);
    }
  }

  #property(descriptor: PropertyDescriptor, level: number): string {
    if (descriptor.get) return descriptor.set ? '[Getter/Setter]' : '[Getter]';
    if (descriptor.set) return '[Setter]';
    return this.value(descriptor.value, level + 1);
  }
}

function more(count: number): string {
  return `... ${count} more item${count === 1 ? '' : 's'}`;
}

function propertyName(key: PropertyKey): string {
  if (typeof key === 'symbol') return `[${String(key)}]`;
  const text = String(key);
  return /^[A-Za-z_$][\w$]*$/.test(text) ? text : quote(text);
}

function functionTitle(callable: CallableFunction): string {
  const name = Object.getOwnPropertyDescriptor(callable, 'name')?.value;
  const label = typeof name === 'string' && name !== '' ? name : null;
  const text = Function.prototype.toString.call(callable);
  if (text.startsWith('class')) {
    const parent = Object.getPrototypeOf(callable);
    const parentName = parent && Object.getOwnPropertyDescriptor(parent, 'name')?.value;
    const suffix = typeof parentName === 'string' && parentName !== '' ? ` extends ${parentName}` : '';
    return `[class ${label ?? '(anonymous)'}${suffix}]`;
  }
  const tag = dataProperty(callable, Symbol.toStringTag);
  const type = typeof tag === 'string' && /^(Async|Generator|AsyncGenerator)Function$/.test(tag) ? tag : 'Function';
  return `[${type}${label === null ? ' (anonymous)' : `: ${label}`}]`;
}

const unboxers: [string, (this: unknown) => unknown][] = [
  ['String', String.prototype.valueOf],
  ['Number', Number.prototype.valueOf],
  ['Boolean', Boolean.prototype.valueOf],
  ['Symbol', Symbol.prototype.valueOf],
  ['BigInt', BigInt.prototype.valueOf],
];

function boxedTitle(object: object, show: (value: unknown) => string): string {
  for (const [name, unbox] of unboxers) {
    try {
      return `[${name}: ${show(unbox.call(object))}]`;
    } catch {
      // Another kind of box.
    }
  }
  return '[Object]';
}
