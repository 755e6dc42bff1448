// What the platform's code is given for built-ins that call something else which a plug-in can replace: species
// constructors, iterators, RegExp.prototype.exec. tools/capture-intrinsics.ts puts calls of these into the bundle, and
// rewrites this file as the others: `list.push()` here is the captured push.

/** Lists one after the other. */
export function joined(...lists: ArrayLike<unknown>[]): unknown[] {
  const result: unknown[] = [];
  for (let at = 0; at < lists.length; at++) {
    const list = lists[at]!;
    for (let index = 0; index < list.length; index++) result.push(list[index]);
  }
  return result;
}

export function concat(list: readonly unknown[], ...others: (readonly unknown[])[]): unknown[] {
  const result = joined(list);
  for (const other of others) for (const value of other) result.push(value);
  return result;
}

export function map<T, R>(list: readonly T[], make: (value: T, at: number, list: readonly T[]) => R): R[] {
  const result: R[] = [];
  for (let at = 0; at < list.length; at++) result.push(make(list[at]!, at, list));
  return result;
}

export function filter<T>(list: readonly T[], test: (value: T, at: number, list: readonly T[]) => unknown): T[] {
  const result: T[] = [];
  for (let at = 0; at < list.length; at++) if (test(list[at]!, at, list)) result.push(list[at]!);
  return result;
}

export function find<T>(list: readonly T[], test: (value: T, at: number) => unknown): T | undefined {
  for (let at = 0; at < list.length; at++) if (test(list[at]!, at)) return list[at];
  return undefined;
}

export function findIndex<T>(list: readonly T[], test: (value: T, at: number) => unknown): number {
  for (let at = 0; at < list.length; at++) if (test(list[at]!, at)) return at;
  return -1;
}

export function some<T>(list: readonly T[], test: (value: T, at: number) => unknown): boolean {
  return findIndex(list, test) >= 0;
}

export function every<T>(list: readonly T[], test: (value: T, at: number) => unknown): boolean {
  for (let at = 0; at < list.length; at++) if (!test(list[at]!, at)) return false;
  return true;
}

export function reduce<T, R>(list: readonly T[], add: (sum: R, value: T, at: number) => R, start: R): R {
  let sum = start;
  for (let at = 0; at < list.length; at++) sum = add(sum, list[at]!, at);
  return sum;
}

export function flatMap<T, R>(list: readonly T[], make: (value: T, at: number) => R | readonly R[]): R[] {
  return flat(map(list, make)) as R[];
}

export function flat(list: readonly unknown[]): unknown[] {
  const result: unknown[] = [];
  for (const value of list) {
    if (Array.isArray(value)) for (const inner of value as unknown[]) result.push(inner);
    else result.push(value);
  }
  return result;
}

function place(at: number, length: number): number {
  return at < 0 ? Math.max(length + at, 0) : Math.min(at, length);
}

export function slice<T>(list: readonly T[], start = 0, end = list.length): T[] {
  const result: T[] = [];
  const last = place(end, list.length);
  for (let at = place(start, list.length); at < last; at++) result.push(list[at]!);
  return result;
}

/** Returns nothing, unlike the language's. */
export function splice<T>(list: T[], start: number, count: number, ...added: T[]): void {
  const from = place(start, list.length);
  const behind = slice(list, from + count);
  list.length = from;
  for (const value of added) list.push(value);
  for (const value of behind) list.push(value);
}

export function newMap<K, V>(entries: Iterable<readonly [K, V]>): Map<K, V> {
  const map = new Map<K, V>();
  const list = listOf(entries) as (readonly [K, V])[];
  for (const [key, value] of list) map.set(key, value);
  return map;
}

export function newSet<T>(values: Iterable<T> | null | undefined): Set<T> {
  const set = new Set<T>();
  if (values === null || values === undefined) return set;
  const list = listOf(values) as T[];
  for (const value of list) set.add(value);
  return set;
}

/** The values of a list, a set or a map. */
export function listOf(values: Iterable<unknown>): unknown[] {
  if (Array.isArray(values)) return values as unknown[];
  return values instanceof Set ? membersOf(values) : entriesOf(values as Map<unknown, unknown>);
}

export function entriesOf<K, V>(map: Map<K, V>): [K, V][] {
  const entries: [K, V][] = [];
  map.forEach((value, key) => {
    entries.push([key, value]);
  });
  return entries;
}

export function membersOf<T>(set: Set<T>): T[] {
  const members: T[] = [];
  set.forEach((member) => {
    members.push(member);
  });
  return members;
}

export function codePointsOf(text: string): string[] {
  const points: string[] = [];
  for (let at = 0; at < text.length; ) {
    const point = String.fromCodePoint(text.codePointAt(at) as number);
    points.push(point);
    at += point.length;
  }
  return points;
}

/** What an object of the plug-in iterates over. */
export function listFrom<T>(values: Iterable<T>): T[] {
  const list: T[] = [];
  for (const value of values) list.push(value);
  return list;
}

export function test(pattern: RegExp, text: string): boolean {
  return pattern.exec(text) !== null;
}

type Replacement = string | ((match: string) => string);

/** Of replacement patterns only `$&` is known, and functions get the match only. */
export function replace(text: string, pattern: string | RegExp, by: Replacement): string {
  if (typeof pattern === 'string') {
    const at = text.indexOf(pattern);
    return at < 0 ? text : text.slice(0, at) + replacement(by, pattern) + text.slice(at + pattern.length);
  }
  let result = '';
  let end = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const match = found[0];
    result += text.slice(end, found.index) + replacement(by, match);
    end = found.index + match.length;
    if (!pattern.global) break;
    if (match === '') pattern.lastIndex++;
  }
  pattern.lastIndex = 0;
  return result + text.slice(end);
}

function replacement(by: Replacement, match: string): string {
  if (typeof by === 'function') return by(match);
  const at = by.indexOf('$&');
  return at < 0 ? by : by.slice(0, at) + match + by.slice(at + 2);
}

export function replaceAll(text: string, part: string, by: string): string {
  return split(text, part).join(by);
}

/** By a text that is not empty. */
export function split(text: string, separator: string, limit = Number.MAX_SAFE_INTEGER): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf(separator); at >= 0 && parts.length < limit; at = text.indexOf(separator, from)) {
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  if (parts.length < limit) parts.push(text.slice(from));
  return parts;
}

export function subarray(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const from = place(start, bytes.length);
  const to = Math.max(place(end, bytes.length), from);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

export function copyOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const part = subarray(bytes, start, end);
  const copy = new Uint8Array(part.length);
  copy.set(part);
  return copy;
}

/** As Promise.prototype.then, but no constructor that the promise names is asked for the new one. */
export async function then<T, R>(
  promise: Promise<T>,
  resolved?: ((value: T) => R) | null,
  rejected?: ((reason: unknown) => R) | null,
): Promise<Awaited<R>> {
  let value: T;
  try {
    value = await promise;
  } catch (reason) {
    if (!rejected) throw reason;
    return await rejected(reason);
  }
  return await (resolved ? resolved(value) : (value as unknown as R));
}

export function catchRejection<R>(promise: Promise<R>, rejected: (reason: unknown) => R): Promise<unknown> {
  return then(promise, undefined, rejected);
}
