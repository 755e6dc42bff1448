// https://w3c.github.io/performance-timeline/#the-performanceobserver-interface

import * as idl from 'valor-idl';
import { reportException } from '../html/report-exception.ts';
import { runAfter } from '../html/timers.ts';
import { natives } from '../natives.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import type { PerformanceEntry } from './entries.ts';
import { filterEntries, findEntries } from './timeline.ts';

const supportedTypes: readonly string[] = Object.freeze(['mark', 'measure']);

interface ObserverInit {
  entryTypes?: readonly string[];
  type?: string;
  buffered?: boolean;
}

type Callback = (list: object, observer: object, options: object) => unknown;

class PerformanceObserverEntryList {
  #entries: readonly PerformanceEntry[];

  constructor(entries: readonly PerformanceEntry[]) {
    this.#entries = entries;
  }

  getEntries(): PerformanceEntry[] {
    return filterEntries(this.#entries);
  }
  getEntriesByType(type: string): PerformanceEntry[] {
    return filterEntries(this.#entries, undefined, type);
  }
  getEntriesByName(name: string, type?: string): PerformanceEntry[] {
    return filterEntries(this.#entries, name, type);
  }

  static isInstance(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #entries in value;
  }
}
export const EntryListInterface = bind(
  idl.PerformanceObserverEntryList,
  PerformanceObserverEntryList,
  PerformanceObserverEntryList.isInstance,
);

const observers = new Set<PerformanceObserver>();
let delivering = false;
let isObserver: (value: unknown) => boolean;
let offer: (observer: PerformanceObserver, entry: PerformanceEntry) => boolean;
let notify: (observer: PerformanceObserver) => void;

/** https://w3c.github.io/performance-timeline/#queue-a-performanceentry */
export function queueForObservers(entry: PerformanceEntry): void {
  let wanted = false;
  for (const observer of observers) wanted = offer(observer, entry) || wanted;
  if (wanted) queueDelivery();
}

function queueDelivery(): void {
  if (delivering) return;
  delivering = true;
  runAfter(0, () => {
    delivering = false;
    for (const observer of [...observers]) notify(observer);
  });
}

class PerformanceObserver {
  #callback: Callback;
  #mode: '' | 'single' | 'multiple' = '';
  #types = new Set<string>();
  #buffer: PerformanceEntry[] = [];
  #first = true;
  // One delivery is for the observers of many requests.
  #activity = natives.activity();

  constructor(callback: Callback) {
    this.#callback = callback;
  }

  static get supportedEntryTypes(): readonly string[] {
    return supportedTypes;
  }

  observe(options: ObserverInit): void {
    const { entryTypes, type, buffered } = options;
    if (entryTypes === undefined && type === undefined) throw new TypeError("Neither 'entryTypes' nor 'type' is given");
    if (entryTypes !== undefined && type !== undefined) {
      throw new TypeError("'entryTypes' and 'type' cannot be given together");
    }
    const mode = entryTypes === undefined ? 'single' : 'multiple';
    if (this.#mode !== '' && this.#mode !== mode) {
      throw new DOMException('The observer was used in another way before', 'InvalidModificationError');
    }
    this.#mode = mode;
    this.#first = true;
    const known = (entryTypes ?? [type as string]).filter((name) => supportedTypes.includes(name));
    if (known.length === 0) {
      natives.log(2, `PerformanceObserver: no entries of the type ${[...(entryTypes ?? [type])].join(', ')} are made`);
      return;
    }
    if (mode === 'multiple') this.#types = new Set(known);
    else this.#types.add(known[0] as string);
    observers.add(this);
    if (!buffered || mode === 'multiple') return;
    for (const entry of findEntries(undefined, known[0])) this.#buffer.push(entry);
    queueDelivery();
  }

  disconnect(): void {
    observers.delete(this);
    this.#buffer = [];
    this.#types.clear();
    this.#mode = '';
  }

  takeRecords(): PerformanceEntry[] {
    const records = this.#buffer;
    this.#buffer = [];
    return records;
  }

  static {
    isObserver = (value) => typeof value === 'object' && value !== null && #callback in value;
    offer = (observer, entry) => {
      if (!observer.#types.has(entry.entryType)) return false;
      observer.#buffer.push(entry);
      return true;
    };
    notify = (observer) => {
      if (observer.#buffer.length === 0) return;
      const list = new PerformanceObserverEntryList(observer.takeRecords());
      const options: { droppedEntriesCount?: number } = {};
      if (observer.#first) options.droppedEntriesCount = 0;
      observer.#first = false;
      natives.beginActivity(observer.#activity, undefined);
      try {
        Reflect.apply(observer.#callback, observer, [list, observer, options]);
      } catch (error) {
        reportException(error);
      }
    };
  }
}
export const PerformanceObserverInterface = bind(idl.PerformanceObserver, PerformanceObserver, isObserver);
