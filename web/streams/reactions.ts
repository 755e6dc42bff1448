// What streams wait for. Promises are made only where somebody sees them: between its own parts a stream calls functions,
// in microtasks of their own as if promises had been in between.

export function noop(): void {}

/**
 * What an algorithm of the platform returns instead of a promise: it will call the function that goes on with the stream
 * itself.
 */
export const pending: unique symbol = Symbol('pending');

// A reaction to a promise is the cheapest microtask there is: half of a call of C++. This one has nobody's `constructor` to
// ask for the promise that comes of it.
const settled = Promise.resolve();
Object.setPrototypeOf(settled, null);
const addReaction = Function.prototype.call.bind(Promise.prototype.then) as (
  promise: Promise<void>,
  step: () => void,
) => unknown;

/** `step` must not throw, and returns nothing. */
export function runInMicrotask(step: () => void): void {
  addReaction(settled, step);
}

/** Goes on once what a callback returned is settled, never at once: https://webidl.spec.whatwg.org/#dfn-perform-steps-once-promise-is-settled */
export function react(result: unknown, fulfilled: () => void, rejected: (reason: unknown) => void): void {
  if (result === undefined) addReaction(settled, fulfilled);
  else void reactLater(result, fulfilled, rejected);
}

async function reactLater(result: unknown, fulfilled: () => void, rejected: (reason: unknown) => void): Promise<void> {
  try {
    await result;
  } catch (reason) {
    rejected(reason);
    return;
  }
  fulfilled();
}

/** Goes on with the value of a promise or another thing. */
export async function reactToValue(
  result: unknown,
  fulfilled: (value: unknown) => void,
  rejected: (reason: unknown) => void,
): Promise<void> {
  let value: unknown;
  try {
    value = await result;
  } catch (reason) {
    rejected(reason);
    return;
  }
  fulfilled(value);
}

/**
 * The result of a call as a promise, also where it throws. One that a callback returned takes longer than nothing, as with
 * https://webidl.spec.whatwg.org/#js-promise
 */
export function promiseOf(call: () => unknown): Promise<unknown> {
  try {
    const result = call();
    return result === undefined ? Promise.resolve() : adopt(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

async function adopt(result: unknown): Promise<unknown> {
  return await result;
}

export function resolved(): Promise<void> {
  return Promise.resolve();
}

export function rejected(reason: unknown): Promise<never> {
  return Promise.reject(reason);
}

/** Nobody needs to look at this promise: its rejection is not reported. */
export function ignoreRejection(promise: Promise<unknown>): void {
  void reactLater(promise, noop, noop);
}

/** A promise that is made when it is first asked for, and whose rejection is never reported. */
export class LazyPromise {
  #state: 'pending' | 'fulfilled' | 'rejected' = 'pending';
  #reason: unknown = undefined;
  #made: PromiseWithResolvers<void> | null = null;

  get promise(): Promise<void> {
    if (this.#made !== null) return this.#made.promise;
    this.#made = Promise.withResolvers<void>();
    const state = this.#state;
    this.#state = 'pending';
    if (state === 'fulfilled') this.resolve();
    if (state === 'rejected') this.reject(this.#reason);
    return this.#made.promise;
  }

  get isPending(): boolean {
    return this.#state === 'pending';
  }

  resolve(): void {
    if (this.#state !== 'pending') return;
    this.#state = 'fulfilled';
    this.#made?.resolve();
  }

  reject(reason: unknown): void {
    if (this.#state !== 'pending') return;
    this.#state = 'rejected';
    this.#reason = reason;
    if (this.#made === null) return;
    ignoreRejection(this.#made.promise);
    this.#made.reject(reason);
  }

  /** From now on another promise, which waits. */
  reset(): void {
    this.#state = 'pending';
    this.#reason = undefined;
    this.#made = null;
  }
}
