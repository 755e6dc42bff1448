// Where the bytes of a body come from, piece by piece.

import { natives } from '../natives.ts';
import type { Pieces } from '../streams/streams.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** A piece belongs to the caller, with its whole buffer. */
export interface BodySource extends Pieces {
  /** Bytes in all, where that is known. */
  size?: number;
  /** The same content once more, where it can be had again. */
  again?(): BodySource;
  /** Throws what it has failed with, where it has. */
  check?(): void;
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
