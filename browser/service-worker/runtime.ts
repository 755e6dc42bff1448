// The service worker: what valor-sw.js does, whether it is the registered script itself or a part of a page author's.
import type { Core } from '../core/core.ts';
import type { CreateInstance } from '../instance/instance.ts';
import type { CallMessage, EventMessage, PluginStatus } from '../protocol.ts';
import type { OpenRegistry, Registry } from './registry.ts';

/** What the runtime is put together from. */
export interface Parts {
  loadCore(): Promise<Core>;
  openRegistry: OpenRegistry;
  createInstance: CreateInstance;
  /** Answers a call of valor.js's API; rejects with an Error for the caller. */
  call(message: CallMessage, runtime: Runtime): Promise<unknown>;
  /** Resources that valor.js's files consist of, for offline: an answer where `request` is for one of them. */
  own?(request: Request): Promise<Response> | null;
}

export interface Runtime {
  readonly scope: string;
  /** When the registry is loaded. */
  readonly registry: Promise<Registry>;
  status(): PluginStatus[];
  /** To all pages of the scope. */
  announce(event: EventMessage['event'], detail?: unknown): void;
  /** Answers the event and returns true, or returns false where it is none of ours. */
  handle(event: FetchEvent): boolean;
  /** Ends all instances. */
  stop(): void;
}

export type StartRuntime = (parts: Parts) => Runtime;
