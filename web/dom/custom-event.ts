// https://dom.spec.whatwg.org/#interface-customevent
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { requireArguments } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { Event, type EventInit } from './event.ts';

export interface CustomEventInit extends EventInit {
  detail?: unknown;
}

export class CustomEvent extends Event {
  #detail: unknown;

  constructor(type: string, init?: CustomEventInit | null) {
    requireArguments(arguments.length, 1, 'CustomEvent');
    super(type, init);
    this.#detail = init?.detail ?? null;
  }

  get detail(): unknown {
    return this.#detail;
  }

  initCustomEvent(type: string, bubbles = false, cancelable = false, detail: unknown = null): void {
    requireArguments(arguments.length, 1, 'initCustomEvent');
    if (this.eventPhase !== 0) return;
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}

export function installCustomEvent(global: object): void {
  defineInterface(global, CustomEvent, 'CustomEvent', { '': 1 });
}
