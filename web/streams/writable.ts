// What writable streams are made of, without the objects that plug-ins see:
// https://streams.spec.whatwg.org/#ws-abstract-ops

import { Queue } from './queue.ts';
import { LazyPromise, promiseOf, reactToValue, rejected, resolved } from './reactions.ts';
import type { WritableController } from './writable-controller.ts';

/** Where chunks go. What `start` and `write` return may be a promise, or `pending`. Each has all members. */
export interface Sink {
  start: ((controller: WritableController) => unknown) | undefined;
  write: ((chunk: unknown) => unknown) | undefined;
  close: (() => unknown) | undefined;
  abort: ((reason: unknown) => unknown) | undefined;
}

/** Who waits until a chunk is written, or until the stream is closed. */
export interface WriteRequest {
  resolve(): void;
  reject(reason: unknown): void;
}

interface AbortRequest {
  outcome: PromiseWithResolvers<void>;
  reason: unknown;
  wasErroring: boolean;
}

export class Writable {
  state: 'writable' | 'erroring' | 'errored' | 'closed' = 'writable';
  error: unknown = undefined;
  writer: Writer | null = null;
  controller!: WritableController;
  backpressure = false;
  readonly writeRequests = new Queue<WriteRequest>();
  inFlightWrite: WriteRequest | null = null;
  closeRequest: WriteRequest | null = null;
  inFlightClose: WriteRequest | null = null;
  pendingAbort: AbortRequest | null = null;
}

/** Who holds the lock of a stream. */
export class Writer {
  stream: Writable | null;
  readonly ready = new LazyPromise();
  readonly closed = new LazyPromise();
  /** Called when the stream has room again, and when it is closed or errored. */
  changed: (() => void) | null = null;

  /** Throws a TypeError when the stream is locked. */
  constructor(stream: Writable) {
    if (stream.writer !== null) throw new TypeError('The stream is locked to a writer already');
    this.stream = stream;
    stream.writer = this;
    const { state } = stream;
    if (state === 'writable') {
      if (isCloseQueuedOrInFlight(stream) || !stream.backpressure) this.ready.resolve();
    } else if (state === 'closed') {
      this.ready.resolve();
      this.closed.resolve();
    } else {
      this.ready.reject(stream.error);
      if (state === 'errored') this.closed.reject(stream.error);
    }
  }

  get desiredSize(): number | null {
    const { state, controller } = this.stream as Writable;
    if (state === 'errored' || state === 'erroring') return null;
    return state === 'closed' ? 0 : controller.desiredSize;
  }

  /** https://streams.spec.whatwg.org/#writable-stream-default-writer-write */
  write(chunk: unknown, request: WriteRequest): void {
    const stream = this.stream as Writable;
    const { controller } = stream;
    const size = controller.sizeOf(chunk);
    if (this.stream !== stream) {
      request.reject(new TypeError('The writer has been released'));
      return;
    }
    const { state } = stream;
    if (state === 'errored') {
      request.reject(stream.error);
    } else if (state === 'closed' || isCloseQueuedOrInFlight(stream)) {
      request.reject(new TypeError('The stream is closed or about to be closed'));
    } else if (state === 'erroring') {
      request.reject(stream.error);
    } else {
      stream.writeRequests.push(request);
      controller.write(chunk, size);
    }
  }

  /** https://streams.spec.whatwg.org/#writable-stream-default-writer-ensure-ready-promise-rejected */
  failReady(reason: unknown): void {
    if (!this.ready.isPending) this.ready.reset();
    this.ready.reject(reason);
  }

  /** https://streams.spec.whatwg.org/#writable-stream-default-writer-release */
  release(): void {
    const { stream } = this;
    if (stream === null) return;
    const reason = new TypeError('The writer has been released');
    this.failReady(reason);
    if (!this.closed.isPending) this.closed.reset();
    this.closed.reject(reason);
    stream.writer = null;
    this.stream = null;
    this.changed = null;
  }
}

export function isLockedToWriter(stream: Writable): boolean {
  return stream.writer !== null;
}

/** https://streams.spec.whatwg.org/#writable-stream-close-queued-or-in-flight */
export function isCloseQueuedOrInFlight(stream: Writable): boolean {
  return stream.closeRequest !== null || stream.inFlightClose !== null;
}

