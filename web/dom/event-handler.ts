// Event handler attributes such as onmessage:
// https://html.spec.whatwg.org/multipage/webappapis.html#event-handler-idl-attributes

import { isObject } from '../webidl/conversions.ts';
import type { Event } from './event.ts';
import { addInternalListener, type EventTarget } from './event-target.ts';

type Handler = (this: unknown, ...args: unknown[]) => unknown;

interface ErrorDetails {
  message: string;
  filename: string;
  lineno: number;
  colno: number;
  error: unknown;
}

// By target, then by type. The listener is put in place at the first assignment and keeps that place in the order.
const handlers = new WeakMap<object, Map<string, Handler | null>>();
// The global may not be the same object before and after the snapshot, so it is no key.
const globalHandlers = new Map<string, Handler | null>();

function handlersOf(target: EventTarget): Map<string, Handler | null> {
  if ((target as unknown) === globalThis) return globalHandlers;
  let map = handlers.get(target);
  if (!map) {
    map = new Map();
    handlers.set(target, map);
  }
  return map;
}

export function getEventHandler(target: EventTarget, type: string): unknown {
  return handlersOf(target).get(type) ?? null;
}

export function setEventHandler(target: EventTarget, type: string, value: unknown): void {
  const map = handlersOf(target);
  const handler = isObject(value) ? (value as Handler) : null;
  if (!map.has(type)) {
    if (!handler) return;
    addInternalListener(target, type, (event) => invoke(map.get(type), event));
  }
  map.set(type, handler);
}

/** https://html.spec.whatwg.org/multipage/webappapis.html#the-event-handler-processing-algorithm */
function invoke(handler: Handler | null | undefined, event: Event): unknown {
  if (typeof handler !== 'function') return undefined;
  if (event.type === 'error' && 'lineno' in event && (event.currentTarget as unknown) === globalThis) {
    const { message, filename, lineno, colno, error } = event as unknown as ErrorDetails;
    const result = handler.call(event.currentTarget, message, filename, lineno, colno, error);
    if (result === true) event.preventDefault();
    return result;
  }
  const result = handler.call(event.currentTarget, event);
  if (result === false) event.preventDefault();
  return result;
}

/** Defines `on<type>` on a prototype, or on the global itself. */
export function defineEventHandler(holder: object, type: string): void {
  Object.defineProperty(holder, `on${type}`, {
    get(this: EventTarget | undefined): unknown {
      return getEventHandler(this ?? (globalThis as unknown as EventTarget), type);
    },
    set(this: EventTarget | undefined, value: unknown): void {
      setEventHandler(this ?? (globalThis as unknown as EventTarget), type, value);
    },
    enumerable: true,
    configurable: true,
  });
}
