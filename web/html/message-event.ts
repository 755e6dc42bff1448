// https://html.spec.whatwg.org/multipage/comms.html#the-messageevent-interface
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { createdAt, Event, type EventInit, trusted } from '../dom/event.ts';
import type { EventTarget } from '../dom/event-target.ts';
import { requireArguments, toDictionary, toDOMString, toSequence, toUSVString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';

export interface MessageEventInit extends EventInit {
  data?: unknown;
  origin?: string;
  lastEventId?: string;
  source?: EventTarget | null;
  ports?: Iterable<unknown>;
}

const noPorts: readonly unknown[] = Object.freeze([]);

/** A message from the runtime; it came when natives.now() was `timeStamp`. */
export let createMessageEvent: (
  data: unknown,
  timeStamp?: number,
  origin?: string,
  ports?: readonly unknown[],
) => MessageEvent;

export class MessageEvent extends Event {
  #data: unknown = null;
  #origin = '';
  #lastEventId = '';
  #source: EventTarget | null = null;
  #ports = noPorts;

  constructor(type: string, init?: MessageEventInit | null) {
    requireArguments(arguments.length, 1, 'MessageEvent');
    super(type, init);
    if (init === undefined) return;
    const { data = null, origin = '', lastEventId = '', source = null, ports } = toDictionary(init, "The event's init");
    this.#data = data;
    this.#origin = toUSVString(origin);
    this.#lastEventId = toDOMString(lastEventId);
    this.#source = source;
    if (ports !== undefined) this.#ports = Object.freeze(toSequence(ports, "'ports'"));
  }

  get data(): unknown {
    return this.#data;
  }
  get origin(): string {
    return this.#origin;
  }
  get lastEventId(): string {
    return this.#lastEventId;
  }
  get source(): EventTarget | null {
    return this.#source;
  }
  get ports(): readonly unknown[] {
    return this.#ports;
  }

  initMessageEvent(
    type: string,
    bubbles = false,
    cancelable = false,
    data: unknown = null,
    origin = '',
    lastEventId = '',
    source: EventTarget | null = null,
    ports: Iterable<unknown> = [],
  ): void {
    requireArguments(arguments.length, 1, 'initMessageEvent');
    if (this.eventPhase !== 0) return;
    this.initEvent(type, bubbles, cancelable);
    this.#data = data;
    this.#origin = toUSVString(origin);
    this.#lastEventId = toDOMString(lastEventId);
    this.#source = source;
    this.#ports = Object.freeze(toSequence(ports, "'ports'"));
  }

  static {
    createMessageEvent = (data, timeStamp, origin = '', ports = noPorts) => {
      const event = trusted(createdAt(timeStamp, () => new MessageEvent('message')));
      event.#data = data;
      event.#origin = origin;
      event.#ports = ports;
      return event;
    };
  }
}

export function installMessageEvent(global: object): void {
  defineInterface(global, MessageEvent, 'MessageEvent', { '': 1 });
}
