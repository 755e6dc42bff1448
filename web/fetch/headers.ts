// https://fetch.spec.whatwg.org/#headers-class
// Departure: no header is forbidden, since a plug-in on a server must be able to set Cookie, Host or Set-Cookie; unless its
// fetch() is to behave as in a page (page-rules.ts).
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { registerInspector } from '../console/inspectors.ts';
import { isObject, requireArguments, toByteString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { type IterationKind, type Pair, pairIteratorFactory } from '../webidl/iterable.ts';
import { type HeaderList, listDelete, listGet, listGetAll, listHas, listSet, sortAndCombine } from './header-list.ts';
import { pageRules } from './page-rules.ts';
import { isNoCorsName, isSafelisted } from './safelist.ts';

export type HeadersGuard = 'none' | 'request' | 'request-no-cors' | 'response' | 'immutable';

export type HeadersInit = Headers | Iterable<Iterable<string>> | Record<string, string>;

const internal = Symbol('internal');
const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const notPlain = /[^\x20-\x7e]/;
// Programs use few names, again and again: the valid ones that were seen, with their lower-case form.
const knownNames = new Map<string, string>();
const maxKnownNames = 256;

function toName(value: unknown): string {
  const known = knownNames.get(value as string);
  if (known !== undefined) return known;
  const name = toByteString(value);
  if (name === '' || notToken.test(name)) throw new TypeError(`'${name}' is not a valid header name`);
  const lower = name.toLowerCase();
  if (knownNames.size < maxKnownNames && name.length <= 64) knownNames.set(name, lower);
  return lower;
}

function isPlain(text: string): boolean {
  return !notPlain.test(text) && !text.startsWith(' ') && !text.endsWith(' ');
}

/** https://fetch.spec.whatwg.org/#concept-header-value-normalize, then the check of the value. */
function toValue(value: unknown): string {
  if (typeof value === 'string' && isPlain(value)) return value;
  const text = toByteString(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[\0\n\r]/.test(text)) throw new TypeError('A header value has a line break or a zero in it');
  return text;
}

/** Whether the guard lets a header in. https://fetch.spec.whatwg.org/#headers-validate, after the checks. */
function admits(guard: HeadersGuard, name: string, value: string): boolean {
  if (pageRules === null) return true;
  if (guard === 'request') return !pageRules.isForbiddenRequestHeader(name, value);
  return guard !== 'response' || !pageRules.isForbiddenResponseHeader(name);
}

// What request.ts and response.ts need of the insides.
/** Wraps a list, which from now on belongs to the object. */
export let createHeaders: (list: HeaderList, guard: HeadersGuard) => Headers;
/** The list of a Headers object, for reading. */
export let headerListOf: (headers: Headers) => HeaderList;
export let isHeaders: (value: unknown) => value is Headers;

let sortedPairs: (headers: Headers) => readonly Pair[];

export class Headers {
  #list: HeaderList;
  #guard: HeadersGuard;
  #sorted: Pair[] | null = null;

  constructor(init?: HeadersInit, token?: unknown, guard: HeadersGuard = 'none') {
    if (token === internal) {
      this.#list = init as unknown as HeaderList;
      this.#guard = guard;
      return;
    }
    this.#list = [];
    this.#guard = 'none';
    if (init !== undefined) fillHeaderList(this.#list, init);
  }

  /** https://fetch.spec.whatwg.org/#headers-validate, as far as it is not about name and value. */
  #mayChange(): void {
    if (this.#guard === 'immutable') throw new TypeError('These headers are immutable');
    this.#sorted = null;
  }

  append(name: string, value: string): void {
    requireArguments(arguments.length, 2, 'Headers.append');
    const key = toName(name);
    const text = toValue(value);
    this.#mayChange();
    if (!admits(this.#guard, key, text)) return;
    if (this.#guard === 'request-no-cors') {
      const present = listGet(this.#list, key);
      if (!isNoCorsName(key) || !isSafelisted(key, present === null ? text : `${present}, ${text}`)) return;
    }
    this.#list.push(key, text);
    this.#dropPrivileged();
  }

  /** https://fetch.spec.whatwg.org/#concept-headers-remove-privileged-no-cors-request-headers */
  #dropPrivileged(): void {
    if (this.#guard === 'request-no-cors') listDelete(this.#list, 'range');
  }

  delete(name: string): void {
    requireArguments(arguments.length, 1, 'Headers.delete');
    const key = toName(name);
    this.#mayChange();
    if (!admits(this.#guard, key, '')) return;
    if (this.#guard === 'request-no-cors' && !isNoCorsName(key) && key !== 'range') return;
    listDelete(this.#list, key);
    this.#dropPrivileged();
  }

  get(name: string): string | null {
    requireArguments(arguments.length, 1, 'Headers.get');
    return listGet(this.#list, toName(name));
  }

  getSetCookie(): string[] {
    return listGetAll(this.#list, 'set-cookie');
  }

  has(name: string): boolean {
    requireArguments(arguments.length, 1, 'Headers.has');
    return listHas(this.#list, toName(name));
  }

  set(name: string, value: string): void {
    requireArguments(arguments.length, 2, 'Headers.set');
    const key = toName(name);
    const text = toValue(value);
    this.#mayChange();
    if (!admits(this.#guard, key, text)) return;
    if (this.#guard === 'request-no-cors' && !(isNoCorsName(key) && isSafelisted(key, text))) return;
    listSet(this.#list, key, text);
    this.#dropPrivileged();
  }

  entries(): IterableIterator<[string, string]> {
    return iterate(this.#self(), 'key+value');
  }
  keys(): IterableIterator<string> {
    return iterate(this.#self(), 'key');
  }
  values(): IterableIterator<string> {
    return iterate(this.#self(), 'value');
  }

  forEach(callback: (value: string, name: string, headers: Headers) => unknown, thisArgument?: unknown): void {
    this.#self();
    requireArguments(arguments.length, 1, 'Headers.forEach');
    if (typeof callback !== 'function') throw new TypeError('The callback is not a function');
    for (let i = 0; ; i++) {
      const pair = sortedPairs(this)[i];
      if (!pair) return;
      callback.call(thisArgument, pair[1], pair[0], this);
    }
  }

  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

  #self(): this {
    void this.#list;
    return this;
  }

  static {
    createHeaders = (list, guard) => new Headers(list as never, internal, guard);
    headerListOf = (headers) => headers.#list;
    isHeaders = (value): value is Headers => isObject(value) && #list in value;
    sortedPairs = (headers) => {
      headers.#sorted ??= sortAndCombine(headers.#list);
      return headers.#sorted;
    };
  }
}

const iterate = pairIteratorFactory<Headers>('Headers', (headers) => sortedPairs(headers)) as unknown as <T>(
  headers: Headers,
  kind: IterationKind,
) => IterableIterator<T>;

const ownIterator = Headers.prototype.entries;

/** https://fetch.spec.whatwg.org/#concept-headers-fill: appends to the list what the guard lets in. */
export function fillHeaderList(list: HeaderList, init: unknown, guard: HeadersGuard = 'none'): void {
  const added: HeaderList = pageRules === null || guard === 'none' ? list : [];
  fill(added, init);
  if (added !== list) appendAdmitted(list, added, guard);
}

/** The same from a list. */
export function appendAdmitted(list: HeaderList, added: HeaderList, guard: HeadersGuard): void {
  for (let i = 0; i < added.length; i += 2) {
    const [name, value] = [added[i] as string, added[i + 1] as string];
    if (admits(guard, name, value)) list.push(name, value);
  }
}

function fill(list: HeaderList, init: unknown): void {
  if (!isObject(init)) throw new TypeError('The headers are neither a list of pairs nor an object');
  const iterator = (init as Headers)[Symbol.iterator];
  if (isHeaders(init) && iterator === ownIterator) {
    for (const part of headerListOf(init)) list.push(part);
  } else if (iterator !== undefined && iterator !== null) {
    for (const entry of init as Iterable<unknown>) {
      if (!isObject(entry)) throw new TypeError('A header is not a pair of name and value');
      const pair = [...(entry as Iterable<unknown>)];
      if (pair.length !== 2) throw new TypeError('A header is not a pair of name and value');
      list.push(toName(pair[0]), toValue(pair[1]));
    }
  } else {
    for (const key of Reflect.ownKeys(init)) {
      if (!Object.prototype.propertyIsEnumerable.call(init, key)) continue;
      list.push(toName(key), toValue((init as Record<PropertyKey, unknown>)[key]));
    }
  }
}

export function installHeaders(global: object): void {
  defineInterface(global, Headers, 'Headers', { '': 0, forEach: 1 });
  Object.defineProperty(Headers.prototype, Symbol.iterator, { value: ownIterator, writable: true, configurable: true });
  registerInspector(Headers.prototype, (headers: Headers) => sortedPairs(headers));
}
