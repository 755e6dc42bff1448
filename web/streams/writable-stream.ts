// https://streams.spec.whatwg.org/#ws-class-definition and those of its writer and controller

import type { AbortSignal } from '../dom/abort.ts';
import { isObject } from '../webidl/conversions.ts';
import { defineBrand } from '../webidl/types.ts';
import { nothing, toSink, toStrategy } from './dictionaries.ts';
import { illegalInvocation, internal, requireInternal } from './interface.ts';
import { rejected } from './reactions.ts';
import { highWaterMarkOf, sizeOf } from './strategies.ts';
import { UserSink } from './underlying.ts';
import {
  abortWritable,
  closeWritable,
  isCloseQueuedOrInFlight,
  isLockedToWriter,
  Writable,
  type WriteRequest,
  Writer,
} from './writable.ts';
import { WritableController } from './writable-controller.ts';

/** The stream behind an object of a plug-in that is known to be one. */
export let writableOf: (value: WritableStream) => Writable;
export let isWritableStream: (value: unknown) => value is WritableStream;

/** https://streams.spec.whatwg.org/#ws-constructor */
function construct(underlyingSink: unknown, strategyInit: unknown): Writable {
  const given = underlyingSink === undefined ? nothing : underlyingSink;
  if (!isObject(given))
    throw new TypeError("Failed to construct 'WritableStream': the underlying sink is not an object");
  const strategy = toStrategy(strategyInit);
  const dictionary = toSink(given);
  if (dictionary.type !== undefined)
    throw new RangeError("Failed to construct 'WritableStream': no type of sink is known");
  const size = sizeOf(strategy);
  const stream = new Writable();
  const sink = new UserSink(given, dictionary);
  new WritableController(stream, sink, highWaterMarkOf(strategy, 1), size).start();
  return stream;
}

function close(stream: Writable): Promise<void> {
  if (isCloseQueuedOrInFlight(stream)) return rejected(new TypeError('The stream is being closed already'));
  return closeWritable(stream);
}

/** Plug-ins construct it with a sink and a strategy, the platform with the stream that there is. */
export class WritableStream {
  #stream: Writable;

  constructor(underlyingSink?: unknown, strategy?: unknown) {
    this.#stream = underlyingSink === internal ? (strategy as Writable) : construct(underlyingSink, strategy);
  }

  get locked(): boolean {
    return isLockedToWriter(this.#stream);
  }

  abort(reason?: unknown): Promise<void> {
    if (!isWritableStream(this)) return illegalInvocation('WritableStream');
    if (isLockedToWriter(this.#stream)) return rejected(new TypeError('A locked stream cannot be aborted'));
    return abortWritable(this.#stream, reason);
  }

  close(): Promise<void> {
    if (!isWritableStream(this)) return illegalInvocation('WritableStream');
    if (isLockedToWriter(this.#stream)) return rejected(new TypeError('A locked stream cannot be closed'));
    return close(this.#stream);
  }

  getWriter(): WritableStreamDefaultWriter {
    return new WritableStreamDefaultWriter(internal, new Writer(this.#stream));
  }

  static {
    isWritableStream = (value): value is WritableStream =>
      typeof value === 'object' && value !== null && #stream in value;
    writableOf = (value) => value.#stream;
  }
}

defineBrand('WritableStream', isWritableStream);

export function isLockedWritable(stream: WritableStream): boolean {
  return isLockedToWriter(writableOf(stream));
}

export function createWritableStream(stream: Writable): WritableStream {
  return new WritableStream(internal, stream);
}

/** A request whose outcome a promise tells. */
class PromisedWrite implements WriteRequest {
  readonly promise: Promise<void>;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(): void {
    this.#resolve();
  }
  reject(reason: unknown): void {
    this.#reject(reason);
  }
}

function released(): Promise<never> {
  return rejected(new TypeError('The writer has been released'));
}

let isWriter: (value: unknown) => boolean;

export class WritableStreamDefaultWriter {
  #writer: Writer;

  constructor(stream: unknown, writer?: Writer) {
    if (stream === internal) {
      this.#writer = writer as Writer;
      return;
    }
    const what = "Failed to construct 'WritableStreamDefaultWriter'";
    if (!isWritableStream(stream)) throw new TypeError(`${what}: parameter 1 is not of type 'WritableStream'`);
    this.#writer = new Writer(writableOf(stream));
  }

  get closed(): Promise<void> {
    if (!isWriter(this)) return illegalInvocation('WritableStreamDefaultWriter');
    return this.#writer.closed.promise;
  }

  get desiredSize(): number | null {
    if (this.#writer.stream === null) throw new TypeError('The writer has been released');
    return this.#writer.desiredSize;
  }

  get ready(): Promise<void> {
    if (!isWriter(this)) return illegalInvocation('WritableStreamDefaultWriter');
    return this.#writer.ready.promise;
  }

  abort(reason?: unknown): Promise<void> {
    if (!isWriter(this)) return illegalInvocation('WritableStreamDefaultWriter');
    const { stream } = this.#writer;
    return stream === null ? released() : abortWritable(stream, reason);
  }

  close(): Promise<void> {
    if (!isWriter(this)) return illegalInvocation('WritableStreamDefaultWriter');
    const { stream } = this.#writer;
    return stream === null ? released() : close(stream);
  }

  releaseLock(): void {
    this.#writer.release();
  }

  write(chunk?: unknown): Promise<void> {
    if (!isWriter(this)) return illegalInvocation('WritableStreamDefaultWriter');
    if (this.#writer.stream === null) return released();
    const request = new PromisedWrite();
    this.#writer.write(chunk, request);
    return request.promise;
  }

  static {
    isWriter = (value) => typeof value === 'object' && value !== null && #writer in value;
  }
}

export class WritableStreamDefaultController {
  #controller: WritableController;

  constructor(token: unknown, controller: WritableController) {
    requireInternal(token);
    this.#controller = controller;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  error(reason?: unknown): void {
    this.#controller.errorIfNeeded(reason);
  }
}