/** https://streams.spec.whatwg.org/#writable-stream-abort */
export function abortWritable(stream: Writable, reason: unknown): Promise<void> {
  if (stream.state === 'closed' || stream.state === 'errored') return resolved();
  stream.controller.abortSignal(reason);
  // What listens to the signal may have changed it.
  const { state } = stream as { state: Writable['state'] };
  if (state === 'closed' || state === 'errored') return resolved();
  if (stream.pendingAbort !== null) return stream.pendingAbort.outcome.promise;
  const wasErroring = state === 'erroring';
  const outcome = Promise.withResolvers<void>();
  stream.pendingAbort = { outcome, reason: wasErroring ? undefined : reason, wasErroring };
  if (!wasErroring) startErroring(stream, reason);
  return outcome.promise;
}

/** https://streams.spec.whatwg.org/#writable-stream-close; closing must not have begun. */
export function closeWritable(stream: Writable): Promise<void> {
  if (stream.state === 'closed' || stream.state === 'errored') {
    return rejected(new TypeError('The stream is closed or errored already'));
  }
  const outcome = Promise.withResolvers<void>();
  stream.closeRequest = outcome;
  if (stream.backpressure && stream.state === 'writable') stream.writer?.ready.resolve();
  stream.controller.close();
  return outcome.promise;
}

/** https://streams.spec.whatwg.org/#writable-stream-deal-with-rejection */
export function dealWithRejection(stream: Writable, reason: unknown): void {
  if (stream.state === 'writable') startErroring(stream, reason);
  else finishErroring(stream);
}

/** https://streams.spec.whatwg.org/#writable-stream-start-erroring */
export function startErroring(stream: Writable, reason: unknown): void {
  stream.state = 'erroring';
  stream.error = reason;
  stream.writer?.failReady(reason);
  if (!isInFlight(stream) && stream.controller.started) finishErroring(stream);
}

function isInFlight(stream: Writable): boolean {
  return stream.inFlightWrite !== null || stream.inFlightClose !== null;
}

/** https://streams.spec.whatwg.org/#writable-stream-finish-erroring */
export function finishErroring(stream: Writable): void {
  stream.state = 'errored';
  stream.controller.clear();
  for (const request of stream.writeRequests.takeAll()) request.reject(stream.error);
  const abort = stream.pendingAbort;
  stream.pendingAbort = null;
  if (abort === null) {
    rejectCloseAndClosed(stream);
    return;
  }
  if (abort.wasErroring) {
    abort.outcome.reject(stream.error);
    rejectCloseAndClosed(stream);
    return;
  }
  void reactToValue(
    promiseOf(() => stream.controller.abort(abort.reason)),
    () => {
      abort.outcome.resolve();
      rejectCloseAndClosed(stream);
    },
    (reason) => {
      abort.outcome.reject(reason);
      rejectCloseAndClosed(stream);
    },
  );
}

/** https://streams.spec.whatwg.org/#writable-stream-reject-close-and-closed-promise-if-needed */
function rejectCloseAndClosed(stream: Writable): void {
  stream.closeRequest?.reject(stream.error);
  stream.closeRequest = null;
  const { writer } = stream;
  if (writer === null) return;
  writer.closed.reject(stream.error);
  writer.changed?.();
}

/** https://streams.spec.whatwg.org/#writable-stream-finish-in-flight-write */
export function finishWrite(stream: Writable): void {
  const request = stream.inFlightWrite as WriteRequest;
  stream.inFlightWrite = null;
  request.resolve();
}

export function failWrite(stream: Writable, reason: unknown): void {
  const request = stream.inFlightWrite as WriteRequest;
  stream.inFlightWrite = null;
  request.reject(reason);
  dealWithRejection(stream, reason);
}

/** https://streams.spec.whatwg.org/#writable-stream-finish-in-flight-close */
export function finishClose(stream: Writable): void {
  const request = stream.inFlightClose as WriteRequest;
  stream.inFlightClose = null;
  request.resolve();
  if (stream.state === 'erroring') {
    // It was closed before the error mattered.
    stream.error = undefined;
    stream.pendingAbort?.outcome.resolve();
    stream.pendingAbort = null;
  }
  stream.state = 'closed';
  const { writer } = stream;
  if (writer === null) return;
  writer.closed.resolve();
  writer.changed?.();
}

export function failClose(stream: Writable, reason: unknown): void {
  const request = stream.inFlightClose as WriteRequest;
  stream.inFlightClose = null;
  request.reject(reason);
  stream.pendingAbort?.outcome.reject(reason);
  stream.pendingAbort = null;
  dealWithRejection(stream, reason);
}

/** https://streams.spec.whatwg.org/#writable-stream-update-backpressure */
export function updateBackpressure(stream: Writable, backpressure: boolean): void {
  const { writer } = stream;
  if (writer !== null && backpressure !== stream.backpressure) {
    if (backpressure) writer.ready.reset();
    else writer.ready.resolve();
  }
  stream.backpressure = backpressure;
  if (!backpressure) writer?.changed?.();
}
