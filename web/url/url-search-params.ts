// https://url.spec.whatwg.org/#interface-urlsearchparams
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { registerInspector } from '../console/inspectors.ts';
import { isObject, requireArguments, toUSVString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { type IterationKind, type Pair, pairIteratorFactory } from '../webidl/iterable.ts';
import { parseUrlencoded, serializeUrlencoded } from './urlencoded.ts';

const internal = Symbol('internal');

/** The object behind URL.searchParams. `update` is called with the new query after each change. */
export let createSearchParams: (query: string, update: (query: string) => void) => URLSearchParams;
/** The query of the URL has changed. */
export let replaceSearchParams: (params: URLSearchParams, query: string) => void;
export let isURLSearchParams: (value: unknown) => value is URLSearchParams;
let pairsOf: (params: URLSearchParams) => readonly Pair[];

function isRequired(given: number, required: number, name: string): void {
  requireArguments(given, required, `URLSearchParams.${name}`);
}

export class URLSearchParams {
  // Names and values in turn.
  #list: string[] = [];
  #update: ((query: string) => void) | null = null;

  constructor(init: unknown = '', token?: unknown) {
    if (token === internal) {
      this.#list = parseUrlencoded(init as string);
      return;
    }
    if (!isObject(init)) {
      const text = toUSVString(init);
      this.#list = parseUrlencoded(text.startsWith('?') ? text.slice(1) : text);
      return;
    }
    const iterator = (init as Iterable<unknown>)[Symbol.iterator];
    if (iterator !== undefined && iterator !== null) this.#takePairs(init as Iterable<unknown>);
    else this.#takeRecord(init as Record<PropertyKey, unknown>);
  }

  #takePairs(pairs: Iterable<unknown>): void {
    for (const entry of pairs) {
      if (!isObject(entry)) throw new TypeError('A parameter is not a pair of name and value');
      const pair = [...(entry as Iterable<unknown>)];
      if (pair.length !== 2) throw new TypeError('A parameter is not a pair of name and value');
      this.#list.push(toUSVString(pair[0]), toUSVString(pair[1]));
    }
  }

  #takeRecord(record: Record<PropertyKey, unknown>): void {
    // Names that become equal when lone surrogates are replaced are one entry.
    const entries = new Map<string, string>();
    for (const key of Reflect.ownKeys(record)) {
      if (!Object.prototype.propertyIsEnumerable.call(record, key)) continue;
      entries.set(toUSVString(key), toUSVString(record[key]));
    }
    for (const [name, value] of entries) this.#list.push(name, value);
  }

  #changed(): void {
    this.#update?.(serializeUrlencoded(this.#list));
  }

  get size(): number {
    return this.#list.length / 2;
  }

  append(name: string, value: string): void {
    isRequired(arguments.length, 2, 'append');
    this.#list.push(toUSVString(name), toUSVString(value));
    this.#changed();
  }

  delete(name: string, value?: string): void {
    isRequired(arguments.length, 1, 'delete');
    const key = toUSVString(name);
    const wanted = value === undefined ? undefined : toUSVString(value);
    this.#list = this.#list.filter((_, at, list) => {
      const pair = at & ~1;
      return list[pair] !== key || (wanted !== undefined && list[pair + 1] !== wanted);
    });
    this.#changed();
  }

  get(name: string): string | null {
    isRequired(arguments.length, 1, 'get');
    const key = toUSVString(name);
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === key) return this.#list[i + 1] as string;
    }
    return null;
  }

  getAll(name: string): string[] {
    isRequired(arguments.length, 1, 'getAll');
    const key = toUSVString(name);
    return this.#list.filter((_, at, list) => (at & 1) === 1 && list[at - 1] === key);
  }

  has(name: string, value?: string): boolean {
    isRequired(arguments.length, 1, 'has');
    const key = toUSVString(name);
    const wanted = value === undefined ? undefined : toUSVString(value);
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === key && (wanted === undefined || this.#list[i + 1] === wanted)) return true;
    }
    return false;
  }

  set(name: string, value: string): void {
    isRequired(arguments.length, 2, 'set');
    const key = toUSVString(name);
    const text = toUSVString(value);
    const list: string[] = [];
    let found = false;
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== key) list.push(this.#list[i] as string, this.#list[i + 1] as string);
      else if (!found) {
        found = true;
        list.push(key, text);
      }
    }
    if (!found) list.push(key, text);
    this.#list = list;
    this.#changed();
  }

  sort(): void {
    const pairs = [...pairsOf(this)];
    pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#list = pairs.flat();
    this.#changed();
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

  forEach(callback: (value: string, name: string, params: URLSearchParams) => unknown, thisArgument?: unknown): void {
    this.#self();
    isRequired(arguments.length, 1, 'forEach');
    if (typeof callback !== 'function') throw new TypeError('The callback is not a function');
    for (let i = 0; i < this.#list.length; i += 2) {
      callback.call(thisArgument, this.#list[i + 1] as string, this.#list[i] as string, this);
    }
  }

  toString(): string {
    return serializeUrlencoded(this.#list);
  }

  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

  #self(): this {
    void this.#list;
    return this;
  }

  static {
    createSearchParams = (query, update) => {
      const params = new URLSearchParams(query, internal);
      params.#update = update;
      return params;
    };
    replaceSearchParams = (params, query) => {
      params.#list = parseUrlencoded(query);
    };
    isURLSearchParams = (value): value is URLSearchParams => isObject(value) && #list in value;
    pairsOf = (params) => {
      const pairs: Pair[] = [];
      for (let i = 0; i < params.#list.length; i += 2) {
        pairs.push([params.#list[i] as string, params.#list[i + 1] as string]);
      }
      return pairs;
    };
  }
}

const iterate = pairIteratorFactory<URLSearchParams>('URLSearchParams', (params) => pairsOf(params)) as unknown as <T>(
  params: URLSearchParams,
  kind: IterationKind,
) => IterableIterator<T>;

export function installURLSearchParams(global: object): void {
  defineInterface(global, URLSearchParams, 'URLSearchParams', { '': 0, delete: 1, has: 1, forEach: 1 });
  const { entries } = URLSearchParams.prototype;
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: entries,
    writable: true,
    configurable: true,
  });
  registerInspector(URLSearchParams.prototype, (params: URLSearchParams) => pairsOf(params));
}
