// The service worker: what valor-sw.js does, whether it is the registered script itself or a part of a page author's.
import type { Core } from '../core/core.ts';
import type { CreateInstance } from '../instance/instance.ts';
import {
  type CallMessage,
  type CallReply,
  type EventMessage,
  type PageMessage,
  type PluginStatus,
  PROTOCOL,
} from '../protocol.ts';
import { Dispatcher } from './dispatcher.ts';
import { Hosts } from './hosts.ts';
import type { OpenRegistry, Registry } from './registry.ts';

declare const self: ServiceWorkerGlobalScope;

/** What the runtime is put together from. */
export interface Parts {
  loadCore(): Promise<Core>;
  openRegistry: OpenRegistry;
  createInstance: CreateInstance;
  /** Answers a call of valor.js's API; rejects with an Error for the caller. */
  call(message: CallMessage, runtime: Runtime): Promise<unknown>;
  /** For what belongs to Valor itself (valor.js and its like): the answer, or null for all else. */
  own?(request: Request): Promise<Response> | null;
}

interface Loaded {
  registry: Registry;
  dispatcher: Dispatcher;
  hosts: Hosts;
}

export class Runtime {
  /** Absolute URL. */
  readonly scope: string;
  /** When the registry is there. */
  readonly registry: Promise<Registry>;
  readonly #parts: Parts;
  readonly #loading: Promise<Loaded>;
  #loaded: Loaded | null = null;
  #stopped = false;

  constructor(parts: Parts, scope: string) {
    this.scope = scope;
    this.#parts = parts;
    this.#loading = this.#load();
    this.registry = this.#loading.then(({ registry }) => registry);
    this.registry.catch((error) => console.error(`valor: ${error.message}`));
  }

  /** Answers the event and returns true, or returns false where it is none of ours. */
  handle(event: FetchEvent): boolean {
    const { request } = event;
    if (this.#stopped || !request.url.startsWith(self.location.origin)) return false;
    // https://fetch.spec.whatwg.org/#concept-request-cache-mode: the developer tools ask so, and fetch() may not.
    if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return false;
    const own = this.#parts.own?.(request);
    if (own) {
      event.respondWith(own);
      return true;
    }
    const answer = this.#answer(event);
    if (answer === null) return false;
    event.respondWith(answer);
    return true;
  }

  status(): PluginStatus[] {
    return this.#loaded?.dispatcher.status() ?? [];
  }

  /** To all pages of the scope. */
  async announce(event: EventMessage['event'], detail?: unknown): Promise<void> {
    const message: EventMessage = { valor: PROTOCOL, scope: this.scope, type: 'event', event, detail };
    for (const client of await self.clients.matchAll({ type: 'window', includeUncontrolled: true })) {
      client.postMessage(message);
    }
  }

  /** Handles a message of a page; returns false where it is none of ours. */
  message(event: ExtendableMessageEvent): boolean {
    const message = event.data as PageMessage | null;
    if (message?.valor !== PROTOCOL || message.scope !== this.scope) return false;
    const port = event.ports[0]!;
    if (message.type === 'call') {
      event.waitUntil(this.#call(message, port));
      return true;
    }
    const { source } = event;
    if (message.type === 'offer' && source instanceof Client) {
      const offered = this.#loading.then(({ hosts, registry }) => {
        if (!this.#stopped) hosts.offered(message, source, port, registry.plugins);
      });
      event.waitUntil(offered.catch(() => port.close()));
    }
    return true;
  }

  /** Undoes stop(). */
  async start(): Promise<void> {
    this.#stopped = false;
    (await this.#loading).hosts.hold();
  }

  /** Ends all instances; nothing is answered any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const { dispatcher, hosts } = await this.#loading;
    dispatcher.stop();
    hosts.leave();
    hosts.release();
  }

  async #load(): Promise<Loaded> {
    const core = await this.#parts.loadCore();
    const registry = await this.#parts.openRegistry(this.scope, core);
    const hosts = new Hosts(this.scope, {
      core,
      registry,
      createInstance: this.#parts.createInstance,
      location: (plugin) => dispatcher.location(plugin),
      fetch: (wanted, asker, parent) => dispatcher.fetch(wanted, asker, parent),
    });
    const dispatcher = new Dispatcher(core, this.scope, hosts);
    hosts.onmove = () => dispatcher.move();
    registry.onchange = () => {
      dispatcher.update(registry.plugins);
      if (registry.settings.hosting === 'service-worker') hosts.leave();
    };
    dispatcher.update(registry.plugins);
    hosts.look();
    this.#loaded = { registry, dispatcher, hosts };
    return this.#loaded;
  }

  /** Null: it is the network's, which answers it without passing through here. */
  #answer(event: FetchEvent): Promise<Response> | null {
    const { request, clientId } = event;
    if (this.#loaded === null) return this.#late(event);
    const route = this.#loaded.dispatcher.match(request.url);
    return route && this.#loaded.dispatcher.answer(request, route, clientId);
  }

  /** A request that came before the registry was there. */
  async #late(event: FetchEvent): Promise<Response> {
    try {
      await this.#loading;
    } catch {
      // Told when it happened.
    }
    const { request } = event;
    return this.#parts.own?.(request) ?? (this.#loaded && this.#answer(event)) ?? fetch(request);
  }

  async #call(message: CallMessage, port: MessagePort): Promise<void> {
    let reply: CallReply;
    try {
      reply = { result: await this.#parts.call(message, this) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(reply);
  }
}
