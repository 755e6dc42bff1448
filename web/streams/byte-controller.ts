// https://streams.spec.whatwg.org/#rbs-controller-abstract-ops

import { bufferOf, byteLengthOf, byteOffsetOf, viewTypeOf } from '../webidl/buffer-source.ts';
import { ByteQueue, type Bytes, copyOf } from './byte-queue.ts';
import { PullController } from './pull-controller.ts';
import { PullInto, pulledView } from './pull-into.ts';
import {
  addRequest,
  closeReadable,
  errorReadable,
  fulfillRequest,
  Readable,
  type ReadRequest,
  type Source,
  waiting,
} from './readable.ts';

export class ByteController extends PullController {
  readonly #queue = new ByteQueue();
  /** What there is to be filled, in order. */
  #pullIntos: PullInto[] = [];
  readonly #autoAllocate: number;
  /** What plug-ins have of `request`, until it is answered. */
  requestDropped: (() => void) | null = null;

  /** `autoAllocate` is the size of the memory that is made for readers without, 0: none. */
  constructor(stream: Readable, source: Source, highWaterMark: number, autoAllocate: number) {
    super(stream, source, highWaterMark);
    this.#autoAllocate = autoAllocate;
  }

  protected override get queued(): number {
    return this.#queue.total;
  }

  /** What is to be filled next. */
  get request(): PullInto | undefined {
    return this.#pullIntos[0];
  }

  /** The part of it that is still empty. */
  get requestView(): Bytes | null {
    const first = this.request;
    if (first === undefined) return null;
    return new Uint8Array(first.buffer, first.byteOffset + first.filled, first.byteLength - first.filled);
  }

  /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-close */
  close(): void {
    if (!this.canEnqueue) return;
    if (this.#queue.total > 0) {
      this.closeRequested = true;
      return;
    }
    const { request } = this;
    if (request !== undefined && request.filled % request.type.elementSize !== 0) {
      const error = new TypeError('The stream is closed in the middle of an element');
      this.error(error);
      throw error;
    }
    this.source = null;
    closeReadable(this.stream);
  }

  /** Takes the memory of the chunk: https://streams.spec.whatwg.org/#readable-byte-stream-controller-enqueue */
  enqueue(chunk: ArrayBufferView): void {
    if (!this.canEnqueue) return;
    const buffer = bufferOf(chunk) as ArrayBuffer;
    const byteOffset = byteOffsetOf(chunk);
    const byteLength = byteLengthOf(chunk);
    if (buffer.detached) throw new TypeError('The memory of the chunk was given away');
    this.give(new Uint8Array(buffer.transfer(), byteOffset, byteLength));
  }

