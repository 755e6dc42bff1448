// What the service worker does for valor.js: start(), the calls of its API, updates in the background, and the end.
import type { Core } from '../core/core.ts';
import {
  type BridgeMessage,
  type BridgeReply,
  type CallMessage,
  type HelloMessage,
  type PageMessage,
  type PluginStatus,
  PROTOCOL,
} from '../protocol.ts';
import { resolved } from './files.ts';
import type { OwnFiles } from './own.ts';
import type { Registry } from './registry.ts';
import type { Runtime } from './runtime.ts';
import { type Settings, Store } from './store.ts';
import { fetchList, type Outcome, update } from './update.ts';

declare const self: ServiceWorkerGlobalScope;

/** Argument of `start`. Relative URLs are relative to `base`. */
export interface StartArgument {
  /** URL of a plug-in file, or definitions as plug-in files have them. */
  plugins: string | unknown[];
  base: string;
  hosting: 'page' | 'service-worker';
  precache: string[];
}

/** Argument of `add` and `replace`. */
export interface DefinitionArgument {
  definition: unknown;
  base: string;
}

/** After the start of the service worker: what it was started for comes first. */
const settleMs = 1000;
/** Every open page asks for a refresh every ten minutes. */
const refreshMs = 500_000;

/** The registered script is the page author's, who has imported ours. */
export const isGuest = (): boolean => !self.location.pathname.endsWith('/valor-sw.js');

export class Control {
  readonly #own: OwnFiles;
  #updating: Promise<Outcome> | null = null;
  #updated = 0;

  constructor(own: OwnFiles) {
    this.#own = own;
  }

  async call({ method, argument }: CallMessage, runtime: Runtime): Promise<unknown> {
    const store = (await runtime.registry) as Store;
    switch (method) {
      case 'start':
        return this.#start(argument as StartArgument, store, runtime);
      case 'list':
        return list(store, runtime);
      case 'add':
      case 'replace': {
        const { definition, base } = argument as DefinitionArgument;
        const parsed = resolved(store.core.parseDefinition(JSON.stringify(definition), 'definition'), base);
        const { name } = await store[method](parsed).then((plugin) => plugin.definition);
        runtime.announce('update', { plugins: [name] });
        return list(store, runtime).find((plugin) => plugin.name === name);
      }
      case 'remove':
        await store.remove(argument as string);
        runtime.announce('update', { plugins: [argument] });
        return;
      case 'update':
        return this.update(runtime);
      case 'refresh':
        if (Date.now() - this.#updated > refreshMs) void this.update(runtime);
        return;
      case 'claim':
        // Whom a page author's own service worker controls is the author's business.
        if (!isGuest()) await self.clients.claim();
        return;
      case 'stop':
        await this.#stop(store, runtime);
        return;
      default:
        throw new Error(`there is no "${method}"`);
    }
  }

  /** In the background: one at a time, and errors are events. */
  update(runtime: Runtime): Promise<Outcome> {
    this.#updating ??= this.#update(runtime).finally(() => {
      this.#updating = null;
    });
    return this.#updating;
  }

  async #update(runtime: Runtime): Promise<Outcome> {
    const store = (await runtime.registry) as Store;
    this.#updated = Date.now();
    await store.sweep();
    const before = new Map(store.plugins.map((plugin) => [plugin.definition.name, plugin.version]));
    const outcome = await update(store, isGuest() ? null : self.location.href);
    if (outcome.state === 'changed') {
      const after = new Map(store.plugins.map((plugin) => [plugin.definition.name, plugin.version]));
      const names = new Set([...before.keys(), ...after.keys()]);
      runtime.announce('update', { plugins: [...names].filter((name) => before.get(name) !== after.get(name)) });
    } else if (outcome.state === 'wrong') runtime.announce('error', { message: outcome.message });
    else if (outcome.state === 'gone') await this.#stop(store, runtime);
    return outcome;
  }

  async #start({ plugins, base, hosting, precache }: StartArgument, store: Store, runtime: Runtime): Promise<void> {
    const pluginFile = typeof plugins === 'string' ? new URL(plugins, base).href : null;
    const settings: Settings = { hosting, pluginFile, precache: precache.map((url) => new URL(url, base).href) };
    const before = store.configured;
    await runtime.start();
    const given =
      typeof plugins === 'string'
        ? null
        : store.core.parseFile(JSON.stringify({ plugins }), 'start()').map((definition) => resolved(definition, base));
    const known = given ? store.hasDefinitions(given) : true;
    if (before && before.pluginFile === pluginFile && known) {
      // It starts with what it has; the server is asked meanwhile.
      if (JSON.stringify(before) !== JSON.stringify(settings)) await store.adjust(settings);
      void this.update(runtime);
    } else {
      try {
        await store.configure(settings, given ?? (await fetchList(store, pluginFile!)));
      } catch (error) {
        // A service worker that has nothing to do is not left behind.
        if (!before) await this.#stop(store, runtime);
        throw error;
      }
    }
    this.#precached(store);
    void this.#own.ensure().catch(() => {});
  }

  /** To be called while the script is evaluated. */
  listen(runtime: Runtime): void {
    self.addEventListener('message', (event) => {
      const message = event.data as PageMessage | HelloMessage | undefined;
      const port = event.ports[0];
      if (message?.type === 'valor-hello') port?.postMessage({ valor: PROTOCOL });
      else if (message?.type === 'fetch' && message.valor === PROTOCOL && message.scope === runtime.scope && port) {
        event.waitUntil(bridge(message, port, runtime));
      }
    });
    setTimeout(() => void this.update(runtime), settleMs);
  }

  async open(scope: string, core: Core): Promise<Registry> {
    const store = await Store.open(scope, core);
    this.#precached(store);
    return store;
  }

  #precached({ configured }: Store): void {
    this.#own.precached = configured?.precache ?? [];
  }

  /** Nothing is left of this scope; requests go to the network from now on. */
  async #stop(store: Store, runtime: Runtime): Promise<void> {
    await runtime.stop();
    await runtime.announce('statechange', { state: 'stopped' });
    await store.destroy();
    this.#precached(store);
    if (!isGuest()) await self.registration.unregister();
  }
}

function list(store: Store, runtime: Runtime): PluginStatus[] {
  const errors = new Map(store.plugins.map((plugin) => [plugin.definition.name, plugin.error]));
  return runtime.status().map((status) => {
    const error = errors.get(status.name);
    return error !== undefined && status.error === null ? { ...status, state: 'failed', error } : status;
  });
}

/** A request of a page that cannot be controlled is dispatched as if it had been intercepted. */
async function bridge(
  { url, method, headers, body }: BridgeMessage,
  port: MessagePort,
  runtime: Runtime,
): Promise<void> {
  let answer: Response | PromiseLike<Response> | null = null;
  const event = {
    request: new Request(url, { method, headers, body }),
    clientId: '',
    resultingClientId: '',
    respondWith(response: Response | PromiseLike<Response>) {
      answer = response;
    },
    waitUntil() {},
  };
  const reply = (message: BridgeReply, transfer: Transferable[] = []): void => port.postMessage(message, transfer);
  try {
    await runtime.registry;
    if (!runtime.handle(event as unknown as FetchEvent) || !answer) {
      reply({ type: 'not-ours' });
      return;
    }
    const response: Response = await answer;
    const { status, statusText } = response;
    const stream = response.body;
    reply(
      { type: 'response', status, statusText, headers: [...response.headers], body: stream },
      stream ? [stream] : [],
    );
  } catch (error) {
    reply({ type: 'failed', message: (error as Error).message });
  }
}
