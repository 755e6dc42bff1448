// https://streams.spec.whatwg.org/#abstract-opdef-readablebytestreamtee

import { bufferOf, byteLengthOf, byteOffsetOf } from '../webidl/buffer-source.ts';
import { type ByteController, createReadableBytes } from './byte-controller.ts';
import { type Bytes, copyOf } from './byte-queue.ts';
import { runInMicrotask } from './reactions.ts';
import { type Readable, Reader, type ReadRequest } from './readable.ts';
import { acquireByobReader, readInto } from './readers.ts';
import { JointCancel } from './tee.ts';

type Branch = 0 | 1;

/** https://streams.spec.whatwg.org/#abstract-opdef-cloneasuint8array */
function cloneAsBytes(view: ArrayBufferView): Bytes {
  return copyOf(bufferOf(view) as ArrayBuffer, byteOffsetOf(view), byteLengthOf(view));
}

class ByteTee {
  readonly branches: [Readable, Readable];
  readonly #stream: Readable;
  #reader: Reader;
  readonly #joint: JointCancel;
  #reading = false;
  readonly #again: [boolean, boolean] = [false, false];

  constructor(stream: Readable) {
    this.#stream = stream;
    this.#joint = new JointCancel(stream);
    this.#reader = new Reader(stream);
    const branch = (at: Branch): Readable =>
      createReadableBytes({
        start: undefined,
        pull: () => this.#pull(at),
        cancel: (reason) => this.#joint.cancel(at, reason),
      });
    this.branches = [branch(0), branch(1)];
    this.#watch();
  }

  #controller(at: Branch): ByteController {
    return this.branches[at].controller as ByteController;
  }

  /** Errors of the stream go on to the branches. */
  #watch(): void {
    const reader = this.#reader;
    const stream = this.#stream;
    reader.ended = () => {
      if (stream.state !== 'errored') return;
      runInMicrotask(() => {
        if (reader !== this.#reader) return;
        this.#failBranches(stream.error);
        this.#joint.ended();
      });
    };
    if (stream.state === 'errored') reader.ended();
  }

  #failBranches(reason: unknown): void {
    this.#controller(0).error(reason);
    this.#controller(1).error(reason);
  }

  #use(byob: boolean): void {
    if (this.#reader.byob === byob) return;
    const old = this.#reader;
    old.release();
    this.#reader = byob ? acquireByobReader(this.#stream) : new Reader(this.#stream);
    this.#watch();
  }

  #pull(at: Branch): undefined {
    if (this.#reading) {
      this.#again[at] = true;
      return;
    }
    this.#reading = true;
    const view = this.#controller(at).requestView;
    if (view === null) {
      this.#use(false);
      this.#reader.read(this.#request());
    } else {
      this.#use(true);
      readInto(this.#reader, view, 1, this.#requestInto(at));
    }
  }

  #readOn(): void {
    this.#reading = false;
    if (this.#again[0]) this.#pull(0);
    else if (this.#again[1]) this.#pull(1);
  }

  /** A copy for the other branch; null when there cannot be one, and everything has failed. */
  #copy(chunk: ArrayBufferView): Bytes | null {
    try {
      return cloneAsBytes(chunk);
    } catch (error) {
      this.#failBranches(error);
      this.#joint.cancelStream(error);
      return null;
    }
  }

  #request(): ReadRequest {
    const { canceled } = this.#joint;
    return {
      chunk: (chunk) => {
        // The stream goes on before its branches do.
        runInMicrotask(() => {
          this.#again[0] = false;
          this.#again[1] = false;
          let second = chunk as Bytes | null;
          if (!canceled[0] && !canceled[1]) second = this.#copy(chunk as Bytes);
          if (second === null) return;
          if (!canceled[0]) this.#controller(0).enqueue(chunk as Bytes);
          if (!canceled[1]) this.#controller(1).enqueue(second);
          this.#readOn();
        });
      },
      close: () => {
        this.#reading = false;
        for (const at of [0, 1] as const) if (!canceled[at]) this.#controller(at).close();
        for (const at of [0, 1] as const) {
          if (this.#controller(at).request !== undefined) this.#controller(at).respond(0);
        }
        this.#joint.ended();
      },
      error: () => {
        this.#reading = false;
      },
    };
  }

  /** Of a read into the memory that a reader of the branch brought. */
  #requestInto(at: Branch): ReadRequest {
    const { canceled } = this.#joint;
    const other = (1 - at) as Branch;
    return {
      chunk: (chunk) => {
        runInMicrotask(() => {
          this.#again[0] = false;
          this.#again[1] = false;
          const copy = canceled[other] ? undefined : this.#copy(chunk as ArrayBufferView);
          if (copy === null) return;
          if (!canceled[at]) this.#controller(at).respondWithNewView(chunk as ArrayBufferView);
          if (copy !== undefined) this.#controller(other).enqueue(copy);
          this.#readOn();
        });
      },
      close: (view) => {
        this.#reading = false;
        if (!canceled[at]) this.#controller(at).close();
        if (!canceled[other]) this.#controller(other).close();
        if (view !== undefined) {
          if (!canceled[at]) this.#controller(at).respondWithNewView(view);
          if (!canceled[other] && this.#controller(other).request !== undefined) this.#controller(other).respond(0);
        }
        this.#joint.ended();
      },
      error: () => {
        this.#reading = false;
      },
    };
  }
}

export function teeBytes(stream: Readable): [Readable, Readable] {
  return new ByteTee(stream).branches;
}
