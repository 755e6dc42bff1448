// valor.js: what a page loads to have its requests answered by plug-ins. Loaded by a <script type="module">, it starts by itself.
import {
  cachePrefix,
  databaseName,
  type EventMessage,
  instanceLock,
  leaderLock,
  type NoticeMessage,
  type PluginStatus,
  PROTOCOL,
} from '../protocol.ts';
import { Gate } from './gate.ts';
import { type Leader, lead } from './leader.ts';
import { keepLedger } from './ledger.ts';
import { ServiceWorkerLine, VersionError } from './service-worker.ts';

export type { PluginStatus } from '../protocol.ts';

/** A plug-in definition as plug-in files have it. Relative URLs are relative to the page. */
export type PluginDefinition = { type: 'web' | 'native'; name: string } & Record<string, unknown>;

export interface StartOptions {
  /** URL of a plug-in file, or definitions. Default: '/_valor/plugins.json', the list of Valor's server. */
  plugins?: string | URL | PluginDefinition[];
  /** The path below which requests may be answered by plug-ins, and that their mounts are relative to. Default: '/'. */
  scope?: string | URL;
  /** A service worker of the page's own that has imported valor-sw.js. Default: valor-sw.js beside valor.js. */
  serviceWorker?: ServiceWorkerRegistration;
  /** Where plug-ins run while a page is open: in Workers of a page (default), or in the service worker. */
  hosting?: 'page' | 'service-worker';
  /** The page's own files that are kept for loading it without network. */
  precache?: (string | URL)[];
}

/**
 * 'ready': plug-ins answer. 'network': there are no service workers here, so all requests go to the network. 'stopped': stop() was
 * called, in this page or another, or the server has no Valor any more.
 */
export type State = 'starting' | 'ready' | 'network' | 'stopped';

/** How often the server is asked for newer plug-ins while a page is open; the service worker sees to it that once is enough. */
const updateMs = 600_000;
/** For Workers to end, and the service worker to say that it has cleared up. */
const stopMs = 3000;

/** What Valor's own server serves. */
const ownList = '/_valor/plugins.json';

const folder = new URL('.', import.meta.url).href;

/** Plug-ins of the scope. What is changed here stays, and wins over later versions of the plug-in file. */
export class Plugins {
  readonly #call: (method: string, argument?: unknown) => Promise<unknown>;

  constructor(call: (method: string, argument?: unknown) => Promise<unknown>) {
    this.#call = call;
  }

  list(): Promise<PluginStatus[]> {
    return this.#call('list') as Promise<PluginStatus[]>;
  }

  /** Resolves when it is registered for good, its files included. Rejects when the name or the mount is taken. */
  add(definition: PluginDefinition): Promise<PluginStatus> {
    return this.#call('add', { definition, base: document.baseURI }) as Promise<PluginStatus>;
  }

  /** As add(), in the place of the one with this name. That finishes what it has. */
  replace(definition: PluginDefinition): Promise<PluginStatus> {
    return this.#call('replace', { definition, base: document.baseURI }) as Promise<PluginStatus>;
  }

  async remove(name: string): Promise<void> {
    await this.#call('remove', name);
  }
}

/** The event 'update': names of plug-ins that have changed. */
export class UpdateEvent extends Event {
  readonly plugins: string[];

  constructor(plugins: string[]) {
    super('update');
    this.plugins = plugins;
  }
}

/** Events: 'statechange'; 'update', an UpdateEvent; 'error', an ErrorEvent whose `message` is for operators. */
export class Valor extends EventTarget {
  /** URL. */
  readonly scope: string;
  /** Requests are answered by plug-ins, or (state 'network') never will be. Rejects when start() does. */
  readonly ready: Promise<void>;
  readonly plugins: Plugins;
  #options: StartOptions;
  readonly #gate: Gate;
  #state: State = 'starting';
  #line: ServiceWorkerLine | null = null;
  #leader: Leader | null = null;
  #timer = 0;
  readonly #quit = new AbortController();
  /** The service worker is of another version of Valor: why calls fail. */
  #misunderstood: VersionError | null = null;

