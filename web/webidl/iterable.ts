// Pair iterators of interfaces: https://webidl.spec.whatwg.org/#js-iterable

export type Pair = readonly [string, string];
export type IterationKind = 'key' | 'value' | 'key+value';

const iteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
/** %AsyncIteratorPrototype% */
export const asyncIteratorPrototype: object = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {}).prototype,
);

/**
 * Makes the iterator class of an interface. `pairsOf` gives the current pairs of an object: they are asked for at each
 * step, so that changes during the iteration are seen.
 */
export function pairIteratorFactory<T extends object>(
  interfaceName: string,
  pairsOf: (object: T) => readonly Pair[],
): (object: T, kind: IterationKind) => IterableIterator<never> {
  class PairIterator {
    #object: T;
    #kind: IterationKind;
    #index = 0;

    constructor(object: T, kind: IterationKind) {
      this.#object = object;
      this.#kind = kind;
    }

    next(): IteratorResult<unknown> {
      const pair = pairsOf(this.#object)[this.#index];
      if (pair === undefined) return { value: undefined, done: true };
      this.#index++;
      if (this.#kind === 'key') return { value: pair[0], done: false };
      if (this.#kind === 'value') return { value: pair[1], done: false };
      return { value: [pair[0], pair[1]], done: false };
    }
  }
  const { prototype } = PairIterator;
  Reflect.deleteProperty(prototype, 'constructor');
  Object.setPrototypeOf(prototype, iteratorPrototype);
  Object.defineProperty(prototype, 'next', { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `${interfaceName} Iterator`, configurable: true });
  return (object, kind) => new PairIterator(object, kind) as unknown as IterableIterator<never>;
}
