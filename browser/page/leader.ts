// One page of a scope leads: it hosts the plug-ins' Workers for all of them. Which one is decided by a lock; when the
// leader goes, the next page has it at once.
import {
  type FromLeader,
  type HostMessage,
  leaderLock,
  type NoticeMessage,
  type OfferMessage,
  type PortMessage,
  PROTOCOL,
  type StartMessage,
  type ToLeader,
} from '../protocol.ts';

// What the service worker has said longer ago was meant for another time: the page was frozen.
const STALE_MS = 2000;
// A page that has just begun has better things to do.
const IDLE_MS = 1000;

export interface LeaderOptions {
  /** Absolute URL. */
  scope: string;
  registration: ServiceWorkerRegistration;
  /** URL of the folder with valor-host.js and valor-core.wasm, with a slash at its end. */
  folder: string;
}

/** This page takes part from now on. */
export function lead(options: LeaderOptions): Leader {
  return new Leader(options);
}

interface Fresh {
  worker: Worker;
  /** Resolves, with what is wrong, when its script cannot be loaded. */
  broken: Promise<string>;
}

interface Hosted {
  name: string;
  version: number;
  worker: Worker;
  control: MessagePort;
}

export class Leader {
  readonly #options: LeaderOptions;
  /** Has loaded its script, and waits for a plug-in. */
  #spare: Fresh | null = null;
  /** Compiled once. */
  #core: Promise<WebAssembly.Module> | null = null;
  readonly #listening = new AbortController();
  readonly #workers = new Map<string, Hosted>();
  #port: MessagePort | null = null;
  /** Waits for the lock. */
  #waiting: AbortController | null = null;
  /** Ends the leadership; null where it is another page's. */
  #resign: (() => void) | null = null;

