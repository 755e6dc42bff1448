// QUnit, as far as the suites use it, on @vitest/expect's comparisons.
import { equals, subsetEquality } from '@vitest/expect';
import { addTest, openGroup } from './tests.ts';

class Assertions {
  #require(condition: unknown, what: string, message?: string): void {
    if (!condition) throw new Error(message ? `${message}: ${what}` : what);
  }

  ok(value: unknown, message?: string): void {
    this.#require(value, `${value} is not truthy`, message);
  }

  true(value: unknown, message?: string): void {
    this.#require(value === true, `${value} is not true`, message);
  }

  false(value: unknown, message?: string): void {
    this.#require(value === false, `${value} is not false`, message);
  }

  equal(actual: unknown, expected: unknown, message?: string): void {
    // biome-ignore lint/suspicious/noDoubleEquals: as QUnit says, https://api.qunitjs.com/assert/equal/
    this.#require(actual == expected, `${actual} is not ${expected}`, message);
  }

  strictEqual(actual: unknown, expected: unknown, message?: string): void {
    this.#require(Object.is(actual, expected), `${actual} is not ${expected}`, message);
  }

  deepEqual(actual: unknown, expected: unknown, message?: string): void {
    this.#require(equals(actual, expected, [], true), `${JSON.stringify(actual)} is different`, message);
  }

  propContains(actual: unknown, expected: unknown, message?: string): void {
    this.#require(equals(actual, expected, [subsetEquality]), `${JSON.stringify(actual)} does not contain it`, message);
  }

  /** The suites say why in words only. */
  async rejects(promise: Promise<unknown>, message?: string): Promise<void> {
    const fulfilled = await promise.then(
      () => true,
      () => false,
    );
    this.#require(!fulfilled, 'the promise was fulfilled', message);
  }
}

export default {
  module: openGroup,
  test: (title: string, body: (assert: Assertions) => unknown): void => addTest(title, () => body(new Assertions())),
};
