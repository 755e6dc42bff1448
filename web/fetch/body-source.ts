// Where the bytes of a body come from, piece by piece, and how streams become such sources and sources streams.

import { natives } from '../natives.ts';
import { type ByteController, createByteStream, type ReadableStream, readChunk } from '../streams/streams.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export interface BodySource {
  /**
   * The next piece, null at the end, undefined when there is none yet. Never called before ready() is settled then, nor
   * after the end or an error. A piece belongs to the caller, with its whole buffer.
   */
  read(): Bytes | null | undefined;
  /**
   * When to read again; there wherever read() may give undefined. Pieces go through no promise, since that would show them
   * to an Object.prototype.then.
   */
  ready?(): Promise<void>;
  /** Nobody will read on. */
  cancel(reason: unknown): unknown;
  /** Bytes in all, where that is known. */
  size?: number;
  /** The same content once more, where it can be had again. */
  again?(): BodySource;
  /** Throws what it has failed with, where it has. */
  check?(): void;
  /** `listener` hears of a failure at once, not only with the next read. For one listener. */
  onFailure?(listener: (error: unknown) => void): void;
}

export function sourceOfData(data: string | Bytes | null): BodySource {
  let rest: Bytes | null = typeof data === 'string' ? natives.utf8Encode(data) : data;
  return {
    read() {
      const piece = rest;
      rest = null;
      return piece;
    },
    cancel() {
      rest = null;
    },
  };
}

export function streamOfSource(source: BodySource): ReadableStream {
  return createByteStream({
    type: 'bytes',
    start(controller: ByteController) {
      source.onFailure?.((error) => controller.error(error));
    },
    async pull(controller: ByteController) {
      for (;;) {
        const piece = source.read();
        if (piece === null) break;
        if (piece === undefined) await source.ready?.();
        else if (piece.length > 0) return controller.enqueue(piece);
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => source.cancel(reason),
  });
}

/** What a stream gave: a chunk, its end or an error. */
interface Given {
  kind: 'chunk' | 'end' | 'error';
  value?: unknown;
}

/** Reads a stream as a source. Locks it. */
export function sourceOfStream(stream: ReadableStream): BodySource {
  const reader = stream.getReader();
  let given: Given | null = null;
  let wake: (() => void) | null = null;
  const give = (what: Given): void => {
    given = what;
    wake?.();
  };
  function next(): Given | null {
    if (given === null) {
      wake = null;
      readChunk(reader, {
        chunk: (value) => give({ kind: 'chunk', value }),
        close: () => give({ kind: 'end' }),
        error: (value) => give({ kind: 'error', value }),
      });
    }
    const taken = given;
    given = null;
    return taken;
  }
  return {
    read() {
      const found = next();
      if (found === null) return undefined;
      if (found.kind === 'end') return null;
      if (found.kind === 'error') throw found.value;
      if (found.value instanceof Uint8Array) return found.value as Bytes;
      const error = new TypeError("The body's stream gave something other than a Uint8Array");
      reader.cancel(error).catch(() => {});
      throw error;
    },
    ready: () =>
      new Promise((resolve) => {
        wake = resolve;
        if (given !== null) resolve();
      }),
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Reads to the end. */
export async function readAll(source: BodySource, pieces: Bytes[]): Promise<void> {
  for (;;) {
    const piece = source.read();
    if (piece === null) return;
    if (piece === undefined) await source.ready?.();
    else pieces.push(piece);
  }
}

/** Of one piece, that piece itself. */
export function concat(pieces: Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0] as Bytes;
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
