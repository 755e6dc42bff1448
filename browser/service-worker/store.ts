// What a scope's plug-ins are, kept so that a service worker that is stopped at any moment finds it again: one record in IndexedDB
// with the definitions in force, and for each version of a plug-in a Cache with its files. A version's files are complete and
// verified before the transaction that puts it in force, and stay as they are from then on. The record is written under a Web Lock,
// so that an old and a new service worker of the scope do not undo each other's changes.
import type { Core, Definition } from '../core/core.ts';
import type { PluginFile } from '../instance/instance.ts';
import { cachePrefix, databaseName } from '../protocol.ts';
import { changeRecord, deleteRecord, readRecord } from './database.ts';
import { collect, entryOf, FileError, type Files, fetchFile, locationOf } from './files.ts';
import { demanded, verifyFile } from './integrity.ts';
import type { RegisteredPlugin, Registry, Settings as RuntimeSettings } from './registry.ts';

/** A plug-in in force. `version`: never used twice in a scope. */
export interface StoredPlugin extends RegisteredPlugin {
  /** By the API: updates of the plug-in file leave it alone. */
  added: boolean;
  /** Its files, by the URL that is asked for. Others may have been kept when they were read. */
  files: string[];
  /** Why its files could not be had. For whoever sends it a request. */
  error?: string;
}

/** What a page's start() asked for. */
export interface Settings extends RuntimeSettings {
  /** The plug-in file's URL; null where the page gave definitions. */
  pluginFile: string | null;
  /** The page's own files, for offline. */
  precache: string[];
}

/** The record. */
interface Kept {
  format: 1;
  settings: Settings;
  /** The next version. */
  next: number;
  plugins: StoredPlugin[];
  /** How often in a row, and since when, the server had neither plug-in file nor service worker. */
  gone?: { times: number; since: number };
  /** Names that the API removed: updates of the plug-in file do not bring them back. */
  removed: string[];
}

/** What is to become a version of a plug-in. */
interface Found {
  definition: Definition;
  files: Files;
  error?: string;
}

const sourceHeader = 'x-valor-source';

/** The name is taken, or is not there. */
export class RegistryError extends Error {}

export class Store implements Registry {
  readonly scope: string;
  readonly core: Core;
  /** In force; also those that only the server runs, whose names and mounts are taken. */
  plugins: readonly StoredPlugin[] = [];
  onchange: (() => void) | null = null;
  #record: Kept | null = null;
  readonly #filesPrefix: string;
  readonly #lock: string;

  private constructor(scope: string, core: Core) {
    this.scope = scope;
    this.core = core;
    this.#filesPrefix = `${cachePrefix(scope)}files:`;
    this.#lock = `valor:registry:${scope}`;
  }

  /** `scope`: absolute URL. */
  static async open(scope: string, core: Core): Promise<Store> {
    const store = new Store(scope, core);
    store.#take(await store.#read());
    return store;
  }

  /** null: no page has called start(), or stop() has been called since. */
  get configured(): Settings | null {
    return this.#record?.settings ?? null;
  }

  get settings(): RuntimeSettings {
    return this.configured ?? { hosting: 'page' };
  }

  /** The definitions in force that are not the API's, also those that are the server's. */
  get definitions(): Definition[] {
    return this.plugins.filter((plugin) => !plugin.added).map((plugin) => plugin.definition);
  }

  /** Whether configure() with these definitions would find them in force. Their files may have changed. */
  hasDefinitions(definitions: Definition[]): boolean {
    return (
      this.#record !== null && JSON.stringify(wanted(this.#record, definitions)) === JSON.stringify(this.definitions)
    );
  }

  /** As it is kept, else from the network, and then kept. */
  async read({ definition, version }: RegisteredPlugin, url: string): Promise<PluginFile> {
    const cacheName = this.#filesPrefix + version;
    const kept = await caches.match(url, { cacheName, ignoreVary: true });
    if (kept) return fileOf(url, kept);
    const entry = entryOf(definition)!;
    if (new URL(url).origin !== new URL(entry).origin) throw new Error(`${url}: is not one of the plug-in's files`);
    const file = await fetchFile(url);
    await verifyFile(definition, entry, url, file);
    // Only what is in force: the Cache of what is not may be gone, and must not come back.
    if (this.plugins.some((plugin) => plugin.version === version)) {
      await (await caches.open(cacheName)).put(url, responseOf(file));
    }
    return file;
  }

