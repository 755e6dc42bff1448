// The functions written in C++ that the platform is built on. They arrive in one object while the startup snapshot is
// built; nothing else may reach them afterwards, so plug-in code cannot.

import type { CryptoNatives } from './crypto/natives.ts';

export type LogLevel = 0 | 1 | 2 | 3;

export interface IsolateInfo {
  /** The plug-in's name. */
  name: string;
  /** Public URL of the mount, with a slash at the end. */
  location: string;
  /** The plug-in's config as JSON text. */
  config: string;
  hardwareConcurrency: number;
}

/** What engine/ offers. */
export interface EngineNatives {
  /** `onTimer(id)` (html/timers.ts) is called once, `delayMs` milliseconds from now; equal times keep their order. */
  setTimer(id: number, delayMs: number): void;
  clearTimer(id: number): void;
  /** Milliseconds since the instance started, with a fraction. */
  now(): number;
  /** When the instance started: milliseconds since the epoch, with a fraction. */
  timeOrigin(): number;
  enqueueMicrotask(callback: () => void): void;
  /** On whose behalf the code runs, and what follows from it through promises and timers; 0: of nobody. */
  activity(): number;
  /** The code that runs now does so for `activity`; `state` goes along, but not through timers. */
  beginActivity(activity: number, state: unknown): void;
  /** The state that went along; undefined: none. */
  activityState(): unknown;
  /** Logs an exception that nobody handled. */
  reportException(error: unknown): void;
  /** Levels: 0 debug, 1 info, 2 warning, 3 error. */
  log(level: LogLevel, text: string): void;
  /** Whether log() with that level goes anywhere. */
  keepsLog(level: LogLevel): boolean;
  /** Known only once an instance runs: never call it while the snapshot is built. */
  isolateInfo(): IsolateInfo;
  /**
   * Runs a classic script, named relative to the plug-in's own and percent-encoded. Returns "" when it ran, "missing" when
   * there is none, "module" when the plug-in is a module, else why the script cannot be run.
   */
  importScript(path: string): string;
  /**
   * The next bytes of a file of the plug-in's folder, from `offset` on: null at its end, undefined when there is no such file. A
   * file: URL.
   */
  readOwnFile(url: string, offset: number): Uint8Array<ArrayBuffer> | null | undefined;
  /** Runs the bundle of web/lazy/<name>.ts and returns its exports object. */
  loadLazy(name: string): unknown;
}

/** An object of the platform as plain data: the name of its interface, the data, and the key of one that has a key. */
export type Packed = [kind: string, data: unknown, key?: object];

/** What web/ implements in C++ (natives.cpp). */
export interface WebNatives {
  /** Lone surrogates become U+FFFD. */
  utf8Encode(text: string): Uint8Array<ArrayBuffer>;
  /** Returns [code units read, bytes written], undefined when `into` is something else; never splits a character. */
  utf8EncodeInto(text: string, into: Uint8Array): [number, number] | undefined;
  /** Keeps a byte order mark. Ill-formed input gives U+FFFD, or `undefined` for the whole when `fatal`. */
  utf8Decode(bytes: ArrayBufferView | ArrayBufferLike, fatal: boolean): string | undefined;
  /** `makeError` creates what is thrown when a value cannot be cloned. */
  structuredClone(value: unknown, transfer: unknown[], makeError: (message: string) => unknown): [unknown, object[]];
  /**
   * From now on objects that inherit from `prototype` are copied by `clone` and moved by `transfer`, or not at all. For
   * another instance they are copied by `pack`, which gives what messaging/unpack.ts gets there. `clone` and `pack` may
   * return undefined for an object that they do not know.
   */
  markPlatformPrototype(
    prototype: object,
    clone?: (object: never) => object | undefined,
    transfer?: (object: never) => object,
    pack?: (object: never) => Packed | undefined,
  ): void;
  /** A property that is not enumerable, writable and configurable. `make` is called when it is first read. */
  defineLazyProperty(target: object, name: string, make: () => unknown): void;
  /** Formats: deflate, deflate-raw, gzip, brotli. What is returned is for runCodec and nothing else. */
  createCodec(format: string, compress: boolean): ArrayBuffer;
  /** Returns what is wrong with the input, or "". `push` gets each piece of output; what it throws is thrown. */
  runCodec(
    codec: ArrayBuffer,
    input: ArrayBufferView | ArrayBuffer,
    last: boolean,
    push: (piece: Uint8Array<ArrayBuffer>) => void,
  ): string;
  /** One of the numbers in console/value-kind.ts. */
  classify(value: unknown): number;
  /** [0 pending, 1 fulfilled or 2 rejected, result]. */
  promiseState(promise: unknown): [number, unknown];
  /** Contents of a map, set, or iterator over one, without running code: values, or keys and values in turn. */
  previewEntries(collection: unknown): { entries: unknown[]; pairs: boolean };
  /** The serialised URL, with the places of its parts in `parts` (url/url-record.ts); undefined when it is none. */
  urlParse(input: string, base: string | undefined, parts: Uint32Array): string | undefined;
  /** Changes one part of a serialised URL; undefined when the value is refused. */
  urlSet(href: string, part: number, value: string, parts: Uint32Array): string | undefined;
  /** Whether no fetch may connect to a port (core/blocked-ports.h). */
  isBlockedPort(port: number): boolean;
  /** The target of a proxy; null after it was revoked. */
  proxyTarget(proxy: unknown): object | null;
}

/**
 * What the plug-in's host offers: to fetch() (plugins/js/outgoing.cpp), whose news come to the functions of fetch/exchange.ts, and
 * to BroadcastChannel (plugins/js/broadcasting.cpp).
 */
export interface HostNatives {
  /**
   * Begins one exchange with one server and returns its id. `headers` is "name\0value\0name\0value\0..."; the body comes
   * whole, in pieces by writeOutgoing() (its length in bytes, or true where it is not known), or not at all. Unless
   * `outlivesCall`, it ends with the request on whose behalf the plug-in runs. `freshConnection`: none that is there
   * already is used.
   */
  startOutgoing(
    method: string,
    url: string,
    headers: string,
    body: Uint8Array<ArrayBuffer> | number | true | null,
    outlivesCall: boolean,
    freshConnection: boolean,
  ): number;
  /** The next piece of the response's body: null at its end, undefined when there is none yet. */
  readOutgoing(id: number): Uint8Array<ArrayBuffer> | null | undefined;
  /** The next piece of the request's body, null at its end. */
  writeOutgoing(id: number, piece: Uint8Array | null): void;
  /** Ends it; nothing more is heard of it. */
  cancelOutgoing(id: number): void;
  /** A BroadcastChannel of this name more; what other instances post comes to messaging/hooks.ts. */
  openBroadcast(name: string): void;
  /** One less. */
  closeBroadcast(name: string): void;
  /** To the channels of that name in the plug-in's other instances. `makeError` as for structuredClone. */
  postBroadcast(name: string, message: unknown, makeError: (message: string) => unknown): void;
}

export type Natives = EngineNatives & WebNatives & CryptoNatives & HostNatives;

export const natives = (globalThis as unknown as { __valor_natives: Natives }).__valor_natives;
