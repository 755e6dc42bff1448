// https://streams.spec.whatwg.org/#readable-stream-tee

import { cloneWith } from '../html/structured-clone.ts';
import { ByteController } from './byte-controller.ts';
import { teeBytes } from './byte-tee.ts';
import { createReadable, type DefaultController } from './default-controller.ts';
import { react, runInMicrotask } from './reactions.ts';
import { cancelReadable, type Readable, Reader, type ReadRequest } from './readable.ts';

/** Tells a stream that is read twice when both branches are canceled. */
export class JointCancel {
  readonly #stream: Readable;
  readonly #outcome = Promise.withResolvers<void>();
  readonly #reasons: [unknown, unknown] = [undefined, undefined];
  readonly canceled: [boolean, boolean] = [false, false];

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  cancel(branch: 0 | 1, reason: unknown): Promise<void> {
    this.canceled[branch] = true;
    this.#reasons[branch] = reason;
    if (this.canceled[1 - branch]) this.cancelStream(this.#reasons);
    return this.#outcome.promise;
  }

  /** The stream has ended: whoever canceled one branch need not wait for the other. */
  ended(): void {
    if (!this.canceled[0] || !this.canceled[1]) this.#outcome.resolve();
  }

  cancelStream(reason: unknown): void {
    const { resolve, reject } = this.#outcome;
    react(cancelReadable(this.#stream, reason), resolve, reject);
  }
}

class Tee implements ReadRequest {
  readonly branches: [Readable, Readable];
  readonly #reader: Reader;
  readonly #joint: JointCancel;
  readonly #clones: boolean;
  #reading = false;
  #again = false;

  constructor(stream: Readable, clones: boolean) {
    this.#reader = new Reader(stream);
    this.#joint = new JointCancel(stream);
    this.#clones = clones;
    const branch = (at: 0 | 1): Readable =>
      createReadable(
        { start: undefined, pull: () => this.#pull(), cancel: (reason) => this.#joint.cancel(at, reason) },
        1,
      );
    this.branches = [branch(0), branch(1)];
    this.#reader.ended = () => {
      if (stream.state === 'errored') runInMicrotask(() => this.#failed(stream.error));
    };
    if (stream.state === 'errored') this.#reader.ended();
  }

  #controller(at: 0 | 1): DefaultController {
    return this.branches[at].controller as DefaultController;
  }

  #pull(): undefined {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#reader.read(this);
  }

  chunk(chunk: unknown): void {
    // The stream goes on before its branches do.
    runInMicrotask(() => {
      this.#again = false;
      const { canceled } = this.#joint;
      let second = chunk;
      if (!canceled[1] && this.#clones) {
        try {
          second = cloneWith(chunk, undefined);
        } catch (error) {
          this.#controller(0).error(error);
          this.#controller(1).error(error);
          this.#joint.cancelStream(error);
          return;
        }
      }
      if (!canceled[0]) this.#controller(0).enqueue(chunk);
      if (!canceled[1]) this.#controller(1).enqueue(second);
      this.#reading = false;
      if (this.#again) this.#pull();
    });
  }

  close(): void {
    this.#reading = false;
    const { canceled } = this.#joint;
    if (!canceled[0]) this.#controller(0).close();
    if (!canceled[1]) this.#controller(1).close();
    this.#joint.ended();
  }

  error(): void {
    this.#reading = false;
  }

  #failed(reason: unknown): void {
    this.#controller(0).error(reason);
    this.#controller(1).error(reason);
    this.#joint.ended();
  }
}

/** Two streams of the same chunks. The second gets copies when `clones`; those of bytes are always copied. Locks the stream. */
export function tee(stream: Readable, clones: boolean): [Readable, Readable] {
  return stream.controller instanceof ByteController ? teeBytes(stream) : new Tee(stream, clones).branches;
}