  constructor(options: StartOptions, scope: string) {
    super();
    this.#options = options;
    this.scope = scope;
    this.plugins = new Plugins((method, argument) => this.#call(method, argument));
    this.ready = this.#start();
    // Who calls start() hears of it.
    this.ready.catch(() => {});
    this.#gate = new Gate({
      covers: (url) => url.startsWith(scope) && !url.startsWith(folder),
      ready: this.ready,
    });
  }

  get state(): State {
    return this.#state;
  }

  /** Other plug-ins or settings for the scope. */
  async change(options: StartOptions): Promise<void> {
    await this.ready;
    this.#options = { ...this.#options, ...options };
    if (this.#state !== 'ready') return;
    await this.#configure();
    this.#lead();
  }

  /** Asks the server for newer plug-ins now; resolves when they are in force. */
  async update(): Promise<void> {
    await this.#call('update');
  }

  /**
   * Ends plug-ins in all pages, and removes service worker, plug-ins and all that was kept of this scope. Requests go to the network
   * from now on.
   */
  async stop(): Promise<void> {
    await this.ready.catch(() => {});
    const line = this.#line;
    if (this.#state === 'stopped' || !line) {
      this.#end('stopped');
      return;
    }
    const asked = line.call('stop').catch(() => {});
    await Promise.race([asked, new Promise((done) => setTimeout(done, stopMs))]);
    this.#end('stopped');
    // What a service worker that does not answer would have done.
    if (!this.#options.serviceWorker) await line.registration.unregister();
    for (const name of await caches.keys()) if (name.startsWith(cachePrefix(this.scope))) await caches.delete(name);
    await new Promise<void>((done) => {
      const request = indexedDB.deleteDatabase(databaseName(this.scope));
      request.onsuccess = request.onerror = () => done();
    });
    await this.#locksGone();
  }

  async #start(): Promise<void> {
    // The caller gets the object before anything happens to it.
    await null;
    try {
      this.#line = await this.#connect();
    } catch (error) {
      if (!(error instanceof DOMException && ['SecurityError', 'NotSupportedError'].includes(error.name))) {
        this.#fail();
        throw error;
      }
      this.#noServiceWorkers(error.message);
      return;
    }
    if (!this.#line) return;
    try {
      await this.#line.agree();
      await this.#configure();
      if (await this.#line.control()) this.#gate.remove();
      else this.#gate.bridge((request) => this.#line!.fetch(request));
    } catch (error) {
      this.#fail();
      throw error;
    }
    this.#listen();
    this.#lead();
    this.#setState('ready');
  }

  async #configure(): Promise<void> {
    const { plugins = ownList, hosting = 'page', precache = [] } = this.#options;
    await this.#line!.call('start', {
      plugins: Array.isArray(plugins) ? plugins : String(plugins),
      base: document.baseURI,
      hosting,
      precache: precache.map(String),
    });
  }

  async #connect(): Promise<ServiceWorkerLine | null> {
    if (!('serviceWorker' in navigator) || !navigator.serviceWorker) {
      this.#noServiceWorkers(isSecureContext ? 'this browser or window has none' : 'the page does not come by https:');
      return null;
    }
    const { serviceWorker } = this.#options;
    if (serviceWorker) return ServiceWorkerLine.join(serviceWorker);
    return ServiceWorkerLine.register(`${folder}valor-sw.js`, this.scope);
  }

  #noServiceWorkers(why: string): void {
    console.warn(`Valor: no service workers (${why}); requests go to the network`);
    this.#end('network');
  }

  #call(method: string, argument?: unknown): Promise<unknown> {
    return this.ready.then(() => {
      if (this.#state !== 'ready') throw new Error(`plug-ins do not run here: the state is '${this.#state}'`);
      if (this.#misunderstood) throw this.#misunderstood;
      return this.#line!.call(method, argument);
    });
  }

  #listen(): void {
    const { signal } = this.#quit;
    keepLedger(this.scope, signal);
    navigator.serviceWorker.addEventListener(
      'message',
      ({ data }: MessageEvent<NoticeMessage>) => {
        if (data?.valor === PROTOCOL && data.scope === this.scope && data.type === 'event') this.#hear(data);
      },
      { signal },
    );
    navigator.serviceWorker.addEventListener('controllerchange', () => void this.#meetNewWorker(), { signal });
    this.#timer = window.setInterval(() => {
      this.#call('refresh').catch(() => {});
      this.#line!.refresh();
    }, updateMs);
  }

  #hear({ event, detail }: EventMessage): void {
    if (event === 'update') this.dispatchEvent(new UpdateEvent((detail as { plugins: string[] }).plugins));
    else if (event === 'error') this.#report((detail as { message: string }).message);
    else if ((detail as { state?: State } | undefined)?.state === 'stopped') this.#end('stopped');
    else this.dispatchEvent(new Event('statechange'));
  }

  #report(message: string): void {
    this.dispatchEvent(new ErrorEvent('error', { message }));
  }

  /** Another version of the service worker has taken over. Of another version of Valor, it can do without this page. */
  async #meetNewWorker(): Promise<void> {
    try {
      await this.#line!.agree();
      this.#misunderstood = null;
    } catch (error) {
      if (!(error instanceof VersionError)) throw error;
      this.#misunderstood = error;
      this.#endLeader();
      this.#report(error.message);
    }
  }

  #lead(): void {
    if (this.#options.hosting === 'service-worker') this.#endLeader();
    else this.#leader ??= lead({ scope: this.scope, registration: this.#line!.registration, folder });
  }

  #endLeader(): void {
    this.#leader?.stop();
    this.#leader = null;
  }

  /** No page does anything for the scope any more. */
  async #locksGone(): Promise<void> {
    const end = Date.now() + stopMs;
    while (Date.now() < end) {
      const { held = [] } = await navigator.locks.query();
      const names = held.map(({ name = '' }) => name);
      const ours = (name: string) => name === leaderLock(this.scope) || name.startsWith(instanceLock(this.scope, ''));
      if (!names.some(ours)) return;
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** start() may be called again. */
  #fail(): void {
    running.delete(this.scope);
    this.#end('network');
  }

  #end(state: 'network' | 'stopped'): void {
    this.#quit.abort();
    window.clearInterval(this.#timer);
    this.#endLeader();
    this.#gate.remove();
    if (state === 'stopped') running.delete(this.scope);
    this.#setState(state);
  }

  #setState(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

