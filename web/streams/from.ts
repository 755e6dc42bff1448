// https://streams.spec.whatwg.org/#readable-stream-from-iterable

import { isObject } from '../webidl/conversions.ts';
import { createReadable, type DefaultController } from './default-controller.ts';
import type { Controller, Readable } from './readable.ts';

interface AnyIterator {
  next: unknown;
  return?: unknown;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** https://tc39.es/ecma262/#sec-getmethod */
function methodOf(value: unknown, name: PropertyKey): Method | undefined {
  const method = (value as Record<PropertyKey, unknown>)[name];
  if (method === undefined || method === null) return undefined;
  if (typeof method !== 'function') throw new TypeError(`${String(name)} is not a function`);
  return method as Method;
}

/** What iterators return. */
function toResult(result: unknown): { done?: unknown; value?: unknown } {
  if (!isObject(result)) throw new TypeError('The iterator returned something other than an object');
  return result;
}

/** https://tc39.es/ecma262/#sec-asyncfromsynciteratorcontinuation */
async function awaitValue(
  result: unknown,
  iterator: AnyIterator,
  closes: boolean,
): Promise<{ done: boolean; value: unknown }> {
  const { done, value } = toResult(result);
  const ended = Boolean(done);
  try {
    return { done: ended, value: await value };
  } catch (reason) {
    if (!ended && closes) {
      try {
        const close = methodOf(iterator, 'return');
        if (close !== undefined) Reflect.apply(close, iterator, []);
      } catch {}
    }
    throw reason;
  }
}

interface Iteration {
  next(): Promise<unknown>;
  /** Undefined when there is nothing to be told. */
  end(reason: unknown): Promise<unknown> | undefined;
}

/** https://tc39.es/ecma262/#sec-getiterator, asynchronous */
function iterationOf(iterable: unknown): Iteration {
  if (iterable === undefined || iterable === null) throw new TypeError('There is nothing to iterate over');
  const asyncMethod = methodOf(iterable, Symbol.asyncIterator);
  const method = asyncMethod ?? methodOf(iterable, Symbol.iterator);
  if (method === undefined) throw new TypeError('The object is neither an iterable nor an asynchronous iterable');
  const iterator = Reflect.apply(method, iterable, []) as AnyIterator;
  if (!isObject(iterator)) throw new TypeError('The iterator is not an object');
  const next = iterator.next as Method;
  const isSync = asyncMethod === undefined;
  return {
    async next() {
      const result = Reflect.apply(next, iterator, []);
      return isSync ? await awaitValue(result, iterator, true) : await result;
    },
    end(reason) {
      const method = methodOf(iterator, 'return');
      if (method === undefined) return undefined;
      const result = Reflect.apply(method, iterator, [reason]);
      return isSync ? awaitValue(result, iterator, false) : Promise.resolve(result);
    },
  };
}

export function readableFrom(iterable: unknown): Readable {
  const iteration = iterationOf(iterable);
  return createReadable(
    {
      start: undefined,
      async pull(controller: Controller) {
        const result = toResult(await iteration.next());
        if (result.done) (controller as DefaultController).close();
        else (controller as DefaultController).enqueue(result.value);
      },
      async cancel(reason) {
        const ended = iteration.end(reason);
        if (ended !== undefined) toResult(await ended);
      },
    },
    0,
  );
}
