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
import type { Body, HeaderPairs, Problem } from './instance/instance.ts';

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

// ---- between any page and the SW

interface Envelope {
  valor: number;
  /** The scope that it is about; several SWs of one origin do not see each other. */
  scope: string;
}

/** A page became the leader, or answers `seek`. Comes with a port for `ToLeader` and `FromLeader`. */
export interface OfferMessage extends Envelope {
  type: 'offer';
}

/** A call of valor.js's API. Comes with a port, on which one `CallReply` goes back. */
export interface CallMessage extends Envelope {
  type: 'call';
  method: string;
  argument?: unknown;
}

export type CallReply = { result: unknown } | { error: string };

export type PageMessage = OfferMessage | CallMessage;

/** To all pages: whoever leads offers itself. */
export interface SeekMessage extends Envelope {
  type: 'seek';
}

/** To all pages: an event of valor.js. */
export interface EventMessage extends Envelope {
  type: 'event';
  event: 'statechange' | 'error' | 'update';
  detail?: unknown;
}

export type NoticeMessage = SeekMessage | EventMessage;

/** One plug-in as valor.js and the console list it. */
export interface PluginStatus {
  name: string;
  prefix: string;
  /** 'idle': no request has come yet that would have started it. */
  state: 'idle' | 'starting' | 'running' | 'failed';
  /** Where it runs; null while it does not. */
  place: 'worker' | 'service-worker' | null;
  version: number;
  requests: number;
  failures: number;
  /** Median of the last answers, from arrival to head; null before the first. */
  latency_ms: number | null;
  /** The last one, for operators. */
  error: string | null;
}

// ---- leader page and SW

/** Run this plug-in, or hand the port to the Worker that runs it already. Comes with the SW's port for that Worker. */
export interface HostMessage {
  type: 'host';
  definition: Definition;
  version: number;
  location: string;
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
  /** The Worker could not be started or has broken down. */
  | { type: 'failed'; name: string; version: number; message: string }
  /** The page is leaving. */
  | { type: 'resign' };

// ---- Worker and SW

/** Leader to Worker: what to run. Once, with the first port. `core`: the module of core/ in WebAssembly. */
export interface StartMessage {
  type: 'start';
  valor: number;
  scope: string;
  instance: string;
  definition: Definition;
  location: string;
  core: WebAssembly.Module;
}

/** Leader to Worker: a port of the SW, which was restarted. */
export interface PortMessage {
  type: 'port';
}

export interface RequestMessage {
  type: 'request';
  id: number;
  requestId: string;
  method: string;
  url: string;
  headers: HeaderPairs;
  body: Body;
}

export type ToWorker =
  | RequestMessage
  | { type: 'drop'; id: number; reason: 'gone' | 'timeout' }
  | { type: 'ping' }
  /** Answers to `read` and `fetch`. */
  | { type: 'file'; call: number; url: string; mediaType: string; bytes: ArrayBuffer }
  | { type: 'fetched'; call: number; status: number; statusText: string; headers: HeaderPairs; body: Body }
  /** `fetch`: it is the network's, ask yourself. */
  | { type: 'not-ours'; call: number }
  | { type: 'call-failed'; call: number; message: string };

export type FromWorker =
  /** The first message. The lock instanceLock(scope, instance) is held. */
  | { type: 'hello'; instance: string }
  /** The plug-in has been loaded. */
  | { type: 'ready' }
  | { type: 'load-failed'; message: string }
  /** The plug-in is being given this request. Not told of methods that may be repeated. */
  | { type: 'begun'; id: number }
  | { type: 'response'; id: number; status: number; headers: HeaderPairs; body: Body }
  | { type: 'fail'; id: number; problem: Problem }
  | { type: 'decline'; id: number }
  | { type: 'one-at-a-time'; on: boolean }
  /** `begun`: open requests that the plug-in has been given. */
  | { type: 'broken'; problem: Problem; begun: number[] }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string }
  | { type: 'pong' }
  /** A file of the plug-in. */
  | { type: 'read'; call: number; url: string }
  /** The plug-in's own fetch of something in the scope. `parent`: the request it works on, 0 where that cannot be told. */
  | {
      type: 'fetch';
      call: number;
      parent: number;
      url: string;
      method: string;
      headers: HeaderPairs;
      body: Body;
    }
  /** The plug-in does not want the answer of that fetch any more. */
  | { type: 'fetch-aborted'; call: number };
