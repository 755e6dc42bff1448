// https://html.spec.whatwg.org/multipage/workers.html#workerglobalscope
// The global is no instance of a class: it is given the prototypes of the standard, and EventTarget's operations know it.
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { defineEventHandler } from '../dom/event-handler.ts';
import { EventTarget } from '../dom/event-target.ts';
import { natives } from '../natives.ts';
import { requireArguments } from '../webidl/conversions.ts';
import {
  checkGlobal,
  defineInterface,
  defineOperation,
  defineReadonly,
  defineReplaceable,
  useScopePrototype,
} from '../webidl/define.ts';
import { location } from './location.ts';
import { reportException } from './report-exception.ts';

class WorkerGlobalScope extends EventTarget {
  constructor() {
    super();
    throw new TypeError('Illegal constructor');
  }
}

class DedicatedWorkerGlobalScope extends WorkerGlobalScope {}

// https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
function isSecureContext(): boolean {
  if (location.protocol === 'https:') return true;
  return /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(location.hostname);
}

function reportError(error: unknown): void {
  requireArguments(arguments.length, 1, 'reportError');
  reportException(error);
}

export function installWorkerGlobalScope(global: object): void {
  defineInterface(global, WorkerGlobalScope, 'WorkerGlobalScope');
  defineInterface(global, DedicatedWorkerGlobalScope, 'DedicatedWorkerGlobalScope');
  Object.setPrototypeOf(global, DedicatedWorkerGlobalScope.prototype);
  useScopePrototype(WorkerGlobalScope.prototype);

  defineReadonly(global, 'self', () => globalThis);
  defineReplaceable(global, 'name', () => natives.isolateInfo().name);
  defineReplaceable(global, 'origin', () => location.origin);
  defineReadonly(global, 'isSecureContext', isSecureContext);
  defineReadonly(global, 'crossOriginIsolated', () => false);
  defineOperation(global, 'reportError', reportError);
  for (const type of ['message', 'messageerror']) defineEventHandler(global, type, checkGlobal);
  for (const type of ['error', 'languagechange', 'offline', 'online', 'rejectionhandled', 'unhandledrejection']) {
    defineEventHandler(WorkerGlobalScope.prototype, type, checkGlobal);
  }
}
