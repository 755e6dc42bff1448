// https://streams.spec.whatwg.org/#ws-default-controller-abstract-ops

import { type AbortSignal, createAbortSignal, signalAbort } from '../dom/abort.ts';
import { ChunkQueue, type SizeAlgorithm } from './queue.ts';
import { pending, promiseOf, react, reactToValue, runInMicrotask } from './reactions.ts';
import {
  dealWithRejection,
  failClose,
  failWrite,
  finishClose,
  finishErroring,
  finishWrite,
  isCloseQueuedOrInFlight,
  type Sink,
  startErroring,
  updateBackpressure,
  Writable,
} from './writable.ts';

export class WritableController {
  readonly stream: Writable;
  readonly highWaterMark: number;
  started = false;
  #sink: Sink | null;
  #size: SizeAlgorithm;
  #queue: ChunkQueue;
  /** Made for who asks for it. */
  #signal: AbortSignal | null = null;
  #abort: { reason: unknown } | null = null;
  #written: (() => void) | null = null;
  #failed: ((reason: unknown) => void) | null = null;

  constructor(stream: Writable, sink: Sink, highWaterMark: number, size: SizeAlgorithm) {
    this.stream = stream;
    this.highWaterMark = highWaterMark;
    this.#sink = sink;
    this.#size = size;
    this.#queue = new ChunkQueue(size);
    stream.controller = this;
  }

  /** Throws what the sink's `start` throws. */
  start(): void {
    updateBackpressure(this.stream, this.hasBackpressure);
    const result = this.#sink?.start?.(this);
    const begin = (): void => this.begin();
    if (result === undefined) runInMicrotask(begin);
    else if (result !== pending) react(result, begin, (reason) => this.failedToBegin(reason));
  }

  /** The sink is ready: called by those whose `start` returned `pending`, in a microtask. */
  begin(): void {
    this.started = true;
    this.#advance();
  }

  failedToBegin(reason: unknown): void {
    this.started = true;
    dealWithRejection(this.stream, reason);
  }

  get signal(): AbortSignal {
    if (this.#signal === null) {
      this.#signal = createAbortSignal();
      if (this.#abort !== null) signalAbort(this.#signal, this.#abort.reason);
    }
    return this.#signal;
  }

  abortSignal(reason: unknown): void {
    if (this.#abort !== null) return;
    this.#abort = { reason };
    if (this.#signal !== null) signalAbort(this.#signal, reason);
  }

  get desiredSize(): number {
    return this.highWaterMark - this.#queue.total;
  }

  get hasBackpressure(): boolean {
    return this.desiredSize <= 0;
  }

  /** Errors the stream where the strategy fails. */
  sizeOf(chunk: unknown): number {
    const size = this.#size;
    if (size === null) return 1;
    try {
      return size(chunk);
    } catch (error) {
      this.errorIfNeeded(error);
      return 1;
    }
  }

  write(chunk: unknown, size: number): void {
    const { stream } = this;
    try {
      this.#queue.push(chunk, size);
    } catch (error) {
      this.errorIfNeeded(error);
      return;
    }
    if (!isCloseQueuedOrInFlight(stream) && stream.state === 'writable') {
      updateBackpressure(stream, this.hasBackpressure);
    }
    this.#advance();
  }

  /** Closes when all that waits is written. */
  close(): void {
    this.#advance();
  }

  error(reason: unknown): void {
    this.forget();
    startErroring(this.stream, reason);
  }

  errorIfNeeded(reason: unknown): void {
    if (this.stream.state === 'writable') this.error(reason);
  }

  /** [[ErrorSteps]] */
  clear(): void {
    this.#queue.clear();
  }

  /** [[AbortSteps]] */
  abort(reason: unknown): unknown {
    const sink = this.#sink;
    this.forget();
    return sink?.abort?.(reason);
  }

  /** https://streams.spec.whatwg.org/#writable-stream-default-controller-clear-algorithms */
  forget(): void {
    this.#sink = null;
    this.#size = null;
  }

  /** https://streams.spec.whatwg.org/#writable-stream-default-controller-advance-queue-if-needed */
  #advance(): void {
    const { stream } = this;
    if (!this.started || stream.inFlightWrite !== null) return;
    if (stream.state === 'erroring') {
      finishErroring(stream);
      return;
    }
    if (this.#queue.length > 0) this.#processWrite();
    else if (stream.closeRequest !== null) this.#processClose();
  }

  #processWrite(): void {
    const { stream } = this;
    stream.inFlightWrite = stream.writeRequests.shift();
    this.#written ??= () => this.written();
    this.#failed ??= (reason) => this.failed(reason);
    let result: unknown;
    try {
      result = this.#sink?.write?.(this.#queue.peek());
    } catch (error) {
      const fail = this.#failed;
      runInMicrotask(() => fail(error));
      return;
    }
    if (result !== pending) react(result, this.#written, this.#failed);
  }

  /** The sink is done with a chunk: called by those that returned `pending`, in a microtask. */
  written(): void {
    const { stream } = this;
    finishWrite(stream);
    this.#queue.shift();
    if (!isCloseQueuedOrInFlight(stream) && stream.state === 'writable') {
      updateBackpressure(stream, this.hasBackpressure);
    }
    this.#advance();
  }

  failed(reason: unknown): void {
    if (this.stream.state === 'writable') this.forget();
    failWrite(this.stream, reason);
  }

  #processClose(): void {
    const { stream } = this;
    stream.inFlightClose = stream.closeRequest;
    stream.closeRequest = null;
    const sink = this.#sink;
    const closed = promiseOf(() => sink?.close?.());
    this.forget();
    void reactToValue(
      closed,
      () => finishClose(stream),
      (reason) => failClose(stream, reason),
    );
  }
}

/** https://streams.spec.whatwg.org/#create-writable-stream */
export function createWritable(sink: Sink, highWaterMark: number, size: SizeAlgorithm = null): Writable {
  const stream = new Writable();
  new WritableController(stream, sink, highWaterMark, size).start();
  return stream;
}
