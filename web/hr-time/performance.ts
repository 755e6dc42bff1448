// https://w3c.github.io/hr-time/#sec-performance

import { EventTarget } from '../dom/event-target.ts';
import { natives } from '../natives.ts';
import { defineInterface, defineReplaceable } from '../webidl/define.ts';

const internal = Symbol('internal');

export class Performance extends EventTarget {
  // Only there for the brand check.
  #brand = true;

  constructor(token?: unknown) {
    if (token !== internal) throw new TypeError('Illegal constructor');
    super();
  }

  now(): number {
    void this.#brand;
    return natives.now();
  }
  get timeOrigin(): number {
    void this.#brand;
    return natives.timeOrigin();
  }
  toJSON(): { timeOrigin: number } {
    return { timeOrigin: this.timeOrigin };
  }
}

export function installPerformance(global: object): void {
  defineInterface(global, Performance, 'Performance', { '': 0 });
  const performance = new Performance(internal);
  defineReplaceable(global, 'performance', () => performance);
}
