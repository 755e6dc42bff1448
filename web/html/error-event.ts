// https://html.spec.whatwg.org/multipage/webappapis.html#the-errorevent-interface
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { Event, type EventInit } from '../dom/event.ts';
import { requireArguments, toDictionary, toDOMString, toUSVString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';

export interface ErrorEventInit extends EventInit {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  error?: unknown;
}

export class ErrorEvent extends Event {
  #message: string;
  #filename: string;
  #lineno: number;
  #colno: number;
  #error: unknown;

  constructor(type: string, init?: ErrorEventInit | null) {
    requireArguments(arguments.length, 1, 'ErrorEvent');
    super(type, init);
    const { message = '', filename = '', lineno = 0, colno = 0, error } = toDictionary(init, "The event's init");
    this.#message = toDOMString(message);
    this.#filename = toUSVString(filename);
    this.#lineno = Number(lineno) >>> 0;
    this.#colno = Number(colno) >>> 0;
    this.#error = error;
  }

  get message(): string {
    return this.#message;
  }
  get filename(): string {
    return this.#filename;
  }
  get lineno(): number {
    return this.#lineno;
  }
  get colno(): number {
    return this.#colno;
  }
  get error(): unknown {
    return this.#error;
  }
}

export function installErrorEvent(global: object): void {
  defineInterface(global, ErrorEvent, 'ErrorEvent', { '': 1 });
}
