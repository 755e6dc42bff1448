// The messages between pages, the service worker (SW) and the Workers in which a page hosts plug-ins, and the names of
// the locks by which they know of each other.
//
//   page --- postMessage ---> SW    `PageMessage`; the SW answers with `NoticeMessage`s, or on a port that came along
//   leader page <-- port --> SW     `ToLeader`, `FromLeader`: which Workers are to run
//   Worker      <-- port --> SW     `ToWorker`, `FromWorker`: requests and answers, past the page's main thread
//
// Pages and SW may come from different versions of Valor while pages are open: what is posted outside a port carries
// PROTOCOL and is ignored by another version. A page of another version than the SW's hosts nothing.
import type { Definition } from './core/core.ts';
import type { HeaderPairs, Problem } from './instance/instance.ts';

/** Changes whenever a message does. */
export const PROTOCOL = 1;

/** Held by the page that hosts the plug-ins of this scope. `scope`: absolute URL. */
export function leaderLock(scope: string): string {
  return `valor:leader:${scope}`;
}

/** Held by a Worker as long as it lives. */
export function instanceLock(scope: string, instance: string): string {
  return `valor:instance:${scope}:${instance}`;
}

/** Held by a SW as long as it runs. `id` is new with every start. */
export function serviceWorkerLock(scope: string, id: string): string {
  return `valor:service-worker:${scope}:${id}`;
}

/** IndexedDB database of the scope. */
export function databaseName(scope: string): string {
  return `valor:${scope}`;
}

/** All Caches of the scope begin with it. The blank, which no URL has, keeps scopes apart. */
export function cachePrefix(scope: string): string {
  return `valor:${scope} `;
}

// ---- between any page and the SW

/** Which version of Valor is there? Never changes. Comes with a port, on which a `HelloReply` goes back. */
export interface HelloMessage {
  type: 'valor-hello';
}

export interface HelloReply {
  /** PROTOCOL. */
  valor: number;
}

/** A request of a page that the SW cannot control. Comes with a port, on which one `BridgeReply` goes back. */
export interface BridgeMessage extends Envelope {
  type: 'fetch';
  url: string;
  method: string;
  headers: HeaderPairs;
  body: ArrayBuffer | null;
}

export type BridgeReply =
  | {
      type: 'response';
      status: number;
      statusText: string;
      headers: HeaderPairs;
      body: ReadableStream<Uint8Array> | null;
    }
  /** It is the network's. */
  | { type: 'not-ours' }
  | { type: 'failed'; message: string };

interface Envelope {
  valor: number;
  /** The scope that it is about; several SWs of one origin do not see each other. */
  scope: string;
}

/**
 * A page became the leader, or answers `seek`. Comes with a port for `ToLeader` and `FromLeader`. `workers`: those that
 * run there.
 */
export interface OfferMessage extends Envelope {
  type: 'offer';
  workers: { name: string; version: number }[];
}

/** A call of valor.js's API. Comes with a port, on which one `CallReply` goes back. */
export interface CallMessage extends Envelope {
  type: 'call';
  method: string;
  argument?: unknown;
}

export type CallReply = { result: unknown } | { error: string };

export type PageMessage = OfferMessage | CallMessage | BridgeMessage;

/** To all pages: whoever leads offers itself. `sent`: Date.now(); a page that was frozen ignores what is old. */
export interface SeekMessage extends Envelope {
  type: 'seek';
  sent: number;
}

/** To one page: the leader does not move, take the lock from it. */
export interface TakeOverMessage extends Envelope {
  type: 'take-over';
  sent: number;
}

/**
 * To the page that a request came from: a plug-in was given it, it may not be repeated, and when it has ended. The browser asks a SW
 * anew what it had asked one that was stopped; this page is the only one that knows then. `key`: what tells requests apart.
 */
export interface BegunMessage extends Envelope {
  type: 'begun' | 'ended';
  key: string;
}

/** Had a SW that is no more begun this request? Comes with a port, on which a boolean goes back. */
export interface RecallMessage extends Envelope {
  type: 'recall';
  key: string;
}

/** To all pages: an event of valor.js. */
export interface EventMessage extends Envelope {
  type: 'event';
  event: 'statechange' | 'error' | 'update';
  detail?: unknown;
}

export type NoticeMessage = SeekMessage | TakeOverMessage | BegunMessage | RecallMessage | EventMessage;

/** One plug-in as valor.js and the console list it. */
export interface PluginStatus {
  name: string;
  prefix: string;
  /** 'idle': no request has come yet that would have started it. 'network': browsers do not run it. */
  state: 'idle' | 'starting' | 'running' | 'failed' | 'network';
  /** Where it runs; null while it does not. */
  place: Place | null;
  version: number;
  requests: number;
  /** Of these, ended with 5xx. */
  failures: number;
  /** Median of the last answers, from arrival to head; null before the first. */
  latency_ms: number | null;
  /** The last one, for operators. */
  error: string | null;
}

