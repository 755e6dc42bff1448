// What transform streams are made of, without the objects that plug-ins see:
// https://streams.spec.whatwg.org/#ts-abstract-ops

import { createReadable, type DefaultController } from './default-controller.ts';
import type { SizeAlgorithm } from './queue.ts';
import { pending, promiseOf, react, reactToValue, runInMicrotask } from './reactions.ts';
import type { Readable } from './readable.ts';
import type { Writable } from './writable.ts';
import { createWritable } from './writable-controller.ts';

/** Without `transform`, chunks pass as they are. Each has all members. */
export interface Transformer {
  start: ((controller: TransformController) => unknown) | undefined;
  transform: ((chunk: unknown, controller: TransformController) => unknown) | undefined;
  flush: ((controller: TransformController) => unknown) | undefined;
  cancel: ((reason: unknown) => unknown) | undefined;
}

export interface Strategies {
  writableHighWaterMark: number;
  writableSize: SizeAlgorithm;
  readableHighWaterMark: number;
  readableSize: SizeAlgorithm;
}

const defaultStrategies: Strategies = {
  writableHighWaterMark: 1,
  writableSize: null,
  readableHighWaterMark: 0,
  readableSize: null,
};

export class TransformController {
  readonly readable: Readable;
  readonly writable: Writable;
  readonly #output: DefaultController;
  #transformer: Transformer | null;
  /** Whether the readable side has enough. */
  #backpressure = true;
  /** The writable side's chunk that waits until the readable side wants more. */
  #waiting: { chunk: unknown } | null = null;
  /** The readable side waits until it has enough. */
  #pulling = false;
  /** Set when the end has begun, from either side. */
  #finish: PromiseWithResolvers<void> | null = null;
  readonly #written = (): void => this.writable.controller.written();
  readonly #failed = (reason: unknown): void => {
    this.error(reason);
    this.writable.controller.failed(reason);
  };
  readonly #pulled = (): void => this.#output.pulled();
  readonly #goOn = (): void => this.#writeWaiting();

  /** Throws what the transformer's `start` throws. */
  constructor(transformer: Transformer, strategies: Strategies = defaultStrategies) {
    this.#transformer = transformer;
    const start = (): unknown => pending;
    this.writable = createWritable(
      {
        start,
        write: (chunk) => this.#write(chunk),
        close: () => this.#close(),
        abort: (reason) => this.#aborted(reason),
      },
      strategies.writableHighWaterMark,
      strategies.writableSize,
    );
    this.readable = createReadable(
      { start, pull: () => this.#pull(), cancel: (reason) => this.#canceled(reason) },
      strategies.readableHighWaterMark,
      strategies.readableSize,
    );
    this.#output = this.readable.controller as DefaultController;
    // One microtask more than for what is done at the same time: the streams of the standard wait for a promise of its.
    react(
      transformer.start?.(this),
      () =>
        runInMicrotask(() => {
          this.#output.started();
          this.writable.controller.begin();
        }),
      (reason) =>
        runInMicrotask(() => {
          this.#output.error(reason);
          this.writable.controller.failedToBegin(reason);
        }),
    );
  }

  get desiredSize(): number | null {
    return this.#output.desiredSize;
  }

  /** https://streams.spec.whatwg.org/#transform-stream-default-controller-enqueue */
  enqueue(chunk: unknown): void {
    const output = this.#output;
    if (!output.canEnqueue) throw new TypeError('The readable side is closed, errored, or about to be closed');
    try {
      output.enqueue(chunk);
    } catch (error) {
      this.#errorWritable(error);
      throw this.readable.error;
    }
    if (!this.#backpressure && !output.shouldPull()) this.#setBackpressure(true);
  }

  /** https://streams.spec.whatwg.org/#transform-stream-error */
  error(reason: unknown): void {
    this.#output.error(reason);
    this.#errorWritable(reason);
  }

  /** https://streams.spec.whatwg.org/#transform-stream-default-controller-terminate */
  terminate(): void {
    this.#output.close();
    this.#errorWritable(new TypeError('The transform stream has been terminated'));
  }

  /** https://streams.spec.whatwg.org/#transform-stream-error-writable-and-unblock-write */
  #errorWritable(reason: unknown): void {
    this.#transformer = null;
    this.writable.controller.errorIfNeeded(reason);
    this.#unblock();
  }

  #unblock(): void {
    if (this.#backpressure) this.#setBackpressure(false);
  }

  #setBackpressure(backpressure: boolean): void {
    this.#backpressure = backpressure;
    if (backpressure && this.#pulling) {
      this.#pulling = false;
      runInMicrotask(this.#pulled);
    } else if (!backpressure && this.#waiting !== null) {
      runInMicrotask(this.#goOn);
    }
  }

  #pull(): unknown {
    this.#pulling = true;
    this.#setBackpressure(false);
    return pending;
  }

  /** https://streams.spec.whatwg.org/#transform-stream-default-sink-write-algorithm */
  #write(chunk: unknown): unknown {
    if (this.#backpressure) this.#waiting = { chunk };
    else this.#transform(chunk);
    return pending;
  }

  #writeWaiting(): void {
    if (this.#waiting === null) return;
    const { chunk } = this.#waiting;
    this.#waiting = null;
    if (this.writable.state === 'erroring') this.writable.controller.failed(this.writable.error);
    else this.#transform(chunk);
  }

  /** https://streams.spec.whatwg.org/#transform-stream-default-controller-perform-transform */
  #transform(chunk: unknown): void {
    let result: unknown;
    try {
      const transformer = this.#transformer;
      if (transformer?.transform) result = transformer.transform(chunk, this);
      else this.enqueue(chunk);
    } catch (error) {
      runInMicrotask(() => this.#failed(error));
      return;
    }
    react(result, this.#written, this.#failed);
  }

  /** The end from the writable side: https://streams.spec.whatwg.org/#transform-stream-default-sink-close-algorithm */
  #close(): Promise<void> {
    const transformer = this.#transformer;
    return this.#end(
      () => transformer?.flush?.(this),
      () => {
        if (this.readable.state === 'errored') throw this.readable.error;
        this.#output.close();
      },
      (reason) => this.#output.error(reason),
    );
  }

  #aborted(reason: unknown): Promise<void> {
    const transformer = this.#transformer;
    return this.#end(
      () => transformer?.cancel?.(reason),
      () => {
        if (this.readable.state === 'errored') throw this.readable.error;
        this.#output.error(reason);
      },
      (failure) => this.#output.error(failure),
    );
  }

  /** The end from the readable side. */
  #canceled(reason: unknown): Promise<void> {
    const transformer = this.#transformer;
    const errorWritable = (error: unknown): void => {
      this.writable.controller.errorIfNeeded(error);
      this.#unblock();
    };
    return this.#end(
      () => transformer?.cancel?.(reason),
      () => {
        if (this.writable.state === 'errored') throw this.writable.error;
        errorWritable(reason);
      },
      errorWritable,
    );
  }

  /** Calls the transformer for the last time, at most once, and then tells the other side. */
  #end(call: () => unknown, succeed: () => void, fail: (reason: unknown) => void): Promise<void> {
    if (this.#finish !== null) return this.#finish.promise;
    const finish = Promise.withResolvers<void>();
    this.#finish = finish;
    const result = promiseOf(call);
    this.#transformer = null;
    void reactToValue(
      result,
      () => {
        try {
          succeed();
          finish.resolve();
        } catch (error) {
          finish.reject(error);
        }
      },
      (reason) => {
        fail(reason);
        finish.reject(reason);
      },
    );
    return finish.promise;
  }
}
