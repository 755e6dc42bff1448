// `expect`: vitest's own (@vitest/expect on chai), put together as vitest does, with the inline snapshots that the suites use.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  type ExpectStatic,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import { format, plugins } from '@vitest/pretty-format';

const { ReactElement, Immutable, AsymmetricMatcher } = plugins;

function assertSnapshot(value: unknown, snapshot: string): void {
  const text = format(value, {
    escapeString: false,
    printBasicPrototype: false,
    plugins: [AsymmetricMatcher, ReactElement, Immutable],
  });
  const withoutIndentation = (written: string): string => written.trim().replace(/\n\s*/g, '\n');
  chai.expect(withoutIndentation(text)).to.equal(withoutIndentation(snapshot));
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
chai.use(({ Assertion }, { flag }) => {
  Assertion.addMethod('toMatchInlineSnapshot', function (this: object, snapshot: string) {
    assertSnapshot(flag(this, 'object'), snapshot);
  });
  Assertion.addMethod('toThrowErrorMatchingInlineSnapshot', function (this: object, snapshot: string) {
    // After `.rejects` it is the error itself.
    let error = flag(this, 'object');
    if (flag(this, 'promise') !== 'rejects') {
      try {
        error();
        error = undefined;
      } catch (thrown) {
        error = thrown;
      }
    }
    assertSnapshot(error, snapshot);
  });
});

export const expect = ((value: unknown, message?: string) => chai.expect(value, message)) as unknown as ExpectStatic;
Object.assign(
  expect,
  chai.expect,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT as unknown as symbol],
);
expect.getState = () => getState(expect);
expect.setState = (state) => setState(state, expect);
setState({ assertionCalls: 0, isExpectingAssertions: false, isExpectingAssertionsError: null }, expect);

/** Types are checked by a compiler; here everything that is said about them holds. */
export const expectTypeOf: unknown = new Proxy(() => {}, {
  get: () => expectTypeOf,
  apply: () => expectTypeOf,
});
