// https://w3c.github.io/hr-time/#sec-performance with what https://w3c.github.io/user-timing/ and
// https://w3c.github.io/performance-timeline/ add. The entries are kept by a part that is loaded for the first one.

import * as idl from 'valor-idl';
import { EventTarget } from '../dom/event-target.ts';
import { defineLazyInterfaces, isLoaded, loadPart } from '../lazy.ts';
import { natives } from '../natives.ts';
import { bind } from '../webidl/bind.ts';
import { defineHidden, defineReplaceable } from '../webidl/define.ts';
import type { PerformanceEntry } from './entries.ts';

type Part = typeof import('../lazy/performance.ts');

const part = 'performance';
const timeline = (): Part => loadPart<Part>(part);
const entries = (name?: string, type?: string): PerformanceEntry[] =>
  isLoaded(part) ? timeline().findEntries(name, type) : [];

let isPerformance: (value: unknown) => boolean;

class Performance extends EventTarget {
  #brand = true;

  now(): number {
    return natives.now();
  }
  get timeOrigin(): number {
    return natives.timeOrigin();
  }

  getEntries(): object[] {
    return entries();
  }
  getEntriesByType(type: string): object[] {
    return entries(undefined, type);
  }
  getEntriesByName(name: string, type?: string): object[] {
    return entries(name, type);
  }

  mark(name: string, options: object): object {
    return timeline().mark(name, options);
  }
  measure(name: string, options: string | object, endMark?: string): object {
    return timeline().measure(name, options, endMark);
  }
  clearMarks(name?: string): void {
    if (isLoaded(part)) timeline().clearEntries('mark', name);
  }
  clearMeasures(name?: string): void {
    if (isLoaded(part)) timeline().clearEntries('measure', name);
  }

  static {
    isPerformance = (value) => typeof value === 'object' && value !== null && #brand in value && value.#brand;
  }
}

export function installPerformance(global: object): void {
  defineHidden(global, 'Performance', bind(idl.Performance, Performance, isPerformance));
  const performance = new Performance();
  defineReplaceable(global, 'performance', () => performance);
  defineLazyInterfaces(global, part, [
    ...['PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
    ...['PerformanceObserver', 'PerformanceObserverEntryList'],
  ]);
}
