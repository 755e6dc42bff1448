// The report of the case table, build/parity.json: which columns there are, and where one answers in another way than all
// others do. The tests of the server and of the browsers write into the same one.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { root, within } from '../harness.ts';
import { cases } from './cases.ts';
import { reasonFor } from './known-differences.ts';
import { serverCases } from './server-cases.ts';

interface Difference {
  case: string;
  column: string;
  expected: unknown;
  got: unknown;
  /** Of those that are known. */
  reason?: string;
}

interface Written {
  cases: number;
  columns: string[];
  differences: Difference[];
}

const file = join(root, 'build/parity.json');

export class Report {
  #columns = new Set<string>();
  #differences: Difference[] = [];

  /** A test of one case in one column. A difference fails it, unless it is known, and then its absence does. */
  check(column: string, name: string, expected: unknown, run: () => Promise<unknown>): void {
    this.#columns.add(column);
    test(name, async () => {
      const got = await within(run(), name).catch((error) => `${error}`);
      const reason = reasonFor(name, column);
      if (!isDeepStrictEqual(got, expected)) {
        this.#differences.push({ case: name, column, expected, got, ...(reason ? { reason } : {}) });
      }
      if (reason === undefined) assert.deepEqual(got, expected);
      else assert.notDeepEqual(got, expected, `the difference is gone: ${reason}`);
    });
  }

  /** What others have written about other columns stays. */
  write(): void {
    const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Written) : undefined;
    const others = (column: string): boolean => !this.#columns.has(column);
    const report: Written = {
      cases: cases.length + serverCases.length,
      columns: [...(before?.columns.filter(others) ?? []), ...this.#columns],
      differences: [...(before?.differences.filter(({ column }) => others(column)) ?? []), ...this.#differences],
    };
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  }
}