  constructor(options: LeaderOptions) {
    this.#options = options;
    const { signal } = this.#listening;
    const { serviceWorker } = navigator;
    serviceWorker.addEventListener('message', ({ data }) => this.#notice(data), { signal });
    serviceWorker.addEventListener('controllerchange', () => this.#offer(), { signal });
    serviceWorker.startMessages();
    // A page that is kept for going back, or frozen, runs nothing.
    addEventListener('pagehide', () => this.#leave(), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && this.#queue(), { signal });
    document.addEventListener('freeze', () => this.#leave(), { signal });
    document.addEventListener('resume', () => this.#queue(), { signal });
    this.#queue();
    // Ready when this page is to take over.
    setTimeout(() => this.#loadCore(), IDLE_MS);
  }

  get leads(): boolean {
    return this.#resign !== null;
  }

  stop(): void {
    this.#listening.abort();
    this.#leave();
  }

  // ---- the lock

  #queue(options: LockOptions = {}): void {
    if (this.#resign !== null || (this.#waiting !== null && !options.steal)) return;
    this.#waiting?.abort();
    const waiting = new AbortController();
    this.#waiting = waiting;
    // A lock that is stolen cannot be waited for, hence without a signal.
    const chosen = options.steal ? options : { signal: waiting.signal };
    navigator.locks
      .request(leaderLock(this.#options.scope), chosen, () => {
        if (waiting.signal.aborted) return;
        this.#waiting = null;
        return this.#lead();
      })
      .catch(() => {
        // Given up by #leave(), or taken by a page that found this one frozen.
        if (this.#waiting === waiting) this.#waiting = null;
        if (waiting.signal.aborted) return;
        this.#end();
        this.#queue();
      });
  }

  #lead(): Promise<void> {
    return new Promise((resign) => {
      this.#resign = resign;
      this.#offer();
      // The service worker will ask for one at once if it has lost the leader before.
      this.#spare = this.#newWorker();
      this.#loadCore();
    });
  }

  #leave(): void {
    this.#waiting?.abort();
    this.#waiting = null;
    this.#post({ type: 'resign' });
    this.#end();
  }

  #end(): void {
    this.#spare?.worker.terminate();
    this.#spare = null;
    for (const hosted of this.#workers.values()) hosted.worker.terminate();
    this.#workers.clear();
    this.#port?.close();
    this.#port = null;
    this.#resign?.();
    this.#resign = null;
  }

  // ---- the service worker

  #notice(message: NoticeMessage): void {
    const { scope } = this.#options;
    if (message?.scope !== scope || (message.type !== 'seek' && message.type !== 'take-over')) return;
    if (message.valor !== PROTOCOL) {
      // Another version of Valor: this page cannot host for it, and leaves that to pages that can.
      this.#listening.abort();
      this.#leave();
      return;
    }
    if (Date.now() - message.sent > STALE_MS) return;
    if (message.type === 'seek' || this.#resign !== null) this.#offer();
    else this.#queue({ steal: true });
  }

  #offer(): void {
    const { active, waiting, installing } = this.#options.registration;
    if (this.#resign === null) return;
    if (active === null) {
      (waiting ?? installing)?.addEventListener('statechange', () => this.#offer(), { once: true });
      return;
    }
    const { port1, port2 } = new MessageChannel();
    // The service worker closes the one before.
    this.#port = port1;
    port1.onmessage = ({ data, ports }: MessageEvent<ToLeader>) => this.#receive(data, ports[0]);
    const { scope } = this.#options;
    const workers = [...this.#workers.values()].map(({ name, version }) => ({ name, version }));
    active.postMessage({ valor: PROTOCOL, scope, type: 'offer', workers } satisfies OfferMessage, [port2]);
  }

  #post(message: FromLeader): void {
    this.#port?.postMessage(message);
  }

  #receive(message: ToLeader, port: MessagePort | undefined): void {
    switch (message.type) {
      case 'ping':
        this.#post({ type: 'pong' });
        return;
      case 'host':
        this.#host(message, port!);
        return;
      case 'terminate': {
        const key = `${message.name}@${message.version}`;
        this.#workers.get(key)?.worker.terminate();
        this.#workers.delete(key);
        return;
      }
    }
  }

  // ---- Workers

  #host({ definition, version, location, serviceWorker }: HostMessage, port: MessagePort): void {
    const { name } = definition;
    const key = `${name}@${version}`;
    const known = this.#workers.get(key);
    if (known !== undefined) {
      known.control.postMessage({ type: 'port', serviceWorker } satisfies PortMessage, [port]);
      return;
    }
    const { worker, broken } = this.#spare ?? this.#newWorker();
    this.#spare = null;
    const { port1, port2 } = new MessageChannel();
    const hosted: Hosted = { name, version, worker, control: port1 };
    this.#workers.set(key, hosted);
    const failed = (message: string): void => {
      if (this.#workers.get(key) === hosted) this.#post({ type: 'failed', message });
    };
    broken.then(failed);
    this.#loadCore().then(
      (core) => {
        const { scope } = this.#options;
        const instance = crypto.randomUUID();
        const start: StartMessage = { type: 'start', scope, instance, definition, location, core, serviceWorker };
        worker.postMessage(start, [port2, port]);
      },
      (error) => failed(`valor-core.wasm cannot be loaded: ${error.message}`),
    );
  }

  #newWorker(): Fresh {
    const worker = new Worker(new URL('valor-host.js', this.#options.folder), { name: 'valor' });
    // What goes wrong once it has been loaded is the plug-in's, and the Worker's own business.
    const silence = new AbortController();
    worker.addEventListener('message', () => silence.abort(), { once: true });
    const broken = new Promise<string>((resolve) => {
      worker.addEventListener('error', ({ message }) => resolve(message ?? 'valor-host.js cannot be loaded'), silence);
    });
    return { worker, broken };
  }

  #loadCore(): Promise<WebAssembly.Module> {
    this.#core ??= WebAssembly.compileStreaming(fetch(new URL('valor-core.wasm', this.#options.folder)));
    this.#core.catch(() => {
      this.#core = null;
    });
    return this.#core;
  }
}
