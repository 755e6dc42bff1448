// An instance of a plug-in in JavaScript: its global, its code, and the style in which it wants its requests.
import type { Definition } from '../../core/core.ts';
import type { Instance, InstanceOptions, InstanceRequest, PluginFile } from '../instance.ts';
import { ClassicScripts } from './classic.ts';
import { describe, failure, listenForPlaces, stackTag } from './errors.ts';
import { FetchStyle, moduleOf } from './fetch-style.ts';
import { defineGlobals, StandIn } from './globals.ts';
import { Listeners } from './listeners.ts';
import { createLocation } from './location.ts';
import { MessageStyle } from './message-style.ts';
import { importer, ModuleLoader, scriptText } from './modules.ts';
import { createFetch, rebased } from './own-fetch.ts';
import { isModule } from './rewrite.ts';
import type { Style } from './style.ts';

const noStyle =
  'the script answers no requests: it must set onmessage (or listen to "message"), listen to "fetch", or be a ' +
  'module whose default export has a fetch function';

/** Those whose code runs in this global. */
const plugins = new Set<JavaScriptPlugin>();
let created = 0;

/** URL of the folder that a plug-in's imports may reach, with a slash at the end. */
function rootOf({ name, root }: Definition, entry: string): string {
  if (root !== undefined) return new URL(root.endsWith('/') ? root : `${root}/`, entry).href;
  // A server of Valor delivers the whole folder there, and nothing else.
  const delivered = `/_valor/plugins/${name}/`;
  const at = entry.indexOf(delivered);
  return at < 0 ? new URL('.', entry).href : entry.slice(0, at + delivered.length);
}

class JavaScriptPlugin implements Instance {
  readonly #options: InstanceOptions;
  readonly #entry: string;
  readonly #tag: string;
  readonly #standIn: StandIn | null;
  readonly #listeners: Listeners;
  readonly #modules: ModuleLoader;
  readonly #scripts: ClassicScripts;
  #style: Style | null = null;
  #post: MessageStyle | null = null;
  #ended = false;

