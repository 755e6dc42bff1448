// The entries of an instance, and who wants to hear of them: https://w3c.github.io/performance-timeline/

import { natives } from '../natives.ts';
import {
  type MarkOptions,
  type PerformanceEntry,
  PerformanceMark,
  PerformanceMeasure,
  unknownMark,
} from './entries.ts';
import { queueForObservers } from './observer.ts';

// A plug-in that never clears its marks must not run out of memory through them.
const maxEntries = 100_000;

let entries: PerformanceEntry[] = [];

/** https://w3c.github.io/performance-timeline/#dfn-filter-buffer-by-name-and-type */
export function filterEntries(list: readonly PerformanceEntry[], name?: string, type?: string): PerformanceEntry[] {
  return list
    .filter((entry) => (name === undefined || entry.name === name) && (type === undefined || entry.entryType === type))
    .sort((a, b) => a.startTime - b.startTime);
}

export function findEntries(name?: string, type?: string): PerformanceEntry[] {
  return filterEntries(entries, name, type);
}

function add(entry: PerformanceEntry): void {
  queueForObservers(entry);
  if (entries.length < maxEntries) entries.push(entry);
}

export function clearEntries(type: string, name: string | undefined): void {
  entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== name));
}

export function mark(name: string, options: MarkOptions): PerformanceMark {
  const entry = new PerformanceMark(name, options);
  add(entry);
  return entry;
}

interface MeasureOptions {
  detail?: unknown;
  start?: string | number;
  duration?: number;
  end?: string | number;
}

// https://w3c.github.io/navigation-timing/#the-performancetiming-interface
const navigationTimes = new Set([
  ...['connectEnd', 'connectStart', 'domComplete', 'domContentLoadedEventEnd', 'domContentLoadedEventStart'],
  ...['domInteractive', 'domLoading', 'domainLookupEnd', 'domainLookupStart', 'fetchStart', 'loadEventEnd'],
  ...['loadEventStart', 'navigationStart', 'redirectEnd', 'redirectStart', 'requestStart', 'responseEnd'],
  ...['responseStart', 'secureConnectionStart', 'unloadEventEnd', 'unloadEventStart'],
]);

/** https://w3c.github.io/user-timing/#convert-a-mark-to-a-timestamp */
function timeOf(mark: string | number): number {
  if (typeof mark === 'number') {
    if (mark < 0) throw new TypeError('A time must not be negative');
    return mark;
  }
  if (navigationTimes.has(mark)) throw new TypeError(`'${mark}' is a time of a page, and this is none`);
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries[at] as PerformanceEntry;
    if (entry.entryType === 'mark' && entry.name === mark) return entry.startTime;
  }
  throw unknownMark(mark);
}

/** https://w3c.github.io/user-timing/#measure-method */
export function measure(name: string, given: string | MeasureOptions, endMark: string | undefined): PerformanceMeasure {
  const options = typeof given === 'object' ? given : undefined;
  const { start, end, duration, detail } = options ?? {};
  if (options && (start !== undefined || end !== undefined || duration !== undefined || detail !== undefined)) {
    if (endMark !== undefined) throw new TypeError('The options and an end mark cannot both be given');
    if (start === undefined && end === undefined) throw new TypeError('The options have neither start nor end');
    if (start !== undefined && end !== undefined && duration !== undefined) {
      throw new TypeError('The options cannot have start, end and duration');
    }
  }
  let endTime: number;
  if (endMark !== undefined) endTime = timeOf(endMark);
  else if (end !== undefined) endTime = timeOf(end);
  else if (start !== undefined && duration !== undefined) endTime = timeOf(start) + timeOf(duration);
  else endTime = natives.now();
  let startTime: number;
  if (start !== undefined) startTime = timeOf(start);
  else if (end !== undefined && duration !== undefined) startTime = timeOf(end) - timeOf(duration);
  else if (typeof given === 'string') startTime = timeOf(given);
  else startTime = 0;
  const entry = new PerformanceMeasure(name, startTime, endTime - startTime, detail);
  add(entry);
  return entry;
}
