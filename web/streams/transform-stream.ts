// https://streams.spec.whatwg.org/#ts-class-definition and #ts-default-controller-class-definition

import { isObject } from '../webidl/conversions.ts';
import { nothing, toStrategy, toTransformer } from './dictionaries.ts';
import { internal, requireInternal } from './interface.ts';
import { createReadableStream, type ReadableStream } from './readable-stream.ts';
import { highWaterMarkOf, sizeOf } from './strategies.ts';
import { TransformController } from './transform.ts';
import { UserTransformer } from './underlying.ts';
import { createWritableStream, type WritableStream } from './writable-stream.ts';

export interface TransformSides {
  readable: ReadableStream;
  writable: WritableStream;
}

/** https://streams.spec.whatwg.org/#ts-constructor */
function construct(transformer: unknown, writableInit: unknown, readableInit: unknown): TransformSides {
  const what = "Failed to construct 'TransformStream'";
  const given = transformer === undefined ? nothing : transformer;
  if (!isObject(given)) throw new TypeError(`${what}: the transformer is not an object`);
  const writableStrategy = toStrategy(writableInit);
  const readableStrategy = toStrategy(readableInit);
  const dictionary = toTransformer(given);
  if (dictionary.readableType !== undefined) throw new RangeError(`${what}: no readableType is known`);
  if (dictionary.writableType !== undefined) throw new RangeError(`${what}: no writableType is known`);
  const readableHighWaterMark = highWaterMarkOf(readableStrategy, 0);
  const readableSize = sizeOf(readableStrategy);
  const writableHighWaterMark = highWaterMarkOf(writableStrategy, 1);
  const writableSize = sizeOf(writableStrategy);
  const strategies = { readableHighWaterMark, readableSize, writableHighWaterMark, writableSize };
  return sidesOf(new TransformController(new UserTransformer(given, dictionary), strategies));
}

export function sidesOf({ readable, writable }: TransformController): TransformSides {
  return { readable: createReadableStream(readable), writable: createWritableStream(writable) };
}

export let sidesOfTransform: (stream: TransformStream) => TransformSides;

/** Plug-ins construct it with a transformer and strategies, the platform with the sides that there are. */
export class TransformStream {
  #sides: TransformSides;

  constructor(transformer?: unknown, writableStrategy?: unknown, readableStrategy?: unknown) {
    this.#sides =
      transformer === internal
        ? (writableStrategy as TransformSides)
        : construct(transformer, writableStrategy, readableStrategy);
  }

  static {
    sidesOfTransform = (stream) => stream.#sides;
  }

  get readable(): ReadableStream {
    return this.#sides.readable;
  }
  get writable(): WritableStream {
    return this.#sides.writable;
  }
}

export function createTransformStream(sides: TransformSides): TransformStream {
  return new TransformStream(internal, sides);
}

export class TransformStreamDefaultController {
  #controller: TransformController;

  constructor(token: unknown, controller: TransformController) {
    requireInternal(token);
    this.#controller = controller;
  }

  get desiredSize(): number | null {
    return this.#controller.desiredSize;
  }

  enqueue(chunk?: unknown): void {
    this.#controller.enqueue(chunk);
  }

  error(reason?: unknown): void {
    this.#controller.error(reason);
  }

  terminate(): void {
    this.#controller.terminate();
  }
}
