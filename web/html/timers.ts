// https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timers
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { natives } from '../natives.ts';
import { requireArguments, toDOMString, toLong } from '../webidl/conversions.ts';
import { defineOperation } from '../webidl/define.ts';
import { reportException } from './report-exception.ts';

type Callback = (...args: unknown[]) => unknown;

interface Timer {
  callback: Callback;
  args: unknown[];
  delay: number;
  repeat: boolean;
  nesting: number;
}

// Timers that start each other more deeply than this wait at least so many milliseconds.
const nestingLimit = 5;
const nestedDelay = 4;
// Longer waits than the engine counts would come due at once.
const longestDelay = 0x7fffffff;

// clearTimeout() takes a signed 32-bit number.
const largestId = 0x7fffffff;

const timers = new Map<number, Timer>();
let lastId = 0;
let currentNesting = 0;

function start(callback: Callback, args: unknown[], delay: number, repeat: boolean, nesting: number): number {
  do {
    lastId = lastId === largestId ? 1 : lastId + 1;
  } while (timers.has(lastId));
  const id = lastId;
  const timer: Timer = { callback, args, delay, repeat, nesting };
  timers.set(id, timer);
  arm(id, timer);
  return id;
}

function arm(id: number, timer: Timer): void {
  const delay = timer.nesting > nestingLimit ? Math.max(timer.delay, nestedDelay) : timer.delay;
  timer.nesting++;
  natives.setTimer(id, delay);
}

/** The engine's hook: the timer is due. The engine runs microtasks after each call. */
export function onTimer(id: number): void {
  const timer = timers.get(id);
  if (!timer) return;
  if (!timer.repeat) timers.delete(id);
  currentNesting = timer.nesting;
  try {
    timer.callback.apply(globalThis, timer.args);
  } catch (error) {
    reportException(error);
  } finally {
    currentNesting = 0;
  }
  // The callback may have cleared the interval.
  if (timer.repeat && timers.has(id)) arm(id, timer);
}

/** Runs `callback` once after `delay` milliseconds; for the platform itself, whose tasks may start each other without end. */
export function runAfter(delay: number, callback: () => void): void {
  start(callback, [], Math.min(delay, longestDelay), false, 0);
}

// biome-ignore lint/security/noGlobalEval: what the standard asks for
const globalEval = globalThis.eval;

/** https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timer-initialisation-steps: text is compiled. */
function toCallback(handler: unknown): Callback {
  if (typeof handler === 'function') return handler as Callback;
  const source = toDOMString(handler);
  return () => globalEval(source);
}

function setTimeout(handler: unknown, delay: unknown = 0, ...args: unknown[]): number {
  requireArguments(arguments.length, 1, 'setTimeout');
  return start(toCallback(handler), args, Math.max(0, toLong(delay)), false, currentNesting);
}

function setInterval(handler: unknown, delay: unknown = 0, ...args: unknown[]): number {
  requireArguments(arguments.length, 1, 'setInterval');
  return start(toCallback(handler), args, Math.max(0, toLong(delay)), true, currentNesting);
}

function clear(id: unknown = 0): void {
  const key = toLong(id);
  if (timers.delete(key)) natives.clearTimer(key);
}

function queueMicrotask(callback: unknown): void {
  requireArguments(arguments.length, 1, 'queueMicrotask');
  if (typeof callback !== 'function') throw new TypeError('queueMicrotask: the callback is not a function');
  natives.enqueueMicrotask(() => {
    try {
      (callback as () => unknown).call(undefined);
    } catch (error) {
      reportException(error);
    }
  });
}

export function installTimers(global: object): void {
  // Web IDL counts the required arguments only.
  for (const operation of [setTimeout, setInterval]) Object.defineProperty(operation, 'length', { value: 1 });
  defineOperation(global, 'setTimeout', setTimeout);
  defineOperation(global, 'setInterval', setInterval);
  defineOperation(global, 'clearTimeout', (id?: unknown) => clear(id));
  defineOperation(global, 'clearInterval', (id?: unknown) => clear(id));
  defineOperation(global, 'queueMicrotask', queueMicrotask);
}
