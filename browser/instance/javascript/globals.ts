// What a plug-in finds on its global beyond, or instead of, what the browser has there: defined on the real global of a
// Worker, which is the plug-in's alone, or on an object that stands in for the global in the service worker.
import type { Definition } from '../../core/core.ts';
import { ExtendableEvent, FetchEvent } from './fetch-event.ts';
import type { Listeners } from './listeners.ts';
import type { PluginLocation } from './location.ts';

/** Events of a plug-in's global that Valor dispatches; the others are the browser's. */
export const dispatchedTypes = [
  'message',
  'messageerror',
  'fetch',
  'error',
  'unhandledrejection',
  'rejectionhandled',
] as const;

export interface GlobalParts {
  definition: Definition;
  location: PluginLocation;
  listeners: Listeners;
  fetch: typeof fetch;
  /** Classes of the browser in another form, by name. */
  classes: Record<string, unknown>;
  postMessage(message: unknown, options?: Iterable<Transferable> | StructuredSerializeOptions): void;
  importScripts(...urls: unknown[]): void;
}

const value = (value: unknown): PropertyDescriptor => ({ value, writable: true, configurable: true });
const readonly = (get: () => unknown): PropertyDescriptor => ({ get, configurable: true, enumerable: true });
const method = (run: (...args: never[]) => unknown): PropertyDescriptor => ({ ...value(run), enumerable: true });

/** An attribute that a script can replace by a property of its own, as `name` and `valor`. */
function replaceable(global: object, key: string, initial: unknown): PropertyDescriptor {
  return {
    get: () => initial,
    set: (own) => Object.defineProperty(global, key, { ...value(own), enumerable: true }),
    configurable: true,
    enumerable: true,
  };
}

/** Where the browser's own listeners are, null in the service worker, where they are not the plug-in's. */
export function defineGlobals(global: object, parts: GlobalParts, native: EventTarget | null): void {
  const { definition, location, listeners } = parts;
  const dispatched = new Set<string>(dispatchedTypes);
  const isNative = (type: string): boolean => native !== null && !dispatched.has(type);
  const { addEventListener, removeEventListener, dispatchEvent } = EventTarget.prototype;
  const properties: PropertyDescriptorMap = {
    self: readonly(() => global),
    location: readonly(() => location),
    name: replaceable(global, 'name', definition.name),
    valor: replaceable(global, 'valor', { config: definition.config }),
    close: value(undefined),
    fetch: method(parts.fetch),
    FetchEvent: value(FetchEvent),
    ExtendableEvent: value(ExtendableEvent),
    importScripts: method(parts.importScripts),
    postMessage: method(function postMessage(message: unknown, options?: StructuredSerializeOptions) {
      // biome-ignore lint/complexity/noArguments: Web IDL counts the arguments that were passed
      if (arguments.length === 0) throw new TypeError('postMessage needs an argument');
      parts.postMessage(message, options);
    }),
    addEventListener: method(function addEventListenerOf(type: string, callback: EventListener, options?: unknown) {
      if (isNative(`${type}`)) addEventListener.call(native, type, callback, options as AddEventListenerOptions);
      else listeners.add(`${type}`, callback, options);
    }),
    removeEventListener: method(function removeEventListenerOf(
      type: string,
      callback: EventListener,
      options?: unknown,
    ) {
      if (isNative(`${type}`)) removeEventListener.call(native, type, callback, options as EventListenerOptions);
      else listeners.remove(`${type}`, callback, options);
    }),
    dispatchEvent: method((event: Event) => {
      if (isNative(event.type)) return dispatchEvent.call(native, event);
      listeners.dispatch(event, { returned() {}, threw: reportError });
      return !event.defaultPrevented;
    }),
  };
  for (const type of dispatchedTypes) {
    properties[`on${type}`] = {
      get: () => listeners.handler(type),
      set: (handler) => listeners.setHandler(type, handler),
      configurable: true,
      enumerable: true,
    };
  }
  for (const [name, own] of Object.entries(parts.classes)) properties[name] = value(own);
  Object.defineProperties(global, properties);
  if (native !== null) rebaseXhr(location.href);
}

/** Relative addresses of XMLHttpRequest are those of the plug-in too. Service workers have none. */
function rebaseXhr(base: string): void {
  const { prototype } = XMLHttpRequest;
  const open = prototype.open as (...args: unknown[]) => void;
  prototype.open = function (this: XMLHttpRequest, method: string, url: string | URL, ...rest: unknown[]) {
    open.call(this, method, new URL(url, base), ...rest);
  };
}

// ---- in the service worker

/** What belongs to the service worker and not to a plug-in in it. */
const serviceWorkerOnly = ['clients', 'registration', 'serviceWorker', 'skipWaiting', 'cookieStore', 'WindowClient'];

/** The browser's interfaces and functions, as a plug-in finds them. Made once, of the untouched global. */
let platform: object | null = null;

function platformOf(real: object): object {
  const names = new Set<string>();
  for (let at = real; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') names.add(name);
  }
  const copy = Object.create(WorkerGlobalScope.prototype);
  for (const name of names) {
    // Handlers of events that only the service worker gets: what a plug-in sets there has no effect.
    if (name.startsWith('on')) Object.defineProperty(copy, name, value(null));
    else if (serviceWorkerOnly.includes(name)) Object.defineProperty(copy, name, value(undefined));
    else Object.defineProperty(copy, name, value(unbound(real, name)));
  }
  return copy;
}

/** A property of the real global that works without it: operations like atob() insist on being called on it. */
function unbound(real: object, name: string): unknown {
  let found: unknown;
  try {
    found = (real as Record<string, unknown>)[name];
  } catch {
    // Storage that the user has switched off.
    return undefined;
  }
  const isOperation = typeof found === 'function' && !('prototype' in found) && found !== Proxy && name !== 'eval';
  return isOperation ? (found as CallableFunction).bind(real) : found;
}

/** A global for one plug-in in the service worker. `guard` wraps what a timer calls. */
export class StandIn {
  readonly global: object;
  readonly #timers = new Set<number>();

  constructor(guard: (run: () => void) => void) {
    const real = globalThis;
    platform ??= platformOf(real);
    const timers = this.#timers;
    this.global = Object.create(platform);
    const timer = (start: (run: () => void, delay?: number) => unknown, repeats: boolean) =>
      method((handler: unknown, delay?: number, ...args: unknown[]) => {
        const id = start(() => {
          if (!repeats) timers.delete(id);
          guard(() => {
            if (typeof handler === 'function') handler.call(this.global, ...args);
            else Function(`${handler}`)();
          });
        }, delay) as number;
        timers.add(id);
        return id;
      });
    const clear = method((id?: number) => {
      timers.delete(id!);
      real.clearTimeout(id);
    });
    Object.defineProperties(this.global, {
      globalThis: value(this.global),
      setTimeout: timer(real.setTimeout, false),
      setInterval: timer(real.setInterval, true),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }

  end(): void {
    for (const id of this.#timers) clearTimeout(id);
  }
}

/**
 * Stands outside of a stand-in's `with`, for sloppy scripts: an assignment to a name that nothing declares makes a
 * property of the plug-in's global, not of the real one.
 */
export function undeclaredIn(global: object, assigned: Set<string>): object {
  return new Proxy(Object.create(null), {
    has: (_, name) => typeof name === 'string' && assigned.has(name) && !(name in globalThis),
    get: () => undefined,
    set: (_, name, own) => Reflect.set(global, name, own),
  });
}
