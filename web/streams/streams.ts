// https://streams.spec.whatwg.org/, as the rest of the platform uses it. The part is loaded when a stream is first needed.

import { loadPart } from '../lazy.ts';
import { defineLazyInterface } from '../webidl/define.ts';

export type { Pieces } from './pieces.ts';
export type { ReadableStream } from './readable-stream.ts';
export type { TransformController, Transformer } from './transform.ts';
export type { TransformSides } from './transform-stream.ts';

type Streams = typeof import('../lazy/streams.ts');

const names: readonly (keyof Streams)[] = [
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'ReadableByteStreamController',
  'ReadableStream',
  'ReadableStreamBYOBReader',
  'ReadableStreamBYOBRequest',
  'ReadableStreamDefaultController',
  'ReadableStreamDefaultReader',
  'TransformStream',
  'TransformStreamDefaultController',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
];

let part: Streams | null = null;

export function streams(): Streams {
  part ??= loadPart<Streams>('streams');
  return part;
}

/** The same where somebody needed streams before; otherwise null, and there are none. */
export function streamsInUse(): Streams | null {
  return part;
}

export function installStreams(global: object): void {
  for (const name of names) defineLazyInterface(global, name, () => streams()[name]);
}
