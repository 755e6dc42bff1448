// One running instance of a plug-in in the browser: in a dedicated Worker that a page hosts, or in the service worker
// itself. The seam between what hosts it and what it is written in: each style of JavaScript plug-ins and the plug-in ABI
// implement `Instance`.
import type { Core, Definition } from '../core/core.ts';

/** Name and value; names in lower case, and they may repeat. */
export type HeaderPairs = [string, string][];

/** A body in one piece, or one that streams. `null`: none. */
export type Body = ArrayBuffer | ReadableStream<Uint8Array> | null;

/** A request as the plug-in gets it. */
export interface InstanceRequest {
  /** Names it within its instance; never used twice, never 0. */
  id: number;
  /** x-request-id: the client's own or a fresh one. `headers` holds it too. */
  requestId: string;
  method: string;
  /** Relative to the mount: no leading slash, query included, '' for the mount itself. As `Match::url` of core/router.h. */
  url: string;
  headers: HeaderPairs;
  body: Body;
}

/** An error as clients see it; core/problem.h. */
export interface Problem {
  status: number;
  /** A sentence: what, where, how to fix it. */
  detail: string;
  plugin?: string;
  limit?: string;
  limit_value?: number;
  retry_after_s?: number;
  /** Of code that crashed, a line for each frame. */
  stack?: string;
}

/** What an instance says about its requests. Ids of requests that have ended are ignored. */
export interface InstanceHost {
  /** The plug-in's answer. Ends the request; a body that streams is read at the client's pace and cancelled when it leaves. */
  respond(id: number, status: number, headers: HeaderPairs, body: Body): void;
  /** An error in its place. Ends the request. */
  fail(id: number, problem: Problem): void;
  /** The plug-in does not want it (a fetch listener that did not call respondWith). Ends the request. */
  decline(id: number): void;
  /** While true, the instance is given no further request as long as one is open (core/correlation.h). */
  oneAtATime(on: boolean): void;
  /** The instance cannot go on: open requests get 502 with these words, and it is replaced. Nothing of it is called any more. */
  broken(problem: Problem): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string): void;
  /**
   * The plug-in's own fetch. What this scope's plug-ins answer is answered by them, all else by the network. `parent`: the
   * request on whose behalf it is, where that is known; else it is taken to be the one whose handler runs.
   */
  fetch(request: Request, parent?: number): Promise<Response>;
}

/** What an instance is made from. */
export interface InstanceOptions {
  definition: Definition;
  /** Public URL of the mount, with a slash at the end. */
  location: string;
  /** The plug-in's files by absolute URL, verified, as they are kept for offline. Rejects for files that it does not have. */
  read(url: string): Promise<PluginFile>;
  core: Core;
  host: InstanceHost;
  /** A Worker of its own; or a part of the service worker, which can neither be stopped nor load or compile modules itself. */
  place: 'worker' | 'service-worker';
}

export interface PluginFile {
  /** After redirects. */
  url: string;
  /** content-type without parameters, in lower case. */
  type: string;
  bytes: ArrayBuffer;
}

export interface Instance {
  /** Never throws: errors go to the host. */
  handle(request: InstanceRequest): void;
  /** The request ended without the instance's doing. */
  drop(id: number, reason: 'gone' | 'timeout'): void;
  /** The last call. */
  destroy(): void;
}

/** Loads a plug-in and runs its start; rejects with an Error whose message is for the operator. */
export type CreateInstance = (options: InstanceOptions) => Promise<Instance>;
