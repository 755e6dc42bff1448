// https://dom.spec.whatwg.org/#interface-eventtarget
// Targets here have no parents, so an event only ever visits its target: first the capturing listeners, then the rest.
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { reportException } from '../html/report-exception.ts';
import { isObject, requireArguments, toDOMString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import type { AbortSignal } from './abort.ts';
import { beginDispatch, Event, endDispatch, isCanceled, isStopped, setInPassiveListener, setTrusted } from './event.ts';

export type EventCallback = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

export interface EventListenerOptions {
  capture?: boolean;
}

export interface AddEventListenerOptions extends EventListenerOptions {
  passive?: boolean;
  once?: boolean;
  signal?: AbortSignal;
}

/** Called once per listener that was run, with what it did. */
export interface DispatchObserver {
  returned(value: unknown): void;
  threw(error: unknown): void;
}

export class Listener {
  callback: EventCallback;
  capture: boolean;
  once: boolean;
  passive: boolean;
  removed = false;

  constructor(callback: EventCallback, capture: boolean, once: boolean, passive: boolean) {
    this.callback = callback;
    this.capture = capture;
    this.once = once;
    this.passive = passive;
  }
}

/** The listeners of a target by event type. The arrays are replaced, never changed, so that a dispatch can walk them. */
export type ListenerMap = Map<string, readonly Listener[]>;

// The global is no instance of a class of ours: its listeners live here.
const globalListeners: ListenerMap = new Map();

export let listenersOf: (target: EventTarget) => ListenerMap | null;
let ensureListeners: (target: EventTarget) => ListenerMap;

interface SignalOperations {
  isAbortSignal(value: unknown): value is AbortSignal;
  addAbortAlgorithm(signal: AbortSignal, algorithm: () => void): void;
}

// abort.ts needs EventTarget when it is evaluated, so this file cannot import it.
let signals: SignalOperations;
export function connectSignals(operations: SignalOperations): void {
  signals = operations;
}

/** A method that is told of each listener added; for targets that must live as long as somebody listens. */
export const listenerAdded = Symbol('listenerAdded');

export class EventTarget {
  #listeners: ListenerMap | null = null;

  addEventListener(type: string, callback: EventCallback | null, options?: AddEventListenerOptions | boolean): void {
    const target = this ?? (globalThis as unknown as EventTarget);
    requireArguments(arguments.length, 2, 'addEventListener');
    const name = toDOMString(type);
    const listeners = ensureListeners(target);
    let capture = false;
    let once = false;
    let passive = false;
    let signal: AbortSignal | undefined;
    if (isObject(options)) {
      capture = Boolean(options.capture);
      once = Boolean(options.once);
      passive = Boolean(options.passive);
      signal = options.signal;
      if (signal !== undefined && !signals.isAbortSignal(signal)) throw new TypeError("'signal' is not an AbortSignal");
    } else {
      capture = Boolean(options);
    }
    if (callback !== null && callback !== undefined && !isObject(callback)) {
      throw new TypeError('The listener is not an object');
    }
    if (!callback || signal?.aborted) return;
    const present = listeners.get(name);
    if (present?.some((listener) => listener.callback === callback && listener.capture === capture)) return;
    const listener = new Listener(callback, capture, once, passive);
    insertListener(target, listeners, name, listener);
    if (signal) signals.addAbortAlgorithm(signal, () => removeListener(listeners, name, listener));
  }

  removeEventListener(type: string, callback: EventCallback | null, options?: EventListenerOptions | boolean): void {
    const target = this ?? (globalThis as unknown as EventTarget);
    requireArguments(arguments.length, 2, 'removeEventListener');
    const name = toDOMString(type);
    const listeners = ensureListeners(target);
    const capture = isObject(options) ? Boolean(options.capture) : Boolean(options);
    const listener = listeners.get(name)?.find((entry) => entry.callback === callback && entry.capture === capture);
    if (listener) removeListener(listeners, name, listener);
  }

  dispatchEvent(event: Event): boolean {
    const target = this ?? (globalThis as unknown as EventTarget);
    requireArguments(arguments.length, 1, 'dispatchEvent');
    if (!(event instanceof Event)) throw new TypeError('The argument of dispatchEvent is not an Event');
    setTrusted(event, false);
    return dispatch(target, event);
  }

  static {
    listenersOf = (target) => {
      // The global first: to look for a private name there takes V8 a hundred nanoseconds.
      if ((target as unknown) === globalThis) return globalListeners;
      if (#listeners in target) return target.#listeners;
      throw new TypeError('Illegal invocation');
    };
    ensureListeners = (target) => {
      const present = listenersOf(target);
      if (present) return present;
      const created: ListenerMap = new Map();
      target.#listeners = created;
      return created;
    };
  }
}

function insertListener(target: EventTarget, listeners: ListenerMap, type: string, listener: Listener): void {
  const present = listeners.get(type);
  listeners.set(type, present ? [...present, listener] : [listener]);
  (target as { [listenerAdded]?(type: string): void })[listenerAdded]?.(type);
}

function removeListener(listeners: ListenerMap, type: string, listener: Listener): void {
  if (listener.removed) return;
  listener.removed = true;
  const rest = listeners.get(type)?.filter((entry) => entry !== listener);
  if (rest?.length) listeners.set(type, rest);
  else listeners.delete(type);
}

/** Adds a listener for the runtime itself. Returns what removes it. */
export function addInternalListener(
  target: EventTarget,
  type: string,
  callback: (event: Event) => unknown,
): () => void {
  const listeners = ensureListeners(target);
  const listener = new Listener(callback, false, false, false);
  insertListener(target, listeners, type, listener);
  return () => removeListener(listeners, type, listener);
}

export function hasListeners(target: EventTarget, type: string): boolean {
  return listenersOf(target)?.has(type) ?? false;
}

/**
 * https://dom.spec.whatwg.org/#concept-event-dispatch
 * Returns false when the event was canceled. Exceptions of listeners are reported, or go to the observer instead.
 */
export function dispatch(target: EventTarget, event: Event, observer?: DispatchObserver): boolean {
  const listeners = listenersOf(target);
  if (!beginDispatch(event, target)) {
    throw new DOMException('The event is already being dispatched', 'InvalidStateError');
  }
  const entries = listeners?.get(event.type);
  if (listeners && entries) {
    // Most lists have no capturing listener: one pass is enough for them.
    if (entries.some((entry) => entry.capture)) {
      run(listeners, event, entries, true, observer);
      // https://dom.spec.whatwg.org/#concept-event-dispatch step 5.13-5.14: at the target the two groups are visited
      // apart, and stopPropagation() in the first keeps the event from the second.
      if (!event.cancelBubble) run(listeners, event, listeners.get(event.type) ?? [], false, observer);
    } else {
      run(listeners, event, entries, false, observer);
    }
  }
  endDispatch(event);
  return !isCanceled(event);
}

function run(
  listeners: ListenerMap,
  event: Event,
  entries: readonly Listener[],
  capture: boolean,
  observer: DispatchObserver | undefined,
): void {
  for (const listener of entries) {
    if (listener.removed || listener.capture !== capture) continue;
    if (isStopped(event)) return;
    if (listener.once) removeListener(listeners, event.type, listener);
    if (listener.passive) setInPassiveListener(event, true);
    try {
      const { callback } = listener;
      let result: unknown;
      if (typeof callback === 'function') {
        result = callback.call(event.currentTarget as never, event);
      } else {
        const { handleEvent } = callback;
        if (typeof handleEvent !== 'function') throw new TypeError("The listener's handleEvent is not a function");
        result = handleEvent.call(callback, event);
      }
      observer?.returned(result);
    } catch (error) {
      if (observer) observer.threw(error);
      else reportException(error);
    }
    if (listener.passive) setInPassiveListener(event, false);
  }
}

export function installEventTarget(global: object): void {
  defineInterface(global, EventTarget, 'EventTarget', { addEventListener: 2, removeEventListener: 2 });
}
