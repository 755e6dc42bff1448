// https://dom.spec.whatwg.org/#aborting-ongoing-activities
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { runAfter } from '../html/timers.ts';
import { requireArguments, toSequence, toUnsignedLongLongEnforced } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import { defineBrand } from '../webidl/types.ts';
import { Event, trusted } from './event.ts';
import { defineEventHandler } from './event-handler.ts';
import { connectSignals, dispatch, EventTarget, listenerAdded } from './event-target.ts';

/** Who has it may construct signals. */
export const internal = Symbol('internal');

export let isAbortSignal: (value: unknown) => value is AbortSignal;
/** Runs `algorithm` when the signal is aborted; at most once. Not when it is already aborted. */
export let addAbortAlgorithm: (signal: AbortSignal, algorithm: () => void) => void;
export let removeAbortAlgorithm: (signal: AbortSignal, algorithm: () => void) => void;
/** Aborts a signal. An undefined reason becomes an AbortError. */
export let signalAbort: (signal: AbortSignal, reason?: unknown) => void;
/** Makes `result`, by default a new signal, one that is aborted as soon as one of the others is. */
export let createDependentSignal: (signals: readonly AbortSignal[], result?: AbortSignal) => AbortSignal;

// A source looks for dependents that are gone when it has so many, and then each time when there are twice as many.
const firstPrune = 64;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #algorithms: Set<() => void> | null = null;
  // A dependent signal and its sources: https://dom.spec.whatwg.org/#abortsignal-dependent-signals
  #dependents: Set<WeakRef<AbortSignal>> | null = null;
  #pruneAt = firstPrune;
  #sources: AbortSignal[] | null = null;
  #self: WeakRef<AbortSignal> | null = null;
  // Dependent signals that somebody listens to live as long as their sources.
  #observed: Set<AbortSignal> | null = null;

  constructor(token?: unknown) {
    if (token !== internal) throw new TypeError('Illegal constructor');
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(internal);
    signal.#setAborted(reason);
    return signal;
  }

  static timeout(milliseconds: number): AbortSignal {
    requireArguments(arguments.length, 1, 'AbortSignal.timeout');
    const delay = toUnsignedLongLongEnforced(milliseconds, 'The timeout');
    const signal = new AbortSignal(internal);
    runAfter(delay, () => signal.#abort(new DOMException('The operation timed out', 'TimeoutError')));
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    requireArguments(arguments.length, 1, 'AbortSignal.any');
    const list = toSequence(signals, 'The argument of AbortSignal.any');
    for (const signal of list) {
      if (!isAbortSignal(signal)) throw new TypeError('The argument of AbortSignal.any holds more than AbortSignals');
    }
    return createDependentSignal(list as AbortSignal[]);
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  #setAborted(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason === undefined ? new DOMException('The operation was aborted', 'AbortError') : reason;
  }

  /** https://dom.spec.whatwg.org/#abortsignal-signal-abort */
  #abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#setAborted(reason);
    const toAbort: AbortSignal[] = [];
    for (const reference of this.#dependents ?? []) {
      const dependent = reference.deref();
      if (dependent && !dependent.#aborted) {
        dependent.#setAborted(this.#reason);
        toAbort.push(dependent);
      }
    }
    this.#dependents = null;
    this.#observed = null;
    this.#runAbortSteps();
    for (const dependent of toAbort) dependent.#runAbortSteps();
  }

  #runAbortSteps(): void {
    this.#leaveSources();
    const algorithms = this.#algorithms;
    this.#algorithms = null;
    for (const algorithm of algorithms ?? []) algorithm();
    dispatch(this, trusted(new Event('abort')));
  }

  #leaveSources(): void {
    for (const source of this.#sources ?? []) {
      source.#observed?.delete(this);
      if (this.#self) source.#dependents?.delete(this.#self);
    }
    this.#sources = null;
  }

  #keepAlive(): void {
    for (const source of this.#sources ?? []) {
      source.#observed ??= new Set();
      source.#observed.add(this);
    }
  }

  [listenerAdded](type: string): void {
    if (type === 'abort') this.#keepAlive();
  }

  #follow(source: AbortSignal): void {
    if (this.#sources?.includes(source)) return;
    this.#sources ??= [];
    this.#sources.push(source);
    this.#self ??= new WeakRef(this);
    source.#dependents ??= new Set();
    // Signals that were dropped without being aborted must not pile up at a source that lives long.
    if (source.#dependents.size >= source.#pruneAt) {
      for (const reference of source.#dependents) {
        if (!reference.deref()) source.#dependents.delete(reference);
      }
      source.#pruneAt = Math.max(firstPrune, source.#dependents.size * 2);
    }
    source.#dependents.add(this.#self);
  }

  static {
    isAbortSignal = (value): value is AbortSignal => typeof value === 'object' && value !== null && #aborted in value;
    addAbortAlgorithm = (signal, algorithm) => {
      if (signal.#aborted) return;
      signal.#algorithms ??= new Set();
      signal.#algorithms.add(algorithm);
      signal.#keepAlive();
    };
    removeAbortAlgorithm = (signal, algorithm) => {
      signal.#algorithms?.delete(algorithm);
    };
    signalAbort = (signal, reason) => signal.#abort(reason);
    createDependentSignal = (signals, result = new AbortSignal(internal)) => {
      const aborted = signals.find((signal) => signal.#aborted);
      if (aborted) {
        result.#setAborted(aborted.#reason);
        return result;
      }
      for (const signal of signals) {
        // https://dom.spec.whatwg.org/#create-a-dependent-abort-signal: sources are never dependent themselves.
        for (const source of signal.#sources ?? [signal]) result.#follow(source);
      }
      return result;
    };
  }
}

connectSignals({ isAbortSignal, addAbortAlgorithm });
defineBrand('AbortSignal', isAbortSignal);

/** A signal that only the runtime can abort, through signalAbort(). */
export function createAbortSignal(): AbortSignal {
  return new AbortSignal(internal);
}

export class AbortController {
  #signal: AbortSignal;

  constructor(token?: unknown, signal?: AbortSignal) {
    this.#signal = token === internal && signal ? signal : createAbortSignal();
  }

  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(reason?: unknown): void {
    signalAbort(this.#signal, reason);
  }
}

export function installAbort(global: object): void {
  defineInterface(global, AbortSignal, 'AbortSignal', { '': 0, abort: 0 });
  defineEventHandler(AbortSignal.prototype, 'abort');
  defineInterface(global, AbortController, 'AbortController', { '': 0, abort: 0 });
}
