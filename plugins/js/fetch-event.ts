// The event of service workers: https://w3c.github.io/ServiceWorker/#fetchevent-interface
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */
import { createdAt, Event, type EventInit, trusted } from '../../web/dom/event.ts';
import { isRequest, type Request } from '../../web/fetch/request.ts';
import { reportException } from '../../web/html/report-exception.ts';
import { requireArguments, toDictionary } from '../../web/webidl/conversions.ts';
import { defineInterface } from '../../web/webidl/define.ts';
import { DOMException } from '../../web/webidl/dom-exception.ts';

export interface FetchEventInit extends EventInit {
  request: Request;
}

/** What happens to a promise that a plug-in wants to be waited for: its errors are not lost. */
export function watch(work: unknown): void {
  Promise.resolve(work).catch(reportException);
}

/** The promise that respondWith() was given; undefined when it was not called. */
export let answerOf: (event: FetchEvent) => unknown;
/** Whether respondWith() was called. */
export let isAnswered: (event: FetchEvent) => boolean;

export class ExtendableEvent extends Event {
  waitUntil(work: unknown): void {
    requireArguments(arguments.length, 1, 'waitUntil');
    watch(work);
  }
}

export class FetchEvent extends ExtendableEvent {
  #request: Request;
  #answered = false;
  #answer: unknown;

  constructor(type: string, init: FetchEventInit) {
    requireArguments(arguments.length, 2, 'FetchEvent');
    super(type, init);
    const { request } = toDictionary(init, "The event's init");
    if (!isRequest(request)) throw new TypeError("The event's init has no Request");
    this.#request = request;
  }

  get request(): Request {
    return this.#request;
  }
  get clientId(): string {
    void this.#request;
    return '';
  }
  get resultingClientId(): string {
    void this.#request;
    return '';
  }

  respondWith(answer: unknown): void {
    requireArguments(arguments.length, 1, 'respondWith');
    if (this.eventPhase === 0) throw new DOMException('The event is not being dispatched', 'InvalidStateError');
    if (this.#answered) throw new DOMException('respondWith() was called before', 'InvalidStateError');
    this.#answered = true;
    this.#answer = answer;
    this.stopImmediatePropagation();
  }

  static {
    answerOf = (event) => event.#answer;
    isAnswered = (event) => event.#answered;
  }
}

export function createFetchEvent(request: Request): FetchEvent {
  return trusted(createdAt(undefined, () => new FetchEvent('fetch', { request, cancelable: true })));
}

export function installFetchEvent(global: object): void {
  defineInterface(global, ExtendableEvent, 'ExtendableEvent');
  defineInterface(global, FetchEvent, 'FetchEvent');
}
