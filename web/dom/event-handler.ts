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

// A handler that is set; while it is, its listener keeps its place in the order.
interface Active {
  handler: Handler;
  deactivate: () => void;
}

// By target, then by type.
const handlers = new WeakMap<object, Map<string, Active>>();
// The global may not be the same object before and after the snapshot, so it is no key.
const globalHandlers = new Map<string, Active>();

function handlersOf(target: EventTarget): Map<string, Active> {
  if ((target as unknown) === globalThis) return globalHandlers;
  let map = handlers.get(target);
  if (!map) {
    map = new Map();
    handlers.set(target, map);
  }
  return map;
}

export function getEventHandler(target: EventTarget, type: string): unknown {
  return handlersOf(target).get(type)?.handler ?? null;
}

export function setEventHandler(target: EventTarget, type: string, value: unknown): void {
  const map = handlersOf(target);
  const present = map.get(type);
  if (!isObject(value)) {
    present?.deactivate();
    map.delete(type);
  } else if (present) {
    present.handler = value as Handler;
  } else {
    const active: Active = {
      handler: value as Handler,
      deactivate: addInternalListener(target, type, (event) => invoke(active.handler, event)),
    };
    map.set(type, active);
  }
}

/** https://html.spec.whatwg.org/multipage/webappapis.html#the-event-handler-processing-algorithm */
function invoke(handler: Handler, event: Event): unknown {
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

/**
 * Defines `on<type>` on a prototype, or on the global itself. `check` throws where it is used on something else; `handlerSet`
 * is told when it was set.
 */
export function defineEventHandler(
  holder: object,
  type: string,
  check?: (target: unknown) => void,
  handlerSet?: (target: object, type: string) => void,
): void {
  const name = `on${type}`;
  const accessor = {
    get [name](): unknown {
      const target = (this as unknown as EventTarget | undefined) ?? (globalThis as unknown as EventTarget);
      check?.(target);
      return getEventHandler(target, type);
    },
    set [name](value: unknown) {
      const target = (this as unknown as EventTarget | undefined) ?? (globalThis as unknown as EventTarget);
      check?.(target);
      setEventHandler(target, type, value);
      handlerSet?.(target, type);
    },
  };
  Object.defineProperty(holder, name, { ...Object.getOwnPropertyDescriptor(accessor, name) });
}
