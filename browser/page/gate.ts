// What the page asks for before the service worker is ready waits until it is, so that plug-ins answer the requests of the very
// first load too. Where the service worker cannot control the page, the page's fetch() is brought to it by messages.

/** After that the network answers. */
const deadlineMs = 10_000;

export interface GateOptions {
  /** Whether a URL may be a plug-in's. */
  covers(url: string): boolean;
  /** When requests may go; rejections count as that too. */
  ready: Promise<unknown>;
}

/** An XMLHttpRequest between open() and send(). */
interface Opened {
  method: string;
  url: string;
  credentials: string[];
  headers: [string, string][];
  sent: boolean;
}

/** The answer of a plug-in; null: it is the network's. */
export type Bridge = (request: Request) => Promise<Response | null>;

export class Gate {
  readonly #fetch = window.fetch;
  readonly #options: GateOptions;
  readonly #opened: Promise<void>;
  #bridge: Bridge | null = null;
  /** Nothing is done any more; for functions of ours that somebody has wrapped. */
  #passing = false;
  #undoFetch = (): void => {};
  #undoXhr = (): void => {};

  constructor(options: GateOptions) {
    this.#options = options;
    this.#opened = Promise.race([
      options.ready.then(
        () => {},
        () => {},
      ),
      new Promise<void>((done) => setTimeout(done, deadlineMs)),
    ]);
    this.#gateFetch();
    this.#gateXhr();
  }

  /** The service worker sees the page's requests, or there is none. */
  remove(): void {
    this.#passing = true;
    this.#bridge = null;
    this.#undoFetch();
    this.#undoXhr();
  }

  /** From now on fetch() asks here first. XMLHttpRequest cannot. */
  bridge(bridge: Bridge): void {
    this.#bridge = bridge;
    this.#undoXhr();
  }

  #gateFetch(): void {
    const original = this.#fetch;
    const gated = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      const url = input instanceof Request ? input.url : new URL(String(input), document.baseURI).href;
      if (this.#passing || !this.#options.covers(url)) return original.call(window, input, init);
      await this.#opened;
      if (!this.#bridge) return original.call(window, input, init);
      const request = new Request(input, init);
      return (await this.#bridge(request)) ?? original.call(window, request);
    };
    window.fetch = gated;
    this.#undoFetch = () => {
      if (window.fetch === gated) window.fetch = original;
    };
  }

  /** What waits is opened once more before it is sent: a browser may decide then by whom it is answered. */
  #gateXhr(): void {
    const { prototype } = XMLHttpRequest;
    const { open, setRequestHeader, send, abort } = prototype;
    const opened = new WeakMap<XMLHttpRequest, Opened>();
    const covers = (url: string): boolean => !this.#passing && this.#options.covers(url);
    const ready = this.#opened;
    const gated = {
      open(this: XMLHttpRequest, method: string, url: string | URL, async = true, ...credentials: string[]): void {
        opened.delete(this);
        open.call(this, method, url, async, ...credentials);
        const absolute = new URL(url, document.baseURI).href;
        if (async && covers(absolute))
          opened.set(this, { method, url: absolute, credentials, headers: [], sent: false });
      },
      setRequestHeader(this: XMLHttpRequest, name: string, value: string): void {
        setRequestHeader.call(this, name, value);
        opened.get(this)?.headers.push([name, value]);
      },
      send(this: XMLHttpRequest, body?: Document | XMLHttpRequestBodyInit | null): void {
        const request = opened.get(this);
        if (!request || request.sent) {
          send.call(this, body);
          return;
        }
        request.sent = true;
        void ready.then(() => {
          if (opened.get(this) !== request) return;
          opened.delete(this);
          open.call(this, request.method, request.url, true, ...request.credentials);
          for (const [name, value] of request.headers) setRequestHeader.call(this, name, value);
          send.call(this, body);
        });
      },
      abort(this: XMLHttpRequest): void {
        opened.delete(this);
        abort.call(this);
      },
    };
    const original = { open, setRequestHeader, send, abort };
    Object.assign(prototype, gated);
    this.#undoXhr = () => {
      for (const name of Object.keys(gated) as (keyof typeof gated)[]) {
        if (prototype[name] === gated[name]) Object.assign(prototype, { [name]: original[name] });
      }
    };
  }
}
