// What readable streams are made of, without the objects that plug-ins see:
// https://streams.spec.whatwg.org/#rs-abstract-ops

import { Queue } from './queue.ts';
import { LazyPromise, rejected, resolved } from './reactions.ts';

/** Who waits for a chunk. Exactly one of its functions is called, once: https://streams.spec.whatwg.org/#read-request */
export interface ReadRequest {
  chunk(chunk: unknown): void;
  /** A reader that brought its own memory gets it back, empty. */
  close(view?: ArrayBufferView): void;
  error(reason: unknown): void;
}

export interface Controller {
  /** [[PullSteps]] */
  pullFor(request: ReadRequest): void;
  /** [[CancelSteps]] */
  cancel(reason: unknown): Promise<unknown>;
  /** [[ReleaseSteps]] */
  release(): void;
}

/**
 * Where chunks come from. What `start` and `pull` return may be a promise, or `pending`. Each has all members, so that
 * nothing is looked for on Object.prototype.
 */
export interface Source {
  start: ((controller: Controller) => unknown) | undefined;
  pull: ((controller: Controller) => unknown) | undefined;
  cancel: ((reason: unknown) => unknown) | undefined;
}

export class Readable {
  state: 'readable' | 'closed' | 'errored' = 'readable';
  error: unknown = undefined;
  disturbed = false;
  reader: Reader | null = null;
  controller!: Controller;
}

/** Who holds the lock of a stream. One that is `byob` brings the memory that it reads into. */
export class Reader {
  stream: Readable | null;
  readonly byob: boolean;
  readonly requests = new Queue<ReadRequest>();
  readonly closed = new LazyPromise();
  /** Called when the stream is closed or errored. */
  ended: (() => void) | null = null;

  /** Throws a TypeError when the stream is locked. */
  constructor(stream: Readable, byob = false) {
    if (stream.reader !== null) throw new TypeError('The stream is locked to a reader already');
    this.stream = stream;
    this.byob = byob;
    stream.reader = this;
    if (stream.state === 'closed') this.closed.resolve();
    if (stream.state === 'errored') this.closed.reject(stream.error);
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-reader-read */
  read(request: ReadRequest): void {
    const stream = this.stream as Readable;
    stream.disturbed = true;
    if (stream.state === 'readable') stream.controller.pullFor(request);
    else if (stream.state === 'closed') request.close();
    else request.error(stream.error);
  }

  cancel(reason: unknown): Promise<void> {
    return cancelReadable(this.stream as Readable, reason);
  }

  /** https://streams.spec.whatwg.org/#abstract-opdef-readablestreamdefaultreaderrelease */
  release(): void {
    const { stream } = this;
    if (stream === null) return;
    const reason = new TypeError('The reader has been released');
    if (stream.state !== 'readable') this.closed.reset();
    this.closed.reject(reason);
    stream.controller.release();
    stream.reader = null;
    this.stream = null;
    this.ended = null;
    this.fail(reason);
  }

  /** Tells everybody who waits. */
  fail(reason: unknown): void {
    for (const request of this.requests.takeAll()) request.error(reason);
  }
}

export function isLocked(stream: Readable): boolean {
  return stream.reader !== null;
}

/** How many wait for a chunk with a reader of that kind. */
export function waiting(stream: Readable, byob: boolean): number {
  const { reader } = stream;
  return reader !== null && reader.byob === byob ? reader.requests.length : 0;
}

export function addRequest(stream: Readable, request: ReadRequest): void {
  (stream.reader as Reader).requests.push(request);
}

/** Gives the first who waits a chunk, or the end. */
export function fulfillRequest(stream: Readable, chunk: unknown, done: boolean): void {
  const request = (stream.reader as Reader).requests.shift();
  if (done) request.close(chunk as ArrayBufferView | undefined);
  else request.chunk(chunk);
}

/** https://streams.spec.whatwg.org/#readable-stream-close */
export function closeReadable(stream: Readable): void {
  stream.state = 'closed';
  const { reader } = stream;
  if (reader === null) return;
  reader.closed.resolve();
  if (!reader.byob) for (const request of reader.requests.takeAll()) request.close();
  reader.ended?.();
}

/** https://streams.spec.whatwg.org/#readable-stream-error */
export function errorReadable(stream: Readable, reason: unknown): void {
  stream.state = 'errored';
  stream.error = reason;
  const { reader } = stream;
  if (reader === null) return;
  reader.closed.reject(reason);
  reader.fail(reason);
  reader.ended?.();
}

/** https://streams.spec.whatwg.org/#readable-stream-cancel */
export function cancelReadable(stream: Readable, reason: unknown): Promise<void> {
  stream.disturbed = true;
  if (stream.state === 'closed') return resolved();
  if (stream.state === 'errored') return rejected(stream.error);
  closeReadable(stream);
  const { reader } = stream;
  if (reader?.byob) for (const request of reader.requests.takeAll()) request.close();
  return withoutValue(stream.controller.cancel(reason));
}

async function withoutValue(promise: Promise<unknown>): Promise<void> {
  await promise;
}