  constructor(options: InstanceOptions, entry: string) {
    const { definition, place, read, host } = options;
    this.#options = options;
    this.#entry = entry;
    this.#tag = place === 'worker' ? '' : stackTag(++created);
    this.#standIn = place === 'worker' ? null : new StandIn((run) => this.#guard(run));
    const global = this.#standIn?.global ?? globalThis;
    this.#listeners = new Listeners(global);
    const location = createLocation(options.location);
    const PluginRequest = rebased(Request, location.href);
    const files = { root: rootOf(definition, entry), read, tag: this.#tag };
    this.#modules = new ModuleLoader({ ...files, global, blobs: place === 'worker' });
    this.#scripts = new ClassicScripts({
      ...files,
      entry,
      location: location.href,
      standIn: this.#standIn?.global ?? null,
      handlers: this.#listeners,
      import: (specifier, dynamicOptions, referrer) => this.#modules.import(specifier, dynamicOptions, referrer),
    });
    const { WebSocket: Socket, EventSource: Source } = globalThis;
    const elsewhere = (request: Request): Promise<Response> => host.fetch(request);
    defineGlobals(
      global,
      {
        definition,
        location,
        listeners: this.#listeners,
        classes: {
          Request: PluginRequest,
          ...(Socket && { WebSocket: rebased(Socket, location.href) }),
          ...(Source && { EventSource: rebased(Source, location.href) }),
        },
        fetch: createFetch(PluginRequest, files, location.href, elsewhere),
        postMessage: (message, transfer) => this.#post?.post(message, transfer),
        importScripts: (...urls) => this.#scripts.importScripts(urls),
      },
      this.#standIn ? null : globalThis,
    );
  }

  async start(file: PluginFile): Promise<void> {
    plugins.add(this);
    try {
      await this.#run(file);
    } catch (error) {
      this.destroy();
      throw new Error(describe(error));
    }
    if (this.#style === null) {
      this.destroy();
      throw new Error(noStyle);
    }
  }

  async #run(file: PluginFile): Promise<void> {
    const text = scriptText(file);
    const { pathname } = new URL(this.#entry);
    let namespace: object = {};
    if (/\.m[jt]s$/.test(pathname) || isModule(text, file.url)) {
      if (this.#options.place === 'worker') this.#offerImports();
      namespace = await this.#modules.run(this.#entry, file, text);
    } else {
      if (this.#options.place === 'worker') this.#offerImports();
      await this.#scripts.run(file, text);
    }
    this.#choose(namespace);
  }

  /** For code in blobs, which cannot be given anything but by the global. */
  #offerImports(): void {
    const importOf = (referrer: string) => (specifier: unknown, options?: unknown) =>
      this.#modules.import(specifier, options, referrer);
    const json = (key: string): unknown => this.#modules.jsonOf(key);
    Object.defineProperty(globalThis, importer, { value: Object.assign(importOf, { json }) });
  }

  #choose(namespace: object): void {
    const host = { uncaught: this.#uncaught.bind(this) };
    const module = moduleOf(namespace);
    if (module || this.#listeners.has('fetch')) {
      this.#style = new FetchStyle(this.#options, this.#listeners, host, module);
    } else if (this.#listeners.has('message')) {
      this.#post = new MessageStyle(this.#options, this.#listeners, host);
      this.#style = this.#post;
    }
  }

  handle(request: InstanceRequest): void {
    this.#style?.handle(request);
  }

  drop(id: number, reason: 'gone' | 'timeout'): void {
    this.#style?.drop(id, reason);
  }

  destroy(): void {
    if (this.#ended) return;
    this.#ended = true;
    plugins.delete(this);
    this.#style?.end();
    this.#listeners.clear();
    this.#standIn?.end();
  }

  // ---- errors that nobody caught

  #guard(run: () => void): void {
    if (this.#ended) return;
    try {
      run();
    } catch (error) {
      this.#uncaught(error, 'thrown', 0);
    }
  }

  /** Whether the browser's event is about this plug-in. */
  concerns(error: unknown, filename: string): boolean {
    if (this.#options.place === 'worker') return true;
    if (!(error instanceof Error)) return plugins.size === 1;
    return `${filename}:\n${error.stack}`.includes(`${this.#tag}:`);
  }

  /** The plug-in's listeners hear of the browser's event; what they do not take is an uncaught error. */
  notice(event: ErrorEvent | PromiseRejectionEvent): void {
    const rejected = event instanceof PromiseRejectionEvent;
    this.#listeners.dispatch(event, {
      returned() {},
      threw: (error) => this.#report(error, 'thrown', 0),
    });
    if (event.defaultPrevented || event.type === 'rejectionhandled') return;
    event.preventDefault();
    this.#report(rejected ? event.reason : (event.error ?? event.message), rejected ? 'rejected' : 'thrown', 0);
  }

  #uncaught(error: unknown, how: 'thrown' | 'rejected', id: number): void {
    if (how === 'thrown' && this.#listeners.has('error')) {
      const message = `Uncaught ${describe(error).split('\n')[0]}`;
      const event = new ErrorEvent('error', { error, message, cancelable: true });
      this.#listeners.dispatch(event, { returned() {}, threw: (other) => this.#report(other, 'thrown', 0) });
      if (event.defaultPrevented) return;
    }
    this.#report(error, how, id);
  }

  #report(error: unknown, how: 'thrown' | 'rejected', id: number): void {
    if (this.#ended) return;
    this.#options.host.log('error', `uncaught ${how === 'rejected' ? '(in promise) ' : ''}${describe(error)}`);
    const failed = id || this.#style?.suspect();
    if (!failed) return;
    this.#options.host.fail(failed, failure('The plug-in threw an error while it handled this request.'));
    this.#style!.failed(failed);
  }
}

let listening = false;

/** Once for each global: errors are told to the plug-in that they are of. */
function listenForErrors(): void {
  if (listening) return;
  listening = true;
  listenForPlaces();
  const tell = (event: Event): void => {
    const { error, reason, filename } = event as { error?: unknown; reason?: unknown; filename?: string };
    for (const plugin of plugins) {
      if (!plugin.concerns(error ?? reason, filename ?? '')) continue;
      plugin.notice(event as ErrorEvent);
      return;
    }
  };
  for (const type of ['error', 'unhandledrejection', 'rejectionhandled']) {
    EventTarget.prototype.addEventListener.call(globalThis, type, tell);
  }
}

/** `entry`: the URL that `file` was asked for by. */
export async function createJavaScriptInstance(
  options: InstanceOptions,
  entry: string,
  file: PluginFile,
): Promise<Instance> {
  listenForErrors();
  const plugin = new JavaScriptPlugin(options, entry);
  await plugin.start(file);
  return plugin;
}
