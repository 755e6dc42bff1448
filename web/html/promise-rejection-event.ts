// https://html.spec.whatwg.org/multipage/webappapis.html#the-promiserejectionevent-interface
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { Event, type EventInit, trusted } from '../dom/event.ts';
import { dispatch, type EventTarget, hasListeners } from '../dom/event-target.ts';
import { isObject, requireArguments } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';

export interface PromiseRejectionEventInit extends EventInit {
  promise: Promise<unknown>;
  reason?: unknown;
}

export class PromiseRejectionEvent extends Event {
  #promise: Promise<unknown>;
  #reason: unknown;

  constructor(type: string, init: PromiseRejectionEventInit) {
    requireArguments(arguments.length, 2, 'PromiseRejectionEvent');
    if (!isObject(init) || !isObject(init.promise)) throw new TypeError("The event's init has no 'promise'");
    super(type, init);
    this.#promise = init.promise;
    this.#reason = init.reason;
  }

  get promise(): Promise<unknown> {
    return this.#promise;
  }
  get reason(): unknown {
    return this.#reason;
  }
}

/** Fires "unhandledrejection" at the global. Returns true when a listener prevented the default, the report. */
export function fireUnhandledRejection(promise: Promise<unknown>, reason: unknown): boolean {
  return fire('unhandledrejection', promise, reason, true);
}

/** Fires "rejectionhandled": a rejection that was reported has got a handler after all. */
export function fireRejectionHandled(promise: Promise<unknown>, reason: unknown): void {
  fire('rejectionhandled', promise, reason, false);
}

function fire(type: string, promise: Promise<unknown>, reason: unknown, cancelable: boolean): boolean {
  const target = globalThis as unknown as EventTarget;
  if (!hasListeners(target, type)) return false;
  return !dispatch(target, trusted(new PromiseRejectionEvent(type, { promise, reason, cancelable })));
}

export function installPromiseRejectionEvent(global: object): void {
  defineInterface(global, PromiseRejectionEvent, 'PromiseRejectionEvent');
}
