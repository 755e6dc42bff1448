// https://w3c.github.io/hr-time/#sec-performance with what https://w3c.github.io/user-timing/ and
// https://w3c.github.io/performance-timeline/ add.

import * as idl from 'valor-idl';
import { EventTarget } from '../dom/event-target.ts';
import { natives } from '../natives.ts';
import { bind } from '../webidl/bind.ts';
import { clearEntries, findEntries, mark, measure } from './timeline.ts';

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
    return findEntries();
  }
  getEntriesByType(type: string): object[] {
    return findEntries(undefined, type);
  }
  getEntriesByName(name: string, type?: string): object[] {
    return findEntries(name, type);
  }

  mark(name: string, options: object): object {
    return mark(name, options);
  }
  measure(name: string, options: string | object, endMark?: string): object {
    return measure(name, options, endMark);
  }
  clearMarks(name?: string): void {
    clearEntries('mark', name);
  }
  clearMeasures(name?: string): void {
    clearEntries('measure', name);
  }

  static {
    isPerformance = (value) => typeof value === 'object' && value !== null && #brand in value && value.#brand;
  }
}

export const PerformanceInterface = bind(idl.Performance, Performance, isPerformance);
export const performance = new Performance();
