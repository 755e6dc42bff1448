// The functions written in C++ that only this kind of plug-in has (natives.cpp).
import { type Natives, natives as platformNatives } from '../../web/natives.ts';

/** What C++ calls: found by name when an instance starts. */
export interface Hooks {
  /** A context was made from the snapshot; no plug-in ran in it yet. */
  onContextMade(): void;
  /** Before the plug-in's code: its fetch() is to behave as in a page. */
  useBrowserFetch(): void;
  /** A timer is due. */
  onTimer(id: number): void;
  /** A promise was rejected and nobody listens. Returns whether the plug-in wants no report. */
  onUnhandledRejection(promise: Promise<unknown>, reason: unknown): boolean;
  /** Which way of answering the loaded script has chosen; "" for none. `namespace` is that of a module. */
  chooseStyle(namespace: Record<string, unknown> | undefined): Style | '';
  /**
   * A request in the message style. `timeStamp` is what natives.now() gave when it came, in whole milliseconds; `parts`
   * are its headers, name and value in turn.
   */
  onMessage(timeStamp: number, url: string, method: string, body: ArrayBuffer | null, ...parts: string[]): void;
  /**
   * A request in one of the fetch styles. `headers` is "name\0value\0name\0value\0...". `rawUrl` is absolute; where
   * `unserialized`, it has yet to be brought into the form that URLs have as text.
   */
  onFetch(call: number, rawUrl: string, unserialized: boolean, method: string, headers: string, hasBody: boolean): void;
  /** After readBody() returned undefined. */
  onBodyReady(call: number): void;
  /** After writeBody() returned "wait". */
  onWritable(call: number): void;
  /** Nobody waits for the answer any more. */
  onDropped(call: number, timedOut: boolean): void;
  /** The head of the response to a request that startOutgoing() began; `headers` as in onFetch. */
  onOutgoingHead(id: number, status: number, reason: string, headers: string): void;
  /** After readOutgoing() returned undefined. */
  onOutgoingReadable(id: number): void;
  /** The next piece of the request's body is wanted: writeOutgoing(). */
  onOutgoingWanted(id: number): void;
  /** It is over without a complete response. */
  onOutgoingFailed(id: number, code: string, message: string): void;
  /** Another instance has posted to a channel of this name; not `intact`: what it posted cannot be had any more. */
  onBroadcast(name: string, message: unknown, intact: boolean): void;
  /** Makes an object of what its class has packed in another instance (web/messaging/unpack.ts). */
  unpackPlatformObject(kind: string, data: unknown, key: unknown): object;
  /** WebAssembly is to be compiled from `source`, which should be a Response (web/wasm/streaming.ts). */
  onWasmSource(
    source: unknown,
    push: (bytes: Uint8Array, before: number) => void,
    finish: (url: string) => void,
    abort: (error: unknown) => void,
  ): void;
}

export type Style = 'module' | 'service-worker' | 'message';

export type ResponseBody = string | ArrayBuffer | ArrayBufferView | null | undefined;

/** What writeBody() says: go on, wait for onWritable(), or stop, because the client has left. */
export const writeReady = 0;
export const writeWait = 1;
export const writeGone = 2;

/** `headers` is always text from header-text.ts. */
export interface JsNatives {
  setHooks(hooks: Hooks): void;

  /** Message style: answers the request that the rules of correlation find. */
  respond(status: unknown, headers: string, body: ResponseBody): void;
  /** Message style: what was posted is no response. Its request fails, and `why` is logged. */
  refuse(why: string): void;

  /** Fetch styles: a whole answer. */
  sendResponse(call: number, status: number, headers: string, body: ResponseBody): void;
  /** Fetch styles: an answer in pieces begins. Returns false when nobody waits for it any more. */
  startResponse(call: number, status: number, headers: string): boolean;
  writeBody(call: number, piece: ArrayBufferView): number;
  finishBody(call: number): void;
  /** Fetch styles: no answer, or no more of it. `error` is logged with its stack; `why` says what happened. */
  failCall(call: number, why: string, error?: unknown): void;
  /** The next piece of a request's body: null at its end, undefined when there is none yet, false when it broke off. */
  readBody(call: number): Uint8Array<ArrayBuffer> | null | undefined | false;
}

export const natives = platformNatives as Natives & JsNatives;