  /**
   * The plug-ins that are not the API's, and the settings that go with them. True when anything has changed. Only with the first
   * ones are files that cannot be reached no reason to reject. For these and all definitions here, `url` and `web` are absolute.
   */
  configure(settings: Settings, definitions: Definition[]): Promise<boolean> {
    return this.#change(async (record) => {
      const same = record !== null && JSON.stringify(record.settings) === JSON.stringify(settings);
      const old: Kept = record ?? { format: 1, settings, next: 1, plugins: [], removed: [] };
      // Another plug-in file is another beginning for what the API removed from the old one.
      const removed = settings.pluginFile === old.settings.pluginFile ? old.removed : [];
      const kept = same ? old : { ...old, settings, removed };
      const next = await this.#withDefinitions(kept, definitions, record === null);
      return same && next === kept ? null : next;
    });
  }

  /** Other settings with the same plug-ins. */
  async adjust(settings: Settings): Promise<void> {
    await this.#change(async (record) => record && { ...record, settings });
  }

  add(definition: Definition): Promise<StoredPlugin> {
    return this.#put(definition, (taken) => {
      if (taken) throw new RegistryError(`there is already a plug-in "${definition.name}"`);
    });
  }

  replace(definition: Definition): Promise<StoredPlugin> {
    return this.#put(definition, () => {});
  }

  async remove(name: string): Promise<void> {
    await this.#change(async (record) => {
      if (!record?.plugins.some((plugin) => plugin.definition.name === name)) {
        throw new RegistryError(`there is no plug-in "${name}"`);
      }
      const plugins = record.plugins.filter((plugin) => plugin.definition.name !== name);
      return { ...record, plugins, removed: [...new Set([...record.removed, name])] };
    });
  }

  /** Counts that the server has nothing of Valor, or (`false`) that it has. */
  async noteGone(gone: boolean): Promise<{ times: number; since: number }> {
    let counted = { times: 0, since: Date.now() };
    await this.#change(async (record) => {
      if (!record) return null;
      const { gone: before, ...rest } = record;
      if (!gone) return before ? rest : null;
      counted = { times: (before?.times ?? 0) + 1, since: before?.since ?? Date.now() };
      return { ...rest, gone: counted };
    });
    return counted;
  }

  /** Deletes the files of versions that are not in force. `inUse`: versions that still finish what they have. */
  async sweep(inUse: ReadonlySet<number> = new Set()): Promise<void> {
    await navigator.locks.request(this.#lock, async () => {
      const record = await this.#read();
      const wanted = new Set(record?.plugins.map((plugin) => plugin.version));
      for (const name of await caches.keys()) {
        if (!name.startsWith(this.#filesPrefix)) continue;
        const version = Number(name.slice(this.#filesPrefix.length));
        if (!wanted.has(version) && !inUse.has(version)) await caches.delete(name);
      }
    });
  }

  /** Everything of the scope goes, whoever made it: database and Caches. */
  async destroy(): Promise<void> {
    this.#take(null);
    await navigator.locks.request(this.#lock, async () => {
      await deleteRecord(databaseName(this.scope));
      for (const name of await caches.keys()) {
        if (name.startsWith(cachePrefix(this.scope))) await caches.delete(name);
      }
    });
  }

  async #put(definition: Definition, check: (taken: boolean) => void): Promise<StoredPlugin> {
    let plugin: StoredPlugin;
    await this.#change(async (record) => {
      if (!record) throw new RegistryError('start() has not been called in this scope, or stop() has');
      const { name, prefix } = definition;
      const current = record.plugins.find((other) => other.definition.name === name);
      check(current !== undefined);
      const rival = record.plugins.find((other) => other !== current && other.definition.prefix === prefix);
      if (rival) throw new RegistryError(`the mount "/${prefix}" is that of the plug-in "${rival.definition.name}"`);
      const files = await this.#collect(definition, current);
      plugin = { definition, version: record.next, added: true, files: [...files.keys()] };
      await this.#keep(plugin.version, files);
      const plugins = record.plugins.filter((other) => other !== current);
      const removed = record.removed.filter((other) => other !== name);
      return { ...record, next: record.next + 1, plugins: [...plugins, plugin], removed };
    });
    return plugin!;
  }

  /** `record` itself, when nothing differs. `first`: there is nothing in force that a server in trouble could spoil. */
  async #withDefinitions(record: Kept, definitions: Definition[], first: boolean): Promise<Kept> {
    const added = record.plugins.filter((plugin) => plugin.added);
    const found = await Promise.all(
      wanted(record, definitions).map(async (definition): Promise<StoredPlugin | Found> => {
        const current = record.plugins.find((plugin) => !plugin.added && plugin.definition.name === definition.name);
        const same = current && JSON.stringify(current.definition) === JSON.stringify(definition) ? current : null;
        if (same && (await this.#isPinned(same))) return same;
        try {
          const files = await this.#collect(definition, current);
          return same && same.error === undefined && (await this.#holds(same, files)) ? same : { definition, files };
        } catch (error) {
          if (current && current.error === undefined) throw error;
          if (!first && error instanceof FileError && !error.definite) throw error;
          const { message } = error as Error;
          return same?.error === message ? same : { definition, files: new Map(), error: message };
        }
      }),
    );
    let { next } = record;
    const plugins: StoredPlugin[] = [];
    for (const plugin of found) {
      if ('version' in plugin) plugins.push(plugin);
      else {
        const { files, ...rest } = plugin;
        await this.#keep(next, files);
        plugins.push({ ...rest, version: next++, added: false, files: [...files.keys()] });
      }
    }
    const all = [...plugins, ...added];
    if (all.length === record.plugins.length && all.every((plugin) => record.plugins.includes(plugin))) {
      return record;
    }
    return { ...record, next, plugins: all };
  }

  async #collect(definition: Definition, current: StoredPlugin | undefined): Promise<Files> {
    const entry = entryOf(definition);
    if (entry === null) return new Map();
    const kept = current && current.error === undefined ? await this.#keptFiles(current.version) : [];
    return collect(definition, entry, locationOf(this.scope, definition), kept);
  }

  /** URLs. */
  async #keptFiles(version: number): Promise<string[]> {
    const name = this.#filesPrefix + version;
    if (!(await caches.has(name))) return [];
    return (await (await caches.open(name)).keys()).map((request) => request.url);
  }

  /** Whether hashes fix every file that is kept, so that none can have changed. */
  async #isPinned({ definition, version, files, error }: StoredPlugin): Promise<boolean> {
    const entry = entryOf(definition);
    if (entry === null) return true;
    if (error !== undefined) return false;
    const kept = await this.#keptFiles(version);
    return [...files, ...kept].every((url) => demanded(definition, entry, url) !== null) && kept.length >= files.length;
  }

  async #holds({ version }: StoredPlugin, files: Files): Promise<boolean> {
    const kept = await this.#keptFiles(version);
    if (kept.length !== files.size) return false;
    for (const [url, file] of files) {
      const response = await caches.match(url, { cacheName: this.#filesPrefix + version, ignoreVary: true });
      if (!response) return false;
      const old = await fileOf(url, response);
      if (old.url !== file.url || old.type !== file.type || !equal(old.bytes, file.bytes)) return false;
    }
    return true;
  }

  async #keep(version: number, files: Files): Promise<void> {
    const name = this.#filesPrefix + version;
    // Of an attempt that a stop of the service worker cut short.
    await caches.delete(name);
    if (files.size === 0) return;
    const cache = await caches.open(name);
    await Promise.all([...files].map(([url, file]) => cache.put(url, responseOf(file))));
  }

  #read(): Promise<Kept | null> {
    return readRecord<Kept>(databaseName(this.scope)).then((record) => (record?.format === 1 ? record : null));
  }

  /** True when `make` gave a new record, which then is on disk and in force. */
  async #change(make: (record: Kept | null) => Promise<Kept | null>): Promise<boolean> {
    return navigator.locks.request(this.#lock, async () => {
      const record = await this.#read();
      const next = await make(record);
      if (next) await changeRecord<Kept>(databaseName(this.scope), () => next);
      this.#take(next ?? record);
      if (next && (next.plugins !== record?.plugins || next.settings !== record.settings)) this.onchange?.();
      return next !== null;
    });
  }

  #take(record: Kept | null): void {
    this.#record = record;
    this.plugins = record?.plugins ?? [];
  }
}

/** What the API has added, replaced or removed wins over plug-in files. */
function wanted({ plugins, removed }: Kept, definitions: Definition[]): Definition[] {
  const added = plugins.filter((plugin) => plugin.added).map((plugin) => plugin.definition);
  return definitions.filter(
    ({ name, prefix }) =>
      !removed.includes(name) && !added.some((other) => other.name === name || other.prefix === prefix),
  );
}

const responseOf = ({ url, type, bytes }: PluginFile): Response =>
  new Response(bytes, { headers: { 'content-type': type, [sourceHeader]: url } });

async function fileOf(url: string, response: Response): Promise<PluginFile> {
  const type = response.headers.get('content-type') ?? '';
  return { url: response.headers.get(sourceHeader) ?? url, type, bytes: await response.arrayBuffer() };
}

function equal(a: ArrayBuffer, b: ArrayBuffer): boolean {
  const [left, right] = [new Uint8Array(a), new Uint8Array(b)];
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
