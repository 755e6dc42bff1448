// The interfaces that plug-ins see.

import { registerInspector } from '../console/inspectors.ts';
import { loadPart } from '../lazy.ts';
import { natives } from '../natives.ts';
import { type Constructor, type RequiredArguments, shapeInterface } from '../webidl/define.ts';
import {
  ReadableByteStreamController,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
} from './readable-controllers.ts';
import { ReadableStream } from './readable-stream.ts';
import { ReadableStreamBYOBReader, ReadableStreamDefaultReader } from './readers.ts';
import { ByteLengthQueuingStrategy, CountQueuingStrategy } from './strategies.ts';
import { TransformStream, TransformStreamDefaultController } from './transform-stream.ts';
import { WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter } from './writable-stream.ts';

export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};

type Messaging = typeof import('../lazy/messaging.ts');

const messaging = (): Messaging => loadPart<Messaging>('messaging');

const interfaces: readonly (readonly [string, Constructor, RequiredArguments])[] = [
  ['ByteLengthQueuingStrategy', ByteLengthQueuingStrategy, {}],
  ['CountQueuingStrategy', CountQueuingStrategy, {}],
  ['ReadableByteStreamController', ReadableByteStreamController, { '': 0, error: 0 }],
  ['ReadableStream', ReadableStream, { '': 0, cancel: 0, getReader: 0, pipeThrough: 1, pipeTo: 1, values: 0 }],
  ['ReadableStreamBYOBReader', ReadableStreamBYOBReader, { '': 1, cancel: 0, read: 1 }],
  ['ReadableStreamBYOBRequest', ReadableStreamBYOBRequest, { '': 0 }],
  ['ReadableStreamDefaultController', ReadableStreamDefaultController, { '': 0, enqueue: 0, error: 0 }],
  ['ReadableStreamDefaultReader', ReadableStreamDefaultReader, { '': 1, cancel: 0 }],
  ['TransformStream', TransformStream, { '': 0 }],
  ['TransformStreamDefaultController', TransformStreamDefaultController, { '': 0, enqueue: 0, error: 0 }],
  ['WritableStream', WritableStream, { '': 0, abort: 0 }],
  ['WritableStreamDefaultController', WritableStreamDefaultController, { '': 0, error: 0 }],
  ['WritableStreamDefaultWriter', WritableStreamDefaultWriter, { '': 1, abort: 0, write: 0 }],
];

/** Once, when they are loaded. */
export function shapeStreams(): void {
  for (const [name, type, required] of interfaces) shapeInterface(type, name, required);
  const { prototype } = ReadableStream;
  const { prototype: writable } = WritableStream;
  natives.markPlatformPrototype(prototype, undefined, (stream) => messaging().transferReadable(stream));
  natives.markPlatformPrototype(writable, undefined, (stream) => messaging().transferWritable(stream));
  natives.markPlatformPrototype(TransformStream.prototype, undefined, (stream) =>
    messaging().transferTransform(stream),
  );
  registerInspector(prototype, (stream: ReadableStream) => [['locked', stream.locked]]);
  registerInspector(writable, (stream: WritableStream) => [['locked', stream.locked]]);
}
