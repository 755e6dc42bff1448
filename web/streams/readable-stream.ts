// https://streams.spec.whatwg.org/#rs-class-definition

import * as idl from 'valor-idl';
import { isObject, requireArguments } from '../webidl/conversions.ts';
import { defineHidden } from '../webidl/define.ts';
import { defineBrand } from '../webidl/types.ts';
import { iterate } from './async-iterator.ts';
import { ByteController } from './byte-controller.ts';
import { DefaultController } from './default-controller.ts';
import { nothing, toPair, toPipeOptions, toReaderMode, toSource, toStrategy } from './dictionaries.ts';
import { readableFrom } from './from.ts';
import { illegalInvocation, internal, rejecting } from './interface.ts';
import { pipe } from './pipe-to.ts';
import { ignoreRejection, rejected } from './reactions.ts';
import { cancelReadable, isLocked, Readable, Reader } from './readable.ts';
import { acquireByobReader, ReadableStreamBYOBReader, ReadableStreamDefaultReader } from './readers.ts';
import { highWaterMarkOf, sizeOf } from './strategies.ts';
import { tee } from './tee.ts';
import { UserSource } from './underlying.ts';
import { isLockedWritable, isWritableStream, writableOf } from './writable-stream.ts';

/** The stream behind an object of a plug-in. Throws a TypeError when it is something else. */
export let readableOf: (value: unknown, what: string) => Readable;
export let isReadableStream: (value: unknown) => value is ReadableStream;

/** https://streams.spec.whatwg.org/#rs-constructor */
function construct(underlyingSource: unknown, strategyInit: unknown): Readable {
  const given = underlyingSource === undefined ? nothing : underlyingSource;
  if (!isObject(given))
    throw new TypeError("Failed to construct 'ReadableStream': the underlying source is not an object");
  const strategy = toStrategy(strategyInit);
  const dictionary = toSource(given);
  const stream = new Readable();
  const source = new UserSource(given, dictionary);
  if (dictionary.type === 'bytes') {
    if (strategy.size !== undefined) throw new RangeError('The strategy of a byte stream has no size');
    const highWaterMark = highWaterMarkOf(strategy, 0);
    const { autoAllocateChunkSize } = dictionary;
    if (autoAllocateChunkSize === 0) throw new TypeError('autoAllocateChunkSize is 0');
    new ByteController(stream, source, highWaterMark, autoAllocateChunkSize ?? 0).start();
  } else {
    const size = sizeOf(strategy);
    new DefaultController(stream, source, highWaterMarkOf(strategy, 1), size).start();
  }
  return stream;
}

/** Plug-ins construct it with a source and a strategy, the platform with the stream that there is. */
export class ReadableStream {
  #stream: Readable;

  constructor(underlyingSource?: unknown, strategy?: unknown) {
    this.#stream = underlyingSource === internal ? (strategy as Readable) : construct(underlyingSource, strategy);
  }

  static from(iterable: unknown): ReadableStream {
    // biome-ignore lint/complexity/noArguments: Web IDL counts the arguments that were passed
    requireArguments(arguments.length, 1, "Failed to execute 'from' on 'ReadableStream'");
    return new ReadableStream(internal, readableFrom(iterable));
  }

  get locked(): boolean {
    return isLocked(this.#stream);
  }

  cancel(reason?: unknown): Promise<void> {
    if (!isReadableStream(this)) return illegalInvocation('ReadableStream');
    if (isLocked(this.#stream)) return rejected(new TypeError('A locked stream cannot be canceled'));
    return cancelReadable(this.#stream, reason);
  }

  getReader(options?: unknown): ReadableStreamDefaultReader | ReadableStreamBYOBReader {
    const stream = this.#stream;
    return toReaderMode(options) === undefined
      ? new ReadableStreamDefaultReader(internal, new Reader(stream))
      : new ReadableStreamBYOBReader(internal, acquireByobReader(stream));
  }

  pipeThrough(transform: unknown, options?: unknown): ReadableStream {
    const stream = this.#stream;
    const pair = toPair(transform);
    const pipeOptions = toPipeOptions(options);
    if (isLocked(stream)) throw new TypeError('The stream is locked to a reader');
    if (isLockedWritable(pair.writable)) throw new TypeError('The writable stream is locked to a writer');
    ignoreRejection(pipe(stream, writableOf(pair.writable), pipeOptions));
    return pair.readable;
  }

  pipeTo(destination: unknown, options?: unknown): Promise<void> {
    if (!isReadableStream(this)) return illegalInvocation('ReadableStream');
    return rejecting(() => {
      if (!isWritableStream(destination)) {
        throw new TypeError(
          "Failed to execute 'pipeTo' on 'ReadableStream': parameter 1 is not of type 'WritableStream'",
        );
      }
      const pipeOptions = toPipeOptions(options);
      if (isLocked(this.#stream)) throw new TypeError('The stream is locked to a reader');
      if (isLockedWritable(destination)) throw new TypeError('The writable stream is locked to a writer');
      return pipe(this.#stream, writableOf(destination), pipeOptions);
    });
  }

  tee(): [ReadableStream, ReadableStream] {
    const [first, second] = tee(this.#stream, false);
    return [new ReadableStream(internal, first), new ReadableStream(internal, second)];
  }

  values(options?: unknown): object {
    const stream = this.#stream;
    const what = "Failed to execute 'values' on 'ReadableStream'";
    const { preventCancel } = idl.ReadableStreamIteratorOptions.convert(options, what) as { preventCancel: boolean };
    return iterate(stream, preventCancel);
  }

  static {
    isReadableStream = (value): value is ReadableStream =>
      typeof value === 'object' && value !== null && #stream in value;
    readableOf = (value, what) => {
      if (!isReadableStream(value)) throw new TypeError(`${what}: parameter 1 is not of type 'ReadableStream'`);
      return value.#stream;
    };
  }
}

defineHidden(ReadableStream.prototype, Symbol.asyncIterator, ReadableStream.prototype.values);
defineBrand('ReadableStream', isReadableStream);

export function createReadableStream(stream: Readable): ReadableStream {
  return new ReadableStream(internal, stream);
}
