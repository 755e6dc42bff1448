// The event of service workers: https://w3c.github.io/ServiceWorker/#fetchevent-interface. A stand-in also where the
// browser has one: its own belongs to a request of a page.

/** For a promise that a plug-in wants to be waited for: its errors are not lost. */
export type Watch = (work: unknown) => void;

/** Undefined: respondWith() was not called. */
export let answerOf: (event: FetchEvent) => { answer: unknown } | undefined;
export let createFetchEvent: (request: Request, watch: Watch) => FetchEvent;
/** respondWith() comes too late. */
export let endDispatch: (event: FetchEvent) => void;

let watchBy: (event: ExtendableEvent, watch: Watch) => void;

export class ExtendableEvent extends Event {
  #watch: Watch | null = null;

  waitUntil(work: unknown): void {
    this.#watch?.(work);
  }

  static {
    watchBy = (event, watch) => {
      event.#watch = watch;
    };
  }
}

export class FetchEvent extends ExtendableEvent {
  readonly #request: Request;
  #dispatched = false;
  #answer: { answer: unknown } | undefined;

  constructor(type: string, init: EventInit & { request: Request }) {
    super(type, init);
    if (!(init?.request instanceof Request)) throw new TypeError("The event's init has no Request");
    this.#request = init.request;
  }

  get request(): Request {
    return this.#request;
  }
  get clientId(): string {
    return '';
  }
  get resultingClientId(): string {
    return '';
  }

  respondWith(answer: unknown): void {
    if (!this.#dispatched) throw new DOMException('The event is not being dispatched', 'InvalidStateError');
    if (this.#answer) throw new DOMException('respondWith() was called before', 'InvalidStateError');
    this.#answer = { answer };
    this.stopImmediatePropagation();
  }

  static {
    answerOf = (event) => event.#answer;
    createFetchEvent = (request, watch) => {
      const event = new FetchEvent('fetch', { request, cancelable: true });
      watchBy(event, watch);
      event.#dispatched = true;
      return event;
    };
    endDispatch = (event) => {
      event.#dispatched = false;
    };
  }
}

// Minified code has other names for them.
for (const [name, type] of Object.entries({ ExtendableEvent, FetchEvent })) {
  Object.defineProperty(type, 'name', { value: name });
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
}
