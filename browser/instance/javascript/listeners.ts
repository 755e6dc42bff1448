// The listeners of a plug-in's global. They are called here, not by the browser: so it is known what each one throws and
// returns, and a plug-in in the service worker does not hear what is meant for others.

type Callback = ((this: unknown, event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface Listener {
  type: string;
  callback: Callback;
  capture: boolean;
  once: boolean;
  /** Set as `onTYPE`. */
  handler: boolean;
  removed: boolean;
}

export interface Outcome {
  returned(value: unknown): void;
  threw(error: unknown): void;
}

const captures = (options: unknown): boolean =>
  typeof options === 'object' && options !== null
    ? Boolean((options as AddEventListenerOptions).capture)
    : Boolean(options);

export class Listeners {
  readonly #global: object;
  #listeners: Listener[] = [];

  /** `global` is what listeners see as `this` and as the event's target. */
  constructor(global: object) {
    this.#global = global;
  }

  add(type: string, callback: unknown, options?: unknown): void {
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'function' && typeof callback !== 'object') {
      throw new TypeError('addEventListener: the listener is neither a function nor an object');
    }
    const { once, signal } = (
      typeof options === 'object' && options !== null ? options : {}
    ) as AddEventListenerOptions;
    if (signal?.aborted) return;
    const capture = captures(options);
    if (this.#find(type, callback as Callback, capture)) return;
    this.#listeners.push({
      type,
      callback: callback as Callback,
      capture,
      once: Boolean(once),
      handler: false,
      removed: false,
    });
    signal?.addEventListener('abort', () => this.remove(type, callback, capture));
  }

  remove(type: string, callback: unknown, options?: unknown): void {
    const listener = this.#find(type, callback as Callback, captures(options));
    if (listener) this.#drop(listener);
  }

  has(type: string): boolean {
    return this.#listeners.some((listener) => listener.type === type);
  }

  handler(type: string): unknown {
    return this.#handler(type)?.callback ?? null;
  }

  /** As an assignment to `onTYPE` does. */
  setHandler(type: string, callback: unknown): void {
    const current = this.#handler(type);
    const callable = typeof callback === 'function' || (typeof callback === 'object' && callback !== null);
    if (!callable) {
      if (current) this.#drop(current);
    } else if (current) {
      current.callback = callback as Callback;
    } else {
      const listener = { type, callback: callback as Callback, capture: false, once: false, handler: true };
      this.#listeners.push({ ...listener, removed: false });
    }
  }

  /** Calls who listens. */
  dispatch(event: Event, outcome: Outcome): void {
    const { type } = event;
    const listening = this.#listeners.filter((listener) => listener.type === type);
    let stopped = false;
    const global = this.#global;
    const shown = { configurable: true, get: () => global };
    Object.defineProperties(event, {
      target: shown,
      currentTarget: shown,
      srcElement: shown,
      stopImmediatePropagation: {
        configurable: true,
        writable: true,
        value: () => {
          stopped = true;
        },
      },
    });
    for (const capture of [true, false]) {
      for (const listener of listening) {
        if (stopped) return;
        if (listener.removed || listener.capture !== capture) continue;
        if (listener.once) this.#drop(listener);
        try {
          outcome.returned(this.#call(listener, event));
        } catch (error) {
          outcome.threw(error);
        }
      }
    }
  }

  clear(): void {
    for (const listener of [...this.#listeners]) this.#drop(listener);
  }

  #call({ callback, handler, type }: Listener, event: Event): unknown {
    if (typeof callback !== 'function') return handler ? undefined : callback.handleEvent(event);
    if (!handler) return callback.call(this.#global, event);
    // https://html.spec.whatwg.org/multipage/webappapis.html#the-event-handler-processing-algorithm
    if (type === 'error' && event instanceof ErrorEvent) {
      const { message, filename, lineno, colno, error } = event;
      const onerror = callback as (this: unknown, ...args: unknown[]) => unknown;
      const result = onerror.call(this.#global, message, filename, lineno, colno, error);
      if (result === true) event.preventDefault();
      return result;
    }
    const result = callback.call(this.#global, event);
    if (result === false) event.preventDefault();
    return result;
  }

  #find(type: string, callback: Callback, capture: boolean): Listener | undefined {
    return this.#listeners.find(
      (listener) =>
        !listener.handler && listener.type === type && listener.callback === callback && listener.capture === capture,
    );
  }

  #handler(type: string): Listener | undefined {
    return this.#listeners.find((listener) => listener.handler && listener.type === type);
  }

  #drop(listener: Listener): void {
    listener.removed = true;
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }
}
