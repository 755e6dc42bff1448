// The dictionaries of the standard, read member by member in the order that Web IDL has, which is that of the alphabet:
// https://webidl.spec.whatwg.org/#js-dictionary. Every stream reads some, so they are not read by their declarations.

import { type AbortSignal, isAbortSignal } from '../dom/abort.ts';
import { isObject, toDOMString } from '../webidl/conversions.ts';
import { integer } from '../webidl/types.ts';
import { isReadableStream, type ReadableStream } from './readable-stream.ts';
import { isWritableStream, type WritableStream } from './writable-stream.ts';

type Raw<T> = { readonly [Member in keyof T]?: unknown };

// biome-ignore lint/complexity/noBannedTypes: whatever is callable
type Callback = Function | undefined;

/** Has no members, whatever there is on Object.prototype. */
export const nothing: object = Object.create(null);

/** Undefined and null are the dictionary without members. */
function requireDictionary(value: unknown, what: string): void {
  if (value !== undefined && value !== null && !isObject(value)) throw new TypeError(`${what} is not an object`);
}

function toCallback(value: unknown, name: string): Callback {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`'${name}' is not a function`);
  return value;
}

function toOneOf<T extends string>(value: unknown, only: T, name: string): T | undefined {
  if (value === undefined) return undefined;
  const text = toDOMString(value);
  if (text !== only) throw new TypeError(`'${text}' is not a valid value of '${name}'`);
  return only;
}

export interface Strategy {
  highWaterMark: number | undefined;
  size: ((chunk: unknown) => unknown) | undefined;
}

const noStrategy: Strategy = { highWaterMark: undefined, size: undefined };

export function toStrategy(value: unknown): Strategy {
  if (value === undefined || value === null) return noStrategy;
  requireDictionary(value, 'The strategy');
  const { highWaterMark } = value as Raw<Strategy>;
  const number = highWaterMark === undefined ? undefined : +(highWaterMark as number);
  const { size } = value as Raw<Strategy>;
  return { highWaterMark: number, size: toCallback(size, 'size') as Strategy['size'] };
}

export function toHighWaterMark(init: unknown): number {
  requireDictionary(init, 'The init of the strategy');
  const highWaterMark = (init as Raw<Strategy> | undefined | null)?.highWaterMark;
  if (highWaterMark === undefined) throw new TypeError("The strategy has no 'highWaterMark'");
  return +(highWaterMark as number);
}

export interface SourceDictionary {
  autoAllocateChunkSize: number | undefined;
  cancel: Callback;
  pull: Callback;
  start: Callback;
  type: 'bytes' | undefined;
}

const size = integer(64, false, 'enforceRange');

export function toSource(value: object): SourceDictionary {
  const given = value as Raw<SourceDictionary>;
  const { autoAllocateChunkSize } = given;
  return {
    autoAllocateChunkSize:
      autoAllocateChunkSize === undefined
        ? undefined
        : (size.convert(autoAllocateChunkSize, "'autoAllocateChunkSize'") as number),
    cancel: toCallback(given.cancel, 'cancel'),
    pull: toCallback(given.pull, 'pull'),
    start: toCallback(given.start, 'start'),
    type: toOneOf(given.type, 'bytes', 'type'),
  };
}

export interface SinkDictionary {
  abort: Callback;
  close: Callback;
  start: Callback;
  type: unknown;
  write: Callback;
}

export function toSink(value: object): SinkDictionary {
  const given = value as Raw<SinkDictionary>;
  return {
    abort: toCallback(given.abort, 'abort'),
    close: toCallback(given.close, 'close'),
    start: toCallback(given.start, 'start'),
    type: given.type,
    write: toCallback(given.write, 'write'),
  };
}

export interface TransformerDictionary {
  cancel: Callback;
  flush: Callback;
  readableType: unknown;
  start: Callback;
  transform: Callback;
  writableType: unknown;
}

export function toTransformer(value: object): TransformerDictionary {
  const given = value as Raw<TransformerDictionary>;
  return {
    cancel: toCallback(given.cancel, 'cancel'),
    flush: toCallback(given.flush, 'flush'),
    readableType: given.readableType,
    start: toCallback(given.start, 'start'),
    transform: toCallback(given.transform, 'transform'),
    writableType: given.writableType,
  };
}

export function toReaderMode(options: unknown): 'byob' | undefined {
  if (options === undefined || options === null) return undefined;
  requireDictionary(options, 'The options');
  return toOneOf((options as { mode?: unknown }).mode, 'byob', 'mode');
}

export interface PipeOptions {
  readonly preventAbort: boolean;
  readonly preventCancel: boolean;
  readonly preventClose: boolean;
  readonly signal: AbortSignal | undefined;
}

export const noPipeOptions: PipeOptions = {
  preventAbort: false,
  preventCancel: false,
  preventClose: false,
  signal: undefined,
};

export function toPipeOptions(options: unknown): PipeOptions {
  if (options === undefined || options === null) return noPipeOptions;
  requireDictionary(options, 'The options');
  const given = options as Raw<PipeOptions>;
  const preventAbort = Boolean(given.preventAbort);
  const preventCancel = Boolean(given.preventCancel);
  const preventClose = Boolean(given.preventClose);
  const { signal } = given;
  if (signal !== undefined && !isAbortSignal(signal)) throw new TypeError("'signal' is not an AbortSignal");
  return { preventAbort, preventCancel, preventClose, signal };
}

/** What chunks are piped through. */
export function toPair(value: unknown): { readable: ReadableStream; writable: WritableStream } {
  if (!isObject(value)) throw new TypeError('What is piped through is not an object');
  const { readable } = value as { readable?: unknown };
  if (!isReadableStream(readable)) throw new TypeError("'readable' is not a ReadableStream");
  const { writable } = value as { writable?: unknown };
  if (!isWritableStream(writable)) throw new TypeError("'writable' is not a WritableStream");
  return { readable, writable };
}