/** By scope. */
const running = new Map<string, Valor>();

function scopeOf({ serviceWorker, scope = '/' }: StartOptions): string {
  if (serviceWorker) return serviceWorker.scope;
  const url = new URL(scope, document.baseURI);
  url.search = url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}

/**
 * Has the page's requests in `scope` answered by plug-ins. Resolves when they are, or with the state 'network' where there are no
 * service workers; rejects when the plug-ins cannot be had, and requests go to the network. Until then, fetch() and XMLHttpRequest in
 * the scope wait for up to ten seconds. Where it runs already, what is given changes.
 */
export async function start(options: StartOptions = {}): Promise<Valor> {
  const scope = scopeOf(options);
  const current = running.get(scope);
  if (current) {
    const { scope: _, serviceWorker, ...changes } = options;
    if (Object.keys(changes).length > 0) await current.change(changes);
    await current.ready;
    return current;
  }
  const valor = new Valor(options, scope);
  running.set(scope, valor);
  await valor.ready;
  return valor;
}

const element = [...document.querySelectorAll<HTMLScriptElement>('script[type=module][src]')].find(
  ({ src }) => src === import.meta.url,
);
if (element && element.dataset.manual === undefined) {
  const { plugins, scope, precache } = element.dataset;
  start({
    ...(plugins === undefined ? {} : { plugins }),
    ...(scope === undefined ? {} : { scope }),
    ...(precache === undefined ? {} : { precache: precache.split(/\s+/).filter(Boolean) }),
  }).catch((error) => console.error(`Valor: ${error.message}; requests go to the network`));
}