export type Place = 'worker' | 'service-worker';

// ---- leader page and SW

/** Run this plug-in, or hand the port to the Worker that runs it already. Comes with the SW's port for that Worker. */
export interface HostMessage {
  type: 'host';
  definition: Definition;
  version: number;
  location: string;
  /** See serviceWorkerLock(). */
  serviceWorker: string;
}

/** End the Worker of this plug-in at once: it computes, crashed, or has nothing more to do. */
export interface TerminateMessage {
  type: 'terminate';
  name: string;
  version: number;
}

export type ToLeader = HostMessage | TerminateMessage | { type: 'ping' };

export type FromLeader =
  | { type: 'pong' }
  /** A Worker could not be started. */
  | { type: 'failed'; message: string }
  /** The page is leaving, and its Workers with it. */
  | { type: 'resign' };

// ---- Worker and SW

/** Leader to Worker, with a port for further `PortMessage`s and the port of the SW. `core`: core/ in WebAssembly. */
export interface StartMessage {
  type: 'start';
  scope: string;
  instance: string;
  definition: Definition;
  location: string;
  core: WebAssembly.Module;
  serviceWorker: string;
}

/** Leader to Worker: the port of a SW that was started after it. */
export interface PortMessage {
  type: 'port';
  serviceWorker: string;
}

/** A body in one piece, or one that streams: its name, and how many bytes may be sent before the first `pull`. */
export type WireBody = ArrayBuffer | { stream: number; window: number } | null;

/** Bodies that stream, in both directions. The first three go with the body, the other two against it. */
export type StreamMessage =
  | { type: 'chunk'; stream: number; bytes: Uint8Array }
  | { type: 'end'; stream: number }
  | { type: 'error'; stream: number; message: string }
  /** So many bytes more may be sent. */
  | { type: 'pull'; stream: number; bytes: number }
  /** Nobody reads it any more. */
  | { type: 'cancel'; stream: number };

export interface RequestMessage {
  type: 'request';
  id: number;
  requestId: string;
  method: string;
  url: string;
  headers: HeaderPairs;
  body: WireBody;
  /** Date.now() of the SW. */
  sent: number;
}

export type ToWorker =
  | StreamMessage
  | RequestMessage
  /** Answers `may-begin`. Where the answer is no, none comes. */
  | { type: 'begin'; id: number }
  | { type: 'drop'; id: number; reason: 'gone' | 'timeout' }
  | { type: 'ping' }
  /** Answers `read`. */
  | { type: 'file'; call: number; url: string; mediaType: string; bytes: ArrayBuffer }
  /** Answers `fetch`. */
  | { type: 'fetched'; call: number; status: number; statusText: string; headers: HeaderPairs; body: WireBody }
  /** Answers `fetch`: it is the network's. */
  | { type: 'not-ours'; call: number }
  | { type: 'call-failed'; call: number; message: string };

export type FromWorker =
  | StreamMessage
  /** The lock instanceLock(scope, instance) is held. */
  | { type: 'hello'; instance: string }
  /** The plug-in has been loaded. */
  | { type: 'ready' }
  | { type: 'load-failed'; message: string }
  /** The plug-in is being given this request. Told of methods that may not be repeated. */
  | { type: 'begun'; id: number }
  /** A request that may not be repeated is old: is it still this Worker's? A page that was frozen has lost it. */
  | { type: 'may-begin'; id: number }
  | { type: 'response'; id: number; status: number; headers: HeaderPairs; body: WireBody }
  | { type: 'fail'; id: number; problem: Problem }
  | { type: 'decline'; id: number }
  /** The instance is at its end. `begun`: open requests that the plug-in has been given. */
  | { type: 'broken'; problem: Problem; begun: number[] }
  | { type: 'log'; level: LogLevel; text: string }
  | { type: 'pong' }
  /** A file of the plug-in. */
  | { type: 'read'; call: number; url: string }
  /** The plug-in's own fetch of something in the scope. `parent`: the request it works on, 0 where that cannot be told. */
  | { type: 'fetch'; call: number; parent: number; url: string; method: string; headers: HeaderPairs; body: WireBody }
  /** Nobody waits for that answer any more. */
  | { type: 'fetch-aborted'; call: number };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** RFC 9110 section 9.2.2, and what a plug-in may have been given twice when the page that hosts it goes. */
const repeatableMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

export function isRepeatable(method: string): boolean {
  return repeatableMethods.has(method);
}
