// https://streams.spec.whatwg.org/, implemented by a library that is loaded when it is first needed.

import { registerInspector } from '../console/inspectors.ts';
import { cloneWith } from '../html/structured-clone.ts';
import { loadPart } from '../lazy.ts';
import { natives } from '../natives.ts';
import { defineLazyInterface } from '../webidl/define.ts';

export interface ReadResult {
  done: boolean;
  value: unknown;
}

export interface StreamReader {
  read(): Promise<ReadResult>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

export interface ReadableStream {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): StreamReader;
  tee(): [ReadableStream, ReadableStream];
  pipeThrough(transform: { readable: object; writable: object }): ReadableStream;
}

export interface ByteController {
  readonly byobRequest: { respond(count: number): void } | null;
  enqueue(chunk: Uint8Array): void;
  close(): void;
  error(reason: unknown): void;
}

export interface ByteSource {
  type: 'bytes';
  start?(controller: ByteController): unknown;
  pull(controller: ByteController): unknown;
  cancel?(reason: unknown): unknown;
}

export interface TransformController {
  enqueue(chunk: unknown): void;
}

export interface TransformStream {
  readonly readable: ReadableStream;
  readonly writable: object;
}

export interface Transformer {
  transform(chunk: unknown, controller: TransformController): void;
  flush(controller: TransformController): void;
}

type Messaging = typeof import('../lazy/messaging.ts');

type StreamClass = (abstract new (...args: never[]) => object) & { prototype: object };

interface StreamsLibrary extends Record<string, StreamClass> {
  ReadableStream: { new (source: ByteSource, strategy: { highWaterMark: number }): ReadableStream; prototype: object };
  TransformStream: { new (transformer: Transformer): TransformStream; prototype: object };
}

const names = [
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

let library: StreamsLibrary | null = null;

const messaging = (): Messaging => loadPart<Messaging>('messaging');
const transfers: Record<string, ((stream: never) => object) | undefined> = {
  ReadableStream: (stream) => messaging().transferReadable(stream),
  TransformStream: (stream) => messaging().transferTransform(stream),
  WritableStream: (stream) => messaging().transferWritable(stream),
};

function load(): StreamsLibrary {
  if (library) return library;
  library = loadPart<{ default: StreamsLibrary }>('streams').default;
  for (const name of names) {
    const prototype = library[name]?.prototype;
    if (!prototype) throw new Error(`The streams library has no ${name}`);
    natives.markPlatformPrototype(prototype, undefined, transfers[name]);
    registerInspector(prototype, (stream: { locked?: boolean }) =>
      typeof stream.locked === 'boolean' ? [['locked', stream.locked]] : [],
    );
  }
  return library;
}

/** The interfaces by name. */
export function streamClasses(): StreamsLibrary {
  return load();
}

export function isReadableStream(value: object): value is ReadableStream {
  // Nobody can have made one before the library was there.
  return library !== null && value instanceof library.ReadableStream;
}

/** https://streams.spec.whatwg.org/#is-readable-stream-disturbed; the library keeps the slot under this name. */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed;
}

export function createByteStream(source: ByteSource): ReadableStream {
  return new (load().ReadableStream)(source, { highWaterMark: 0 });
}

/** https://streams.spec.whatwg.org/#read-request */
export interface ReadRequest {
  chunk(value: unknown): void;
  close(): void;
  error(reason: unknown): void;
}

let pullSteps: symbol | undefined;

/**
 * https://streams.spec.whatwg.org/#readable-stream-default-reader-read, which no plug-in can see happen. The library has it
 * under these names only.
 */
export function readChunk(reader: StreamReader, request: ReadRequest): void {
  const { _ownerReadableStream: stream } = reader as unknown as { _ownerReadableStream: Slots };
  stream._disturbed = true;
  if (stream._state !== 'readable') {
    if (stream._state === 'closed') request.close();
    else request.error(stream._storedError);
    return;
  }
  pullSteps ??= Object.getOwnPropertySymbols(load().ReadableStreamDefaultController?.prototype).find(
    ({ description }) => description === '[[PullSteps]]',
  );
  stream._readableStreamController[pullSteps as symbol]?.({
    _chunkSteps: request.chunk,
    _closeSteps: request.close,
    _errorSteps: request.error,
  });
}

interface Slots {
  _disturbed: boolean;
  _state: 'readable' | 'closed' | 'errored';
  _storedError: unknown;
  _readableStreamController: Record<symbol, (request: object) => void>;
}

/** https://streams.spec.whatwg.org/#abstract-opdef-readablestreamtee with cloneForBranch2: for bodies that are cloned. */
export function teeCloning(stream: ReadableStream): [ReadableStream, ReadableStream] {
  const [first, second] = stream.tee();
  const { ReadableByteStreamController, ReadableStream: Stream } = load();
  const controller = (stream as unknown as { _readableStreamController: object })._readableStreamController;
  // Those of bytes copy by themselves.
  if (ReadableByteStreamController && controller instanceof ReadableByteStreamController) return [first, second];
  const reader = second.getReader();
  const copies = {
    async pull(copy: { enqueue(chunk: unknown): void; close(): void }): Promise<void> {
      const { done, value } = await reader.read();
      if (done) copy.close();
      else copy.enqueue(cloneWith(value, undefined));
    },
    cancel: (reason: unknown) => reader.cancel(reason),
  };
  return [first, new Stream(copies as unknown as ByteSource, { highWaterMark: 0 })];
}

export function createTransformStream(transformer: Transformer): TransformStream {
  return new (load().TransformStream)(transformer);
}

export function installStreams(global: object): void {
  for (const name of names) defineLazyInterface(global, name, () => load()[name]);
}
