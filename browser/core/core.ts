// core/ as WebAssembly: the same rules as on the server, for the page, the service worker and instances of plug-ins.
import type { HeaderPairs, Problem } from '../instance/instance.ts';

/** A plug-in definition with every field in force, as core/definition.h's to_json() writes it. */
export interface Definition {
  type: 'static' | 'native' | 'web';
  name: string;
  /** Mount without slashes at the ends; '' is the root. */
  prefix: string;
  /** Script or WASM module, as written: relative to the plug-in file, or absolute. */
  url?: string;
  /** A native plug-in's WASM build, which runs in browsers. As written. */
  web?: string;
  root?: string;
  location?: string;
  config: unknown;
  limits: { timeout_ms: number; memory_mb: number; queue: number };
  instances: { min: number; max: number };
  fetch?: 'server' | 'browser';
  place: 'server' | 'browser' | 'both';
  fallback: 'none' | 'network';
  prefer: 'plugin-first' | 'network-first' | 'plugin-only';
  /** SRI hashes: of the file at `url` (for native plug-ins: at `web`), or by path relative to it. */
  integrity?: string | Record<string, string>;
}

export interface Router {
  /** `target`: path and query. `index` is that of the prefix given to createRouter(). */
  find(target: string): { index: number; url: string } | null;
}

/** core/correlation.h. Tokens are request ids of an instance: never 0, never used twice. */
export interface Correlator {
  /** Returns the id that the plug-in sees as x-request-id. */
  begin(token: number, clientId: string): string;
  enterHandler(token: number): void;
  leaveHandler(): void;
  /** `correlationId`: of the answer's x-correlation-id, null where it has none. */
  match(correlationId: string | null): { token: number } | { token: 0; why: string };
  end(token: number, how: 'answered' | 'gone' | 'timeout'): void;
  expire(token: number): void;
  readonly oneAtATime: boolean;
  next(): 'give' | 'hold' | 'replace';
  free(): void;
}

export interface Core {
  /** `file` names it in errors. Throws an Error that lists every mistake, one a line, as the server does. */
  parseFile(json: string, file: string): Definition[];
  parseDefinition(json: string, file: string): Definition;
  /** Prefixes that are valid and different, as definitions have them. */
  createRouter(prefixes: string[]): Router;
  /** The client's id where it is acceptable and there is exactly one, else a fresh one. */
  requestId(headers: HeaderPairs): string;
  problemJson(problem: Problem, requestId: string): string;
  statusText(status: number): string;
  /** Whether a plug-in may answer with these; a sentence about what is wrong, or null. */
  checkResponse(status: number, headers: HeaderPairs): string | null;
  createCorrelator(): Correlator;
}

/** Never shares state: one for each global. */
export declare function loadCore(module: WebAssembly.Module): Core;
