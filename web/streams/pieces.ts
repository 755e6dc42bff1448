// Between streams and what the platform reads and writes itself: pieces of bytes that somebody asks for.

import { typedArrayName } from '../webidl/buffer-source.ts';
import { type ByteController, createReadableBytes } from './byte-controller.ts';
import type { Bytes } from './byte-queue.ts';
import { ignoreRejection, pending } from './reactions.ts';
import { type Readable, Reader, type ReadRequest } from './readable.ts';

/** Where bytes come from, piece by piece. */
export interface Pieces {
  /**
   * The next piece, null at the end, undefined when there is none yet. Never called before ready() is settled then, nor
   * after the end or an error.
   */
  read(): Bytes | null | undefined;
  /**
   * When to read again; there wherever read() may give undefined. Pieces go through no promise, since that would show them
   * to an Object.prototype.then.
   */
  ready?(): Promise<void>;
  /** Nobody will read on. */
  cancel(reason: unknown): unknown;
  /** `listener` hears of a failure at once, not only with the next read. For one listener. */
  onFailure?(listener: (error: unknown) => void): void;
}

/** The next that is not empty. */
function nextPiece(pieces: Pieces): Bytes | null | undefined {
  let piece = pieces.read();
  while (piece?.length === 0) piece = pieces.read();
  return piece;
}

function give(controller: ByteController, piece: Bytes | null): void {
  if (piece !== null) {
    controller.give(piece);
    return;
  }
  controller.close();
  // Whoever brought memory gets it back.
  if (controller.request !== undefined) controller.respond(0);
}

async function giveLater(controller: ByteController, pieces: Pieces): Promise<void> {
  try {
    let piece: Bytes | null | undefined;
    while (piece === undefined) {
      await pieces.ready?.();
      piece = nextPiece(pieces);
    }
    give(controller, piece);
  } catch (error) {
    controller.error(error);
    return;
  }
  controller.pulled();
}

/** A byte stream. A piece belongs to the stream, with its whole buffer. */
export function readableOfPieces(pieces: Pieces): Readable {
  return createReadableBytes({
    start(controller) {
      pieces.onFailure?.((error) => (controller as ByteController).error(error));
    },
    pull(controller) {
      const piece = nextPiece(pieces);
      if (piece === undefined) {
        void giveLater(controller as ByteController, pieces);
        return pending;
      }
      give(controller as ByteController, piece);
      return undefined;
    },
    cancel: (reason) => pieces.cancel(reason),
  });
}

/** Reads a stream, without a promise where a chunk is there already. */
class PieceReader implements Pieces, ReadRequest {
  readonly #reader: Reader;
  #asked = false;
  #answer: Bytes | null | undefined = undefined;
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(stream: Readable) {
    this.#reader = new Reader(stream);
  }

  read(): Bytes | null | undefined {
    if (this.#answer === undefined && this.#failure === null && !this.#asked) {
      this.#asked = true;
      this.#reader.read(this);
    }
    if (this.#failure !== null) throw this.#failure.error;
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  ready(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#asked) this.#wake = resolve;
      else resolve();
    });
  }

  cancel(reason: unknown): unknown {
    return this.#reader.cancel(reason);
  }

  chunk(chunk: unknown): void {
    if (typedArrayName(chunk) === 'Uint8Array') {
      this.#answer = chunk as Bytes;
      this.#answered();
      return;
    }
    const error = new TypeError("The body's stream gave something other than a Uint8Array");
    ignoreRejection(this.#reader.cancel(error));
    this.error(error);
  }

  close(): void {
    this.#answer = null;
    this.#answered();
  }

  error(error: unknown): void {
    this.#failure = { error };
    this.#answered();
  }

  #answered(): void {
    this.#asked = false;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** Locks the stream. */
export function piecesOfReadable(stream: Readable): Pieces {
  return new PieceReader(stream);
}
