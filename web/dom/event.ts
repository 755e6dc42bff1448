// https://dom.spec.whatwg.org/#interface-event
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { natives } from '../natives.ts';
import { requireArguments, toDictionary, toDOMString } from '../webidl/conversions.ts';
import { defineConstants, defineInterface } from '../webidl/define.ts';
import type { EventTarget } from './event-target.ts';

export interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

const stopPropagationFlag = 1;
const stopImmediatePropagationFlag = 2;
const canceledFlag = 4;
const inPassiveListenerFlag = 8;
const dispatchFlag = 16;
const bubblesFlag = 32;
const cancelableFlag = 64;
const composedFlag = 128;
const trustedFlag = 256;

const atTarget = 2;

// What dispatch (event-target.ts) and the creators of trusted events need of an event's insides.
export let beginDispatch: (event: Event, target: EventTarget) => boolean;
export let endDispatch: (event: Event) => void;
export let isStopped: (event: Event) => boolean;
export let isCanceled: (event: Event) => boolean;
export let setInPassiveListener: (event: Event, passive: boolean) => void;
export let setTrusted: (event: Event, trusted: boolean) => void;

// The time of events that are created for something that happened earlier.
let timeOfCreation: number | undefined;
let madeByRuntime = false;
const isTrustedAttributes: PropertyDescriptor = { enumerable: true, configurable: false };

/** Creates an event of the runtime for what happened when natives.now() was `time`; undefined: now. */
export function createdAt<T extends Event>(time: number | undefined, create: () => T): T {
  timeOfCreation = time;
  madeByRuntime = true;
  const event = create();
  timeOfCreation = undefined;
  madeByRuntime = false;
  return event;
}

export class Event {
  #type: string;
  #flags = 0;
  #phase = 0;
  #target: EventTarget | null = null;
  #timeStamp = timeOfCreation ?? natives.now();

  constructor(type: string, init?: EventInit | null) {
    requireArguments(arguments.length, 1, 'Event');
    this.#type = toDOMString(type);
    if (init !== undefined) {
      const { bubbles, cancelable, composed } = toDictionary(init, "The event's init");
      this.#flags = (bubbles ? bubblesFlag : 0) | (cancelable ? cancelableFlag : 0) | (composed ? composedFlag : 0);
    }
    if (!madeByRuntime) Object.defineProperty(this, 'isTrusted', isTrustedAttributes);
  }

  get type(): string {
    return this.#type;
  }
  get target(): EventTarget | null {
    return this.#target;
  }
  get srcElement(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#phase === 0 ? null : this.#target;
  }
  composedPath(): EventTarget[] {
    return this.#phase === 0 || this.#target === null ? [] : [this.#target];
  }

  get eventPhase(): number {
    return this.#phase;
  }
  stopPropagation(): void {
    this.#flags |= stopPropagationFlag;
  }
  get cancelBubble(): boolean {
    return (this.#flags & stopPropagationFlag) !== 0;
  }
  set cancelBubble(stop: boolean) {
    if (stop) this.#flags |= stopPropagationFlag;
  }
  stopImmediatePropagation(): void {
    this.#flags |= stopPropagationFlag | stopImmediatePropagationFlag;
  }

  get bubbles(): boolean {
    return (this.#flags & bubblesFlag) !== 0;
  }
  get cancelable(): boolean {
    return (this.#flags & cancelableFlag) !== 0;
  }
  get returnValue(): boolean {
    return (this.#flags & canceledFlag) === 0;
  }
  set returnValue(value: boolean) {
    if (!value) this.preventDefault();
  }
  preventDefault(): void {
    if ((this.#flags & (cancelableFlag | inPassiveListenerFlag)) === cancelableFlag) this.#flags |= canceledFlag;
  }
  get defaultPrevented(): boolean {
    return (this.#flags & canceledFlag) !== 0;
  }
  get composed(): boolean {
    return (this.#flags & composedFlag) !== 0;
  }

  // Departure: events that the runtime makes have it on the prototype only, because the unforgeable property on the event
  // itself, which the standard asks for, makes events slow to create.
  get isTrusted(): boolean {
    return (this.#flags & trustedFlag) !== 0;
  }
  get timeStamp(): number {
    return this.#timeStamp;
  }

  initEvent(type: string, bubbles = false, cancelable = false): void {
    requireArguments(arguments.length, 1, 'initEvent');
    if (this.#flags & dispatchFlag) return;
    this.#type = toDOMString(type);
    this.#flags = (bubbles ? bubblesFlag : 0) | (cancelable ? cancelableFlag : 0);
    this.#target = null;
  }

  static {
    beginDispatch = (event, target) => {
      if (event.#flags & dispatchFlag) return false;
      event.#flags |= dispatchFlag;
      event.#target = target;
      event.#phase = atTarget;
      return true;
    };
    const { get } = Object.getOwnPropertyDescriptor(Event.prototype, 'isTrusted') as PropertyDescriptor;
    Object.defineProperty(get, 'name', { value: 'get isTrusted' });
    isTrustedAttributes.get = get as () => boolean;
    endDispatch = (event) => {
      event.#flags &= ~(dispatchFlag | stopPropagationFlag | stopImmediatePropagationFlag);
      event.#phase = 0;
    };
    isStopped = (event) => (event.#flags & stopImmediatePropagationFlag) !== 0;
    isCanceled = (event) => (event.#flags & canceledFlag) !== 0;
    setInPassiveListener = (event, passive) => {
      if (passive) event.#flags |= inPassiveListenerFlag;
      else event.#flags &= ~inPassiveListenerFlag;
    };
    setTrusted = (event, trusted) => {
      if (trusted) event.#flags |= trustedFlag;
      else event.#flags &= ~trustedFlag;
    };
  }
}

/** Marks an event as made by the runtime. */
export function trusted<T extends Event>(event: T): T {
  setTrusted(event, true);
  return event;
}

export function installEvent(global: object): void {
  defineInterface(global, Event, 'Event', { '': 1 });
  defineConstants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
}
