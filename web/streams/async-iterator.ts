// https://webidl.spec.whatwg.org/#js-asynchronous-iterable and https://streams.spec.whatwg.org/#rs-asynciterator

import { asyncIteratorPrototype } from '../webidl/iterable.ts';
import { illegalInvocation } from './interface.ts';
import { react, rejected, runInMicrotask } from './reactions.ts';
import { type Readable, Reader, type ReadRequest } from './readable.ts';

type Result = IteratorResult<unknown, unknown>;

/** One step of an iteration. The stream is given free when it has ended. */
class Step implements ReadRequest {
  readonly promise: Promise<Result>;
  #iterator: StreamIterator;
  #resolve!: (result: Result) => void;
  #reject!: (reason: unknown) => void;

  constructor(iterator: StreamIterator) {
    this.#iterator = iterator;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  chunk(value: unknown): void {
    stepDone(this.#iterator, this, false);
    // After what the stream does next, as the two promises of the standard have it.
    runInMicrotask(() => this.#resolve({ value, done: false }));
  }
  close(): void {
    stepDone(this.#iterator, this, true);
    this.#resolve({ value: undefined, done: true });
  }
  error(reason: unknown): void {
    stepDone(this.#iterator, this, true);
    this.#reject(reason);
  }
}

async function settledThen(before: Promise<Result>, step: () => Promise<Result>): Promise<Result> {
  try {
    await before;
  } catch {}
  return await step();
}

let isIterator: (value: unknown) => boolean;
let stepDone: (iterator: StreamIterator, step: Step, last: boolean) => void;

class StreamIterator {
  #reader: Reader;
  #preventCancel: boolean;
  #finished = false;
  /** The last thing that was asked for; null when it is known to be over. */
  #ongoing: Promise<Result> | null = null;

  constructor(stream: Readable, preventCancel: boolean) {
    this.#reader = new Reader(stream);
    this.#preventCancel = preventCancel;
  }

  next(): Promise<Result> {
    if (!isIterator(this)) return illegalInvocation('ReadableStream AsyncIterator');
    return this.#ongoing === null ? this.#next() : this.#after(() => this.#next());
  }

  return(value?: unknown): Promise<Result> {
    if (!isIterator(this)) return illegalInvocation('ReadableStream AsyncIterator');
    return this.#after(() => this.#return(value));
  }

  /** Takes a step when those before are over. */
  #after(step: () => Promise<Result>): Promise<Result> {
    const before = this.#ongoing;
    const result = before === null ? step() : settledThen(before, step);
    this.#ongoing = result;
    const forget = (): void => {
      if (this.#ongoing === result) this.#ongoing = null;
    };
    react(result, forget, forget);
    return result;
  }

  #next(): Promise<Result> {
    if (this.#finished) return Promise.resolve({ value: undefined, done: true });
    if (this.#reader.stream === null) return rejected(new TypeError('The reader has been released'));
    const step = new Step(this);
    this.#ongoing = step.promise;
    this.#reader.read(step);
    return step.promise;
  }

  async #return(value: unknown): Promise<Result> {
    if (this.#finished) return { value, done: true };
    this.#finished = true;
    const reader = this.#reader;
    if (reader.stream !== null) {
      const canceled = this.#preventCancel ? null : reader.cancel(value);
      reader.release();
      await canceled;
    }
    return { value, done: true };
  }

  static {
    isIterator = (value) => typeof value === 'object' && value !== null && #finished in value;
    stepDone = (iterator, step, last) => {
      if (iterator.#ongoing === step.promise) iterator.#ongoing = null;
      if (!last) return;
      iterator.#finished = true;
      iterator.#reader.release();
    };
  }
}

const { prototype } = StreamIterator;
Reflect.deleteProperty(prototype, 'constructor');
Object.setPrototypeOf(prototype, asyncIteratorPrototype);
Object.defineProperty(prototype, 'next', { enumerable: true });
Object.defineProperty(prototype, 'return', { enumerable: true });
Object.defineProperty(prototype.return, 'length', { value: 1 });
Object.defineProperty(prototype, Symbol.toStringTag, { value: 'ReadableStream AsyncIterator', configurable: true });

export function iterate(stream: Readable, preventCancel: boolean): object {
  return new StreamIterator(stream, preventCancel);
}
