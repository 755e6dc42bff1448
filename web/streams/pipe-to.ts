// https://streams.spec.whatwg.org/#readable-stream-pipe-to

import { addAbortAlgorithm, removeAbortAlgorithm } from '../dom/abort.ts';
import type { PipeOptions } from './dictionaries.ts';
import { promiseOf, reactToValue, resolved, runInMicrotask } from './reactions.ts';
import { cancelReadable, type Readable, Reader, type ReadRequest } from './readable.ts';
import {
  abortWritable,
  closeWritable,
  isCloseQueuedOrInFlight,
  type Writable,
  type WriteRequest,
  Writer,
} from './writable.ts';

/** One chunk at a time is on its way from the reader to the writer: it is who asked for it, and who waits until it is written. */
class Pipe implements ReadRequest, WriteRequest {
  readonly outcome = Promise.withResolvers<void>();
  readonly #source: Readable;
  readonly #target: Writable;
  readonly #options: PipeOptions;
  readonly #reader: Reader;
  readonly #writer: Writer;
  #reading = false;
  #chunk: unknown = undefined;
  /** Chunks that were read and are not written yet. */
  #unwritten = 0;
  #stopping = false;
  /** What remains to be done when everything is written. */
  #whenWritten: (() => void) | null = null;
  readonly #forward = (): void => {
    this.#reading = false;
    const chunk = this.#chunk;
    this.#chunk = undefined;
    // It failed meanwhile, and nobody takes the chunk any more.
    if (this.#writer.stream === null) return;
    this.#writer.write(chunk, this);
    this.#go();
  };
  readonly #look = (): void => this.#propagate();
  readonly #abort = (): void => this.#aborted();

  constructor(source: Readable, target: Writable, options: PipeOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#reader = new Reader(source);
    this.#writer = new Writer(target);
    source.disturbed = true;
  }

  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted) {
      this.#aborted();
      return;
    }
    if (signal) addAbortAlgorithm(signal, this.#abort);
    this.#reader.ended = () => runInMicrotask(this.#look);
    this.#writer.changed = () => {
      const { state } = this.#target;
      if (state === 'closed' || state === 'errored') runInMicrotask(this.#look);
      else this.#go();
    };
    this.#propagate();
    this.#go();
  }

  /** Reads on when there is room. */
  #go(): void {
    if (this.#reading || this.#stopping || this.#target.state !== 'writable') return;
    if (isCloseQueuedOrInFlight(this.#target) || this.#target.controller.desiredSize <= 0) return;
    if (this.#source.state !== 'readable') return;
    this.#reading = true;
    this.#reader.read(this);
  }

  chunk(chunk: unknown): void {
    // Whoever enqueued it must not find itself inside of the sink.
    this.#chunk = chunk;
    this.#unwritten++;
    runInMicrotask(this.#forward);
  }
  close(): void {
    this.#reading = false;
  }
  error(): void {
    this.#reading = false;
  }

  resolve(): void {
    this.#unwritten--;
    if (this.#unwritten > 0 || this.#whenWritten === null) return;
    runInMicrotask(this.#whenWritten);
    this.#whenWritten = null;
  }
  reject(): void {
    this.resolve();
  }

  /** Errors and ends go on to the other side. */
  #propagate(): void {
    if (this.#stopping) return;
    const source = this.#source;
    const target = this.#target;
    const { preventAbort, preventCancel, preventClose } = this.#options;
    if (source.state === 'errored') {
      const { error } = source;
      this.#stop(preventAbort ? null : () => abortWritable(target, error), { error });
    } else if (target.state === 'errored') {
      const { error } = target;
      this.#stop(preventCancel ? null : () => cancelReadable(source, error), { error });
    } else if (source.state === 'closed') {
      this.#stop(preventClose ? null : () => this.#closeTarget());
    } else if (target.state === 'closed' || isCloseQueuedOrInFlight(target)) {
      const error = new TypeError('The stream that is piped to is closed');
      this.#stop(preventCancel ? null : () => cancelReadable(source, error), { error });
    }
  }

  /** https://streams.spec.whatwg.org/#writable-stream-default-writer-close-with-error-propagation */
  #closeTarget(): Promise<void> {
    const target = this.#target;
    if (isCloseQueuedOrInFlight(target) || target.state === 'closed') return resolved();
    if (target.state === 'errored') return Promise.reject(target.error);
    return closeWritable(target);
  }

  #aborted(): void {
    const { signal, preventAbort, preventCancel } = this.#options;
    const error = signal?.reason;
    const source = this.#source;
    const target = this.#target;
    this.#stop(
      () => {
        const aborted = preventAbort || target.state !== 'writable' ? resolved() : abortWritable(target, error);
        const canceled = preventCancel || source.state !== 'readable' ? resolved() : cancelReadable(source, error);
        return both(aborted, canceled);
      },
      { error },
    );
  }

  /** https://streams.spec.whatwg.org/#rs-pipeTo-shutdown-with-action, and without */
  #stop(action: (() => Promise<void>) | null, failure: { error: unknown } | null = null): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const rest = (): void => {
      if (action === null) {
        this.#finish(failure);
        return;
      }
      void reactToValue(
        promiseOf(action),
        () => this.#finish(failure),
        (error) => this.#finish({ error }),
      );
    };
    const target = this.#target;
    if (target.state !== 'writable' || isCloseQueuedOrInFlight(target)) rest();
    else if (this.#unwritten > 0) this.#whenWritten = rest;
    else runInMicrotask(rest);
  }

  #finish(failure: { error: unknown } | null): void {
    this.#writer.release();
    this.#reader.release();
    const { signal } = this.#options;
    if (signal) removeAbortAlgorithm(signal, this.#abort);
    if (failure === null) this.outcome.resolve();
    else this.outcome.reject(failure.error);
  }
}

/** Waits for both, or for the first that fails. */
function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let rest = 2;
  const done = (): void => {
    if (--rest === 0) resolve();
  };
  void reactToValue(first, done, reject);
  void reactToValue(second, done, reject);
  return promise;
}

/** Neither stream may be locked. */
export function pipe(source: Readable, target: Writable, options: PipeOptions): Promise<void> {
  const running = new Pipe(source, target, options);
  running.start();
  return running.outcome.promise;
}