  /** The same with bytes whose memory nobody else has. */
  give(bytes: Bytes): void {
    const { stream } = this;
    if (!this.canEnqueue) return;
    const first = this.request;
    if (first !== undefined) {
      if (first.buffer.detached) throw new TypeError('The memory of the request was given away');
      this.#dropRequest();
      first.buffer = first.buffer.transfer();
      if (first.reader === 'none') this.#enqueueDetached(first);
    }
    if (stream.reader === null) {
      this.#queue.push(bytes);
    } else if (stream.reader.byob) {
      this.#queue.push(bytes);
      for (const filled of this.#fillFromQueue()) this.#commit(filled);
    } else {
      this.#answerFromQueue();
      if (waiting(stream, false) === 0) {
        this.#queue.push(bytes);
      } else {
        if (this.#pullIntos.length > 0) this.#shiftPullInto();
        fulfillRequest(stream, bytes, false);
      }
    }
    this.pullIfNeeded();
  }

  override error(reason: unknown): void {
    if (this.stream.state !== 'readable') return;
    this.clear();
    this.source = null;
    errorReadable(this.stream, reason);
  }

  override clear(): void {
    this.#dropRequest();
    this.#pullIntos = [];
    this.#queue.clear();
  }

  override pullFor(request: ReadRequest): void {
    if (this.#queue.total > 0) {
      this.#answer(request);
      return;
    }
    if (this.#autoAllocate > 0) {
      let buffer: ArrayBuffer;
      try {
        buffer = new ArrayBuffer(this.#autoAllocate);
      } catch (error) {
        request.error(error);
        return;
      }
      this.#pullIntos.push(new PullInto(buffer, 0, this.#autoAllocate, viewTypeOf(new Uint8Array(0)), 1, 'default'));
    }
    addRequest(this.stream, request);
    this.pullIfNeeded();
  }

  override release(): void {
    const first = this.request;
    if (first === undefined) return;
    first.reader = 'none';
    this.#pullIntos = [first];
  }

  /**
   * Reads into the memory of `view`, at least `minimum` elements unless the stream ends:
   * https://streams.spec.whatwg.org/#readable-byte-stream-controller-pull-into
   */
  pullInto(view: ArrayBufferView, minimum: number, request: ReadRequest): void {
    const { stream } = this;
    const type = viewTypeOf(view);
    const byteOffset = byteOffsetOf(view);
    const byteLength = byteLengthOf(view);
    let buffer: ArrayBuffer;
    try {
      buffer = (bufferOf(view) as ArrayBuffer).transfer();
    } catch (error) {
      request.error(error);
      return;
    }
    const pullInto = new PullInto(buffer, byteOffset, byteLength, type, minimum * type.elementSize, 'byob');
    if (this.#pullIntos.length > 0) {
      this.#pullIntos.push(pullInto);
      addRequest(stream, request);
      return;
    }
    if (stream.state === 'closed') {
      request.close(new type.make(buffer, byteOffset, 0));
      return;
    }
    if (this.#queue.total > 0) {
      if (this.#queue.fill(pullInto)) {
        const filled = pulledView(pullInto);
        this.#queueDrained();
        request.chunk(filled);
        return;
      }
      if (this.closeRequested) {
        const error = new TypeError('The stream ends in the middle of an element');
        this.error(error);
        request.error(error);
        return;
      }
    }
    this.#pullIntos.push(pullInto);
    addRequest(stream, request);
    this.pullIfNeeded();
  }

  /** The first request got that many bytes: https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond */
  respond(count: number): void {
    const first = this.request as PullInto;
    if (this.stream.state === 'closed') {
      if (count !== 0) throw new TypeError('The stream is closed: only 0 bytes can be given');
    } else {
      if (count === 0) throw new TypeError('0 bytes are given only when the stream is closed');
      if (first.filled + count > first.byteLength) throw new RangeError('These are more bytes than were asked for');
    }
    first.buffer = first.buffer.transfer();
    this.#respond(first, count);
  }

  /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-respond-with-new-view */
  respondWithNewView(view: ArrayBufferView): void {
    const first = this.request as PullInto;
    const count = byteLengthOf(view);
    if (this.stream.state === 'closed') {
      if (count !== 0) throw new TypeError('The stream is closed: only an empty view can be given');
    } else if (count === 0) {
      throw new TypeError('An empty view is given only when the stream is closed');
    }
    const buffer = bufferOf(view) as ArrayBuffer;
    if (first.byteOffset + first.filled !== byteOffsetOf(view) || first.bufferLength !== buffer.byteLength) {
      throw new RangeError('The view is not at the place that was to be filled');
    }
    if (first.filled + count > first.byteLength) throw new RangeError('These are more bytes than were asked for');
    first.buffer = buffer.transfer();
    this.#respond(first, count);
  }

  #respond(first: PullInto, count: number): void {
    this.#dropRequest();
    if (this.stream.state === 'closed') this.#respondWhenClosed(first);
    else this.#respondWhenReadable(first, count);
    this.pullIfNeeded();
  }

  #respondWhenClosed(first: PullInto): void {
    if (first.reader === 'none') this.#shiftPullInto();
    const filled: PullInto[] = [];
    for (let count = waiting(this.stream, true); count > 0; count--) filled.push(this.#shiftPullInto());
    for (const pullInto of filled) this.#commit(pullInto);
  }

  #respondWhenReadable(pullInto: PullInto, count: number): void {
    pullInto.filled += count;
    if (pullInto.reader === 'none') {
      this.#enqueueDetached(pullInto);
      for (const filled of this.#fillFromQueue()) this.#commit(filled);
      return;
    }
    if (pullInto.filled < pullInto.minimum) return;
    this.#shiftPullInto();
    // The beginning of an element that is not complete goes to whoever reads next.
    const rest = pullInto.filled % pullInto.type.elementSize;
    if (rest > 0) this.#enqueueCopy(pullInto.buffer, pullInto.byteOffset + pullInto.filled - rest, rest);
    pullInto.filled -= rest;
    const others = this.#fillFromQueue();
    this.#commit(pullInto);
    for (const filled of others) this.#commit(filled);
  }

  /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-commit-pull-into-descriptor */
  #commit(pullInto: PullInto): void {
    fulfillRequest(this.stream, pulledView(pullInto), this.stream.state === 'closed');
  }

  #shiftPullInto(): PullInto {
    return this.#pullIntos.shift() as PullInto;
  }

  #dropRequest(): void {
    this.requestDropped?.();
    this.requestDropped = null;
  }

  #enqueueCopy(buffer: ArrayBuffer, byteOffset: number, byteLength: number): void {
    let copy: Bytes;
    try {
      copy = copyOf(buffer, byteOffset, byteLength);
    } catch (error) {
      this.error(error);
      throw error;
    }
    this.#queue.push(copy);
  }

  /** What came for a reader that is gone. */
  #enqueueDetached(pullInto: PullInto): void {
    if (pullInto.filled > 0) this.#enqueueCopy(pullInto.buffer, pullInto.byteOffset, pullInto.filled);
    this.#shiftPullInto();
  }

  /** Fills what waits from the queue, and returns what has enough. */
  #fillFromQueue(): PullInto[] {
    const filled: PullInto[] = [];
    while (this.#pullIntos.length > 0 && this.#queue.total > 0) {
      if (this.#queue.fill(this.request as PullInto)) filled.push(this.#shiftPullInto());
    }
    return filled;
  }

  #answerFromQueue(): void {
    const { reader } = this.stream;
    while (reader !== null && reader.requests.length > 0 && this.#queue.total > 0)
      this.#answer(reader.requests.shift());
  }

  #answer(request: ReadRequest): void {
    const bytes = this.#queue.shift();
    this.#queueDrained();
    request.chunk(bytes);
  }

  /** https://streams.spec.whatwg.org/#readable-byte-stream-controller-handle-queue-drain */
  #queueDrained(): void {
    if (this.#queue.total === 0 && this.closeRequested) {
      this.source = null;
      closeReadable(this.stream);
    } else {
      this.pullIfNeeded();
    }
  }
}

/** https://streams.spec.whatwg.org/#abstract-opdef-createreadablebytestream */
export function createReadableBytes(source: Source): Readable {
  const stream = new Readable();
  new ByteController(stream, source, 0, 0).start();
  return stream;
}
