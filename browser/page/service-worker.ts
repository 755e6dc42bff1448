// A page's line to the service worker of its scope: getting one that speaks this version's messages, and calling it.
import {
  type BridgeMessage,
  type BridgeReply,
  type CallMessage,
  type CallReply,
  type HelloMessage,
  type HelloReply,
  PROTOCOL,
} from '../protocol.ts';

/** For a service worker that starts on a busy machine, and for one that is not Valor's and never answers. */
const helloMs = 5000;
/** From clients.claim() until the page notices. */
const controlMs = 2000;

/** The page and the service worker are of different versions of Valor. */
export class VersionError extends Error {}

function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((done) => setTimeout(done, ms, value));
}

/** The first message that comes back on a port which goes along. */
function ask<T>(worker: ServiceWorker, message: HelloMessage | CallMessage | BridgeMessage): Promise<T> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done, fail) => {
    port1.onmessage = ({ data }) => {
      done(data as T);
      port1.close();
    };
    port1.onmessageerror = () => fail(new Error('the answer cannot be read here'));
    worker.postMessage(message, [port2]);
  });
}

/** Resolves when it is activated. */
function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((done, fail) => {
    const look = (): void => {
      if (worker.state === 'activated') done();
      else if (worker.state === 'redundant') fail(new Error(`${worker.scriptURL} could not be installed`));
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

export class ServiceWorkerLine {
  readonly registration: ServiceWorkerRegistration;
  /** The script is valor-sw.js itself, not a page author's that imports it. */
  readonly #own: boolean;

  private constructor(registration: ServiceWorkerRegistration, own: boolean) {
    this.registration = registration;
    this.#own = own;
  }

  get scope(): string {
    return this.registration.scope;
  }

  /** `script`: URL of valor-sw.js. */
  static async register(script: string, scope: string): Promise<ServiceWorkerLine> {
    const registration = await navigator.serviceWorker.register(script, { scope, updateViaCache: 'none' });
    const line = new ServiceWorkerLine(registration, true);
    // Another project's service worker of this scope may still be the active one.
    const newest = registration.installing ?? registration.waiting ?? registration.active;
    await activated(newest!);
    return line;
  }

  /** A page author's own service worker that has imported valor-sw.js. */
  static async join(registration: ServiceWorkerRegistration): Promise<ServiceWorkerLine> {
    await activated(registration.active ?? registration.waiting ?? registration.installing!);
    return new ServiceWorkerLine(registration, false);
  }

  /** Rejects with a VersionError when there is no service worker of this version, not even by an update. */
  async agree(): Promise<void> {
    let found = await this.#protocol();
    if (found === PROTOCOL) return;
    // The browser may be installing another one already.
    await this.registration.update().catch(() => {});
    const { installing, waiting } = this.registration;
    const next = installing ?? waiting;
    if (next) await Promise.race([activated(next).catch(() => {}), after(helloMs, undefined)]);
    found = await this.#protocol();
    if (found === PROTOCOL) return;
    throw new VersionError(
      found === null
        ? `${this.registration.active?.scriptURL} does not answer as a service worker of Valor`
        : `this page's valor.js and the service worker are of different versions of Valor: load the page again`,
    );
  }

  async #protocol(): Promise<number | null> {
    const { active } = this.registration;
    if (!active) return null;
    const reply = await Promise.race([ask<HelloReply>(active, { type: 'valor-hello' }), after(helloMs, null)]);
    return reply?.valor ?? null;
  }

  async call(method: string, argument?: unknown): Promise<unknown> {
    const { active } = this.registration;
    if (!active) throw new Error('the service worker is gone');
    const answer = ask<CallReply>(active, { valor: PROTOCOL, scope: this.scope, type: 'call', method, argument });
    // One of another version has not understood it.
    const checked = after(helloMs, null).then(() => this.agree());
    const reply = await Promise.race([answer, checked.then(() => answer)]);
    if ('error' in reply) throw new Error(reply.error);
    return reply.result;
  }

  /** Looks whether the server has another version of the service worker. Browsers do so only when a page loads. */
  refresh(): void {
    if (this.#own) this.registration.update().catch(() => {});
  }

  get #controls(): boolean {
    const { controller } = navigator.serviceWorker;
    return controller !== null && controller.scriptURL === this.registration.active?.scriptURL;
  }

  /** Whether the page's requests go through the service worker; where they do not yet, it is asked to take them. */
  async control(): Promise<boolean> {
    if (this.#controls) return true;
    if (!this.#own) return false;
    const changed = new Promise<void>((done) => {
      navigator.serviceWorker.addEventListener('controllerchange', () => done(), { once: true });
    });
    await this.call('claim');
    if (!this.#controls) await Promise.race([changed, after(controlMs, undefined)]);
    return this.#controls;
  }

  /** The answer of a plug-in; null: it is the network's. */
  async fetch(request: Request): Promise<Response | null> {
    const { active } = this.registration;
    if (!active) return null;
    request.signal.throwIfAborted();
    // Not every browser has Request.body. The request itself is kept for the network.
    const bytes = await request.clone().arrayBuffer();
    const aborted = new Promise<never>((_, fail) => {
      request.signal.addEventListener('abort', () => fail(request.signal.reason), { once: true });
    });
    const reply = await Promise.race([
      ask<BridgeReply>(active, {
        valor: PROTOCOL,
        scope: this.scope,
        type: 'fetch',
        url: request.url,
        method: request.method,
        headers: [...request.headers],
        body: bytes.byteLength === 0 ? null : bytes,
      }),
      aborted,
    ]);
    if (reply.type === 'not-ours') return null;
    if (reply.type === 'failed') throw new TypeError(reply.message);
    const { status, statusText, headers } = reply;
    return new Response(reply.body, { status, statusText, headers });
  }
}
