// What the service worker does for valor.js: start(), the calls of its API, updates in the background, and the end.
import type { CallMessage, PluginStatus } from '../protocol.ts';
import { resolved } from './files.ts';
import type { OwnFiles } from './own.ts';
import type { Runtime } from './runtime.ts';
import type { Settings, Store } from './store.ts';
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

/** The registered script is the page author's, who has imported ours. */
export const isGuest = (): boolean => !self.location.pathname.endsWith('/valor-sw.js');

export class Control {
  readonly #own: OwnFiles;
  #updating: Promise<Outcome> | null = null;

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
    if (JSON.stringify(before?.precache) !== JSON.stringify(settings.precache)) {
      void this.#own.precache(settings.precache);
    }
    const given =
      typeof plugins === 'string'
        ? null
        : store.core.parseFile(JSON.stringify({ plugins }), 'start()').map((definition) => resolved(definition, base));
    const known = given ? store.hasDefinitions(given) : true;
    if (before && before.pluginFile === pluginFile && known) {
      // It starts with what it has; the server is asked meanwhile.
      if (JSON.stringify(before) !== JSON.stringify(settings)) await store.adjust(settings);
      void this.update(runtime);
      return;
    }
    await store.configure(settings, given ?? (await fetchList(store, pluginFile!)));
  }

  /** Nothing is left of this scope; requests go to the network from now on. */
  async #stop(store: Store, runtime: Runtime): Promise<void> {
    runtime.stop();
    runtime.announce('statechange', { state: 'stopped' });
    await store.destroy();
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
