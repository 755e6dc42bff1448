// A header list as plain data: https://fetch.spec.whatwg.org/#concept-header-list
// One flat array: name, value, name, value, ... Names are lower-case and valid, values normalised and valid.

import type { Pair } from '../webidl/iterable.ts';

export type HeaderList = string[];

/** `flat` is "name\0value\0name\0value\0...". */
export function parseFlatHeaders(flat: string): HeaderList {
  if (flat === '') return [];
  const list = flat.split('\0');
  list.pop();
  return list;
}

export function listHas(list: HeaderList, name: string): boolean {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) return true;
  }
  return false;
}

/** https://fetch.spec.whatwg.org/#concept-header-list-get */
export function listGet(list: HeaderList, name: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) found = found === null ? (list[i + 1] as string) : `${found}, ${list[i + 1]}`;
  }
  return found;
}

export function listGetAll(list: HeaderList, name: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) found.push(list[i + 1] as string);
  }
  return found;
}

export function listDelete(list: HeaderList, name: string): void {
  let kept = 0;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) continue;
    list[kept] = list[i] as string;
    list[kept + 1] = list[i + 1] as string;
    kept += 2;
  }
  list.length = kept;
}

/** Replaces the first header of that name and removes the others; appends where there is none. */
export function listSet(list: HeaderList, name: string, value: string): void {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== name) continue;
    const rest = list.slice(i + 2);
    list.length = i + 2;
    list[i + 1] = value;
    listDelete(rest, name);
    for (const part of rest) list.push(part);
    return;
  }
  list.push(name, value);
}

/** https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
export function sortAndCombine(list: HeaderList): Pair[] {
  const combined = new Map<string, string>();
  const pairs: [string, string][] = [];
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    if (name === 'set-cookie') {
      pairs.push([name, value]);
      continue;
    }
    const present = combined.get(name);
    combined.set(name, present === undefined ? value : `${present}, ${value}`);
  }
  for (const pair of combined) pairs.push(pair);
  return pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}
