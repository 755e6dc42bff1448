// The module `vitest` of a suite's tests, and its globals.
import { expect, expectTypeOf } from './expect.ts';
import { vi } from './mocks.ts';
import { addGroup, addGroupHook, addHook, addTest, type Body } from './tests.ts';

export type { Mock, MockInstance } from '@vitest/spy';
export { expect, expectTypeOf, vi };

type Row = readonly unknown[];

/** "%s of $name" with the values of a row. https://vitest.dev/api/#test-each */
function titled(title: string, row: Row, index: number): string {
  let next = 0;
  const text = title.replace(/%([sdifjo#%])/g, (_, kind: string) => {
    if (kind === '%') return '%';
    if (kind === '#') return String(index);
    const value = row[next++];
    return kind === 'j' || kind === 'o' ? JSON.stringify(value) : String(value);
  });
  const [first] = row;
  if (typeof first !== 'object' || first === null) return text;
  return text.replace(/\$([\w.]+)/g, (_, path: string) => {
    const value = path.split('.').reduce((object: unknown, key) => (object as Record<string, unknown>)?.[key], first);
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  });
}

type Add = (title: string, body: (...values: never[]) => unknown, timeoutMs?: number) => void;

/** A table in a template has its columns' names first: each`a | b \n ${1} | ${2}`. */
function rowsOf(table: readonly unknown[], values: readonly unknown[]): readonly unknown[] {
  if (!('raw' in table)) return table;
  const columns = String(table[0])
    .trim()
    .split(/\s*\|\s*/);
  return Array.from({ length: values.length / columns.length }, (_, row) =>
    Object.fromEntries(columns.map((name, column) => [name, values[row * columns.length + column]])),
  );
}

/** The same with values, one after the other. */
function each(add: Add) {
  return (table: readonly unknown[], ...values: unknown[]) =>
    (title: string, body: (...values: never[]) => unknown, timeoutMs?: number): void => {
      for (const [index, entry] of rowsOf(table, values).entries()) {
        const row: Row = Array.isArray(entry) ? entry : [entry];
        add(titled(title, row, index), () => body(...(row as never[])), timeoutMs);
      }
    };
}

const skip = (): void => {};

function addOne(title: string, body: Body, options?: number | { timeout?: number }): void {
  addTest(title, body, typeof options === 'number' ? options : options?.timeout);
}

export const test = Object.assign(addOne, {
  each: each(addOne as Add),
  skip: Object.assign(skip, { each: () => skip }),
  runIf: (condition: unknown) => (condition ? addOne : skip),
  skipIf: (condition: unknown) => (condition ? skip : addOne),
});
export const it = test;

export const describe = Object.assign(
  (title: string | { name: string }, body: () => unknown): void => {
    addGroup(typeof title === 'string' ? title : title.name, body);
  },
  {
    each: each(addGroup as Add),
    skip,
  },
);

export const beforeEach = (body: Body): void => addHook('beforeEach', body);
export const beforeAll = (body: () => unknown): void => addGroupHook('beforeAll', body);
export const afterEach = (body: Body): void => addHook('afterEach', body);
export const afterAll = (body: () => unknown): void => addGroupHook('afterAll', body);

Object.assign(globalThis, { expect, expectTypeOf, vi, test, it, describe });
Object.assign(globalThis, { beforeEach, beforeAll, afterEach, afterAll });
