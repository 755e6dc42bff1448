// Classic scripts of one plug-in: its own and what it imports with importScripts(). In a Worker they are scripts at blob:
// URLs; in the service worker functions within the scope of the plug-in's stand-in for the global.
import type { PluginFile } from '../instance.ts';
import { locateSyntaxError } from './errors.ts';
import { undeclaredIn } from './globals.ts';
import type { Listeners } from './listeners.ts';
import { blobOf, importer, scriptText } from './modules.ts';
import { assignedNames, classicFunction, classicScript, importedScripts } from './rewrite.ts';

export interface ScriptHost {
  read(url: string): Promise<PluginFile>;
  root: string;
  entry: string;
  location: string;
  /** null: the real global is the plug-in's. */
  standIn: object | null;
  handlers: Listeners;
  /** Follows URLs in stacks. */
  tag: string;
  import(specifier: unknown, options: unknown, referrer: string): Promise<object>;
}

type Loaded = { file: PluginFile; text: string } | { error: Error };

const loadScript = globalThis.importScripts;

export class ClassicScripts {
  readonly #host: ScriptHost;
  /** What importScripts() finds; by URL. It cannot wait, so they are read before. */
  readonly #loaded = new Map<string, Loaded>();
  #classic = false;

  constructor(host: ScriptHost) {
    this.#host = host;
  }

  async run(file: PluginFile, text: string): Promise<void> {
    this.#classic = true;
    await this.#readImports(text);
    this.#evaluate(file.url, text);
  }

  async #readImports(text: string): Promise<void> {
    await Promise.all(
      importedScripts(text, new URL(this.#host.location)).map(async (address) => {
        const url = this.#locate(URL.parse(address, this.#host.location));
        if (url === null || this.#loaded.has(url)) return;
        try {
          this.#loaded.set(url, { error: new Error('it is being read') });
          const file = await this.#host.read(url);
          const imported = scriptText(file);
          this.#loaded.set(url, { file, text: imported });
          await this.#readImports(imported);
        } catch (error) {
          this.#loaded.set(url, { error: error as Error });
        }
      }),
    );
  }

  /** The folder of the plug-in's file stands where its location stands. */
  #locate(target: URL | null): string | null {
    const { location, entry, root } = this.#host;
    if (target === null) return null;
    const base = new URL(location);
    if (target.origin !== base.origin || target.origin === 'null') return null;
    const from = base.pathname.split('/').slice(0, -1);
    const to = target.pathname.split('/');
    let shared = 0;
    while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
    const path = `${'../'.repeat(from.length - shared)}${to.slice(shared).join('/')}${target.search}`;
    const { href } = new URL(path || '.', entry);
    return href.startsWith(root) ? href : null;
  }

  importScripts(addresses: unknown[]): void {
    if (!this.#classic) throw new TypeError('importScripts() is not for modules; use import');
    const targets = addresses.map((address) => {
      const target = URL.parse(`${address}`, this.#host.location);
      if (target === null) throw new DOMException(`'${address}' is not a valid URL`, 'SyntaxError');
      return target;
    });
    for (const target of targets) {
      const loaded = this.#loaded.get(this.#locate(target) ?? '');
      if (!loaded || 'error' in loaded) {
        const why = loaded ? `: ${loaded.error.message}` : ', or none whose address is written in the source';
        throw new DOMException(`There is no script ${target.href} in the plug-in's folder${why}`, 'NetworkError');
      }
      this.#evaluate(loaded.file.url, loaded.text);
    }
  }

  #evaluate(url: string, text: string): void {
    if (this.#host.standIn) this.#call(this.#host.standIn, url, text);
    else this.#load(url, text);
  }

  #load(url: string, text: string): void {
    const blob = blobOf(classicScript(text, url, importer));
    try {
      loadScript(blob);
    } catch (error) {
      locateSyntaxError(error, url, text);
      throw error;
    } finally {
      URL.revokeObjectURL(blob);
    }
  }

  #call(global: object, url: string, text: string): void {
    const { handlers } = this.#host;
    const handlerNames = new Map<string, () => unknown>();
    const run = classicFunction(
      text,
      url,
      this.#host.tag,
    )({
      global,
      undeclared: undeclaredIn(global, assignedNames(text)),
      import: (specifier, options) => this.#host.import(specifier, options, url),
      declare: (accessors) => {
        for (const [name, [get, set]] of Object.entries(accessors)) {
          // `var onmessage = ...` sets the handler.
          if (/^on(message|fetch|error)$/.test(name)) handlerNames.set(name.slice(2), get);
          else Object.defineProperty(global, name, { get, set, configurable: true, enumerable: true });
        }
      },
    });
    run.call(global);
    for (const [type, get] of handlerNames) handlers.setHandler(type, get());
  }
}
