// What the rest of the platform does with streams, without what plug-ins may have put in the place of their methods.

import { createReadable } from './default-controller.ts';
import { noPipeOptions } from './dictionaries.ts';
import { type Pieces, piecesOfReadable, readableOfPieces } from './pieces.ts';
import { pipe } from './pipe-to.ts';
import { ignoreRejection } from './reactions.ts';
import { cancelReadable, isLocked as isLockedReadable, Reader, type Source } from './readable.ts';
import { createReadableStream, isReadableStream, type ReadableStream, readableOf } from './readable-stream.ts';
import { tee } from './tee.ts';
import { TransformController, type Transformer } from './transform.ts';
import { createTransformStream, sidesOf, sidesOfTransform, type TransformSides } from './transform-stream.ts';
import type { Sink } from './writable.ts';
import { createWritable } from './writable-controller.ts';
import { createWritableStream, isLockedWritable, type WritableStream, writableOf } from './writable-stream.ts';

export { createTransformStream, isLockedWritable, isReadableStream, sidesOfTransform };

const internally = 'The platform';

export function isLocked(stream: ReadableStream): boolean {
  return isLockedReadable(readableOf(stream, internally));
}

/** https://streams.spec.whatwg.org/#is-readable-stream-disturbed */
export function isDisturbed(stream: ReadableStream): boolean {
  return readableOf(stream, internally).disturbed;
}

/** From now on it looks as if it were being read. */
export function occupy(stream: ReadableStream): void {
  const readable = readableOf(stream, internally);
  readable.disturbed = true;
  new Reader(readable);
}

export function cancelStream(stream: ReadableStream, reason: unknown): void {
  ignoreRejection(cancelReadable(readableOf(stream, internally), reason));
}

/** The second branch gets copies: https://streams.spec.whatwg.org/#readablestream-tee */
export function teeStream(stream: ReadableStream): [ReadableStream, ReadableStream] {
  const [first, second] = tee(readableOf(stream, internally), true);
  return [createReadableStream(first), createReadableStream(second)];
}

/** Locks the stream. */
export function piecesOfStream(stream: ReadableStream): Pieces {
  return piecesOfReadable(readableOf(stream, internally));
}

/** A byte stream. A piece belongs to the stream, with its whole buffer. */
export function createByteStream(pieces: Pieces): ReadableStream {
  return createReadableStream(readableOfPieces(pieces));
}

/** A stream of anything, from which nothing is asked before it is read. */
export function createStream(source: Source): ReadableStream {
  return createReadableStream(createReadable(source, 0));
}

export function createSinkStream(sink: Sink): WritableStream {
  return createWritableStream(createWritable(sink, 1));
}

export function createTransform(transformer: Transformer): TransformSides {
  return sidesOf(new TransformController(transformer));
}

/** Neither may be locked. Failures go to the two streams. */
export function pipeStream(from: ReadableStream, to: WritableStream): void {
  ignoreRejection(pipe(readableOf(from, internally), writableOf(to), noPipeOptions));
}
