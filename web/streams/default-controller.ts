// https://streams.spec.whatwg.org/#rs-default-controller-abstract-ops

import { PullController } from './pull-controller.ts';
import { ChunkQueue, type SizeAlgorithm } from './queue.ts';
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

export class DefaultController extends PullController {
  readonly #queue: ChunkQueue;
  #size: SizeAlgorithm;

  constructor(stream: Readable, source: Source, highWaterMark: number, size: SizeAlgorithm) {
    super(stream, source, highWaterMark);
    this.#size = size;
    this.#queue = new ChunkQueue(size);
  }

  protected override get queued(): number {
    return this.#queue.total;
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-controller-close */
  close(): void {
    if (!this.canEnqueue) return;
    this.closeRequested = true;
    if (this.#queue.length > 0) return;
    this.#forget();
    closeReadable(this.stream);
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-controller-enqueue */
  enqueue(chunk: unknown): void {
    if (!this.canEnqueue) return;
    if (waiting(this.stream, false) > 0) {
      fulfillRequest(this.stream, chunk, false);
    } else {
      try {
        this.#queue.push(chunk, this.#size === null ? 1 : this.#size(chunk));
      } catch (error) {
        this.error(error);
        throw error;
      }
    }
    this.pullIfNeeded();
  }

  override error(reason: unknown): void {
    if (this.stream.state !== 'readable') return;
    this.clear();
    this.#forget();
    errorReadable(this.stream, reason);
  }

  override clear(): void {
    this.#queue.clear();
  }

  override pullFor(request: ReadRequest): void {
    if (this.#queue.length === 0) {
      addRequest(this.stream, request);
      this.pullIfNeeded();
      return;
    }
    const chunk = this.#queue.shift();
    if (this.closeRequested && this.#queue.length === 0) {
      this.#forget();
      closeReadable(this.stream);
    } else {
      this.pullIfNeeded();
    }
    request.chunk(chunk);
  }

  override release(): void {}

  override cancel(reason: unknown): Promise<unknown> {
    this.#size = null;
    return super.cancel(reason);
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-controller-clear-algorithms */
  #forget(): void {
    this.source = null;
    this.#size = null;
  }
}

/** https://streams.spec.whatwg.org/#create-readable-stream */
export function createReadable(source: Source, highWaterMark: number, size: SizeAlgorithm = null): Readable {
  const stream = new Readable();
  new DefaultController(stream, source, highWaterMark, size).start();
  return stream;
}
