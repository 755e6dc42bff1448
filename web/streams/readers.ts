// https://streams.spec.whatwg.org/#default-reader-class-definition and #byob-reader-class-definition

import * as idl from 'valor-idl';
import { bufferOf, byteLengthOf, viewTypeOf } from '../webidl/buffer-source.ts';
import { arrayBufferView } from '../webidl/types.ts';
import { ByteController } from './byte-controller.ts';
import { illegalInvocation, internal, rejecting } from './interface.ts';
import { rejected } from './reactions.ts';
import { type Readable, Reader, type ReadRequest } from './readable.ts';
import { readableOf } from './readable-stream.ts';

export interface ReadResult {
  value: unknown;
  done: boolean;
}

/** A request whose outcome a promise tells. */
class PromisedRead implements ReadRequest {
  readonly promise: Promise<ReadResult>;
  #resolve!: (result: ReadResult) => void;
  #reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  chunk(value: unknown): void {
    this.#resolve({ value, done: false });
  }
  close(value?: ArrayBufferView): void {
    this.#resolve({ value, done: true });
  }
  error(reason: unknown): void {
    this.#reject(reason);
  }
}

function releasedError(): TypeError {
  return new TypeError('The reader has been released');
}

let isDefaultReader: (value: unknown) => boolean;
let isByobReader: (value: unknown) => boolean;

/** Plug-ins construct it with a stream, the platform with the reader that there is. */
export class ReadableStreamDefaultReader {
  #reader: Reader;

  constructor(stream: unknown, reader?: Reader) {
    this.#reader =
      stream === internal
        ? (reader as Reader)
        : new Reader(readableOf(stream, "Failed to construct 'ReadableStreamDefaultReader'"));
  }

  get closed(): Promise<void> {
    if (!isDefaultReader(this)) return illegalInvocation('ReadableStreamDefaultReader');
    return this.#reader.closed.promise;
  }

  cancel(reason?: unknown): Promise<void> {
    if (!isDefaultReader(this)) return illegalInvocation('ReadableStreamDefaultReader');
    const reader = this.#reader;
    return reader.stream === null ? rejected(releasedError()) : reader.cancel(reason);
  }

  read(): Promise<ReadResult> {
    if (!isDefaultReader(this)) return illegalInvocation('ReadableStreamDefaultReader');
    const reader = this.#reader;
    if (reader.stream === null) return rejected(releasedError());
    const request = new PromisedRead();
    reader.read(request);
    return request.promise;
  }

  releaseLock(): void {
    this.#reader.release();
  }

  static {
    isDefaultReader = (value) => typeof value === 'object' && value !== null && #reader in value;
  }
}

/** A reader of a byte stream with memory of its own: throws a TypeError where the stream is none. */
export function acquireByobReader(stream: Readable): Reader {
  if (!(stream.controller instanceof ByteController)) throw new TypeError('The stream is not a byte stream');
  return new Reader(stream, true);
}

/** https://streams.spec.whatwg.org/#byob-reader-read, the arguments */
function checkView(view: ArrayBufferView, minimum: number): void {
  const buffer = bufferOf(view) as ArrayBuffer;
  if (buffer.detached) throw new TypeError('The memory of the view was given away');
  const length = byteLengthOf(view);
  if (length === 0) throw new TypeError('The view is empty');
  if (minimum === 0) throw new TypeError("'min' is 0");
  if (minimum > length / viewTypeOf(view).elementSize) throw new RangeError("'min' is larger than the view");
}

export class ReadableStreamBYOBReader {
  #reader: Reader;

  constructor(stream: unknown, reader?: Reader) {
    this.#reader =
      stream === internal
        ? (reader as Reader)
        : acquireByobReader(readableOf(stream, "Failed to construct 'ReadableStreamBYOBReader'"));
  }

  get closed(): Promise<void> {
    if (!isByobReader(this)) return illegalInvocation('ReadableStreamBYOBReader');
    return this.#reader.closed.promise;
  }

  cancel(reason?: unknown): Promise<void> {
    if (!isByobReader(this)) return illegalInvocation('ReadableStreamBYOBReader');
    const reader = this.#reader;
    return reader.stream === null ? rejected(releasedError()) : reader.cancel(reason);
  }

  read(view: ArrayBufferView, options?: unknown): Promise<ReadResult> {
    if (!isByobReader(this)) return illegalInvocation('ReadableStreamBYOBReader');
    return rejecting(() => {
      const what = "Failed to execute 'read' on 'ReadableStreamBYOBReader'";
      arrayBufferView.convert(view, `${what}: parameter 1`);
      const { min } = idl.ReadableStreamBYOBReaderReadOptions.convert(options, what) as { min: number };
      checkView(view, min);
      if (this.#reader.stream === null) throw releasedError();
      const request = new PromisedRead();
      readInto(this.#reader, view, min, request);
      return request.promise;
    });
  }

  releaseLock(): void {
    this.#reader.release();
  }

  static {
    isByobReader = (value) => typeof value === 'object' && value !== null && #reader in value;
  }
}

/** https://streams.spec.whatwg.org/#readable-stream-byob-reader-read */
export function readInto(reader: Reader, view: ArrayBufferView, minimum: number, request: ReadRequest): void {
  const stream = reader.stream as Readable;
  stream.disturbed = true;
  if (stream.state === 'errored') request.error(stream.error);
  else (stream.controller as ByteController).pullInto(view, minimum, request);
}
