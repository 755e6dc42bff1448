// The two contracts in which a plug-in gets a Request and gives a Response: a listener of "fetch" events, as in service
// workers, and a module whose default export has a function `fetch(request, env, context)`.
import type { AbortSignal } from '../../web/dom/abort.ts';
import { createAbortSignal, signalAbort } from '../../web/dom/abort.ts';
import { defineEventHandler } from '../../web/dom/event-handler.ts';
import { dispatch, type EventTarget, hasListeners } from '../../web/dom/event-target.ts';
import type { BodySource } from '../../web/fetch/body-source.ts';
import { createRequest, type Request } from '../../web/fetch/request.ts';
import { isResponse, type ResponseState, responseState } from '../../web/fetch/response.ts';
import { reportException } from '../../web/html/report-exception.ts';
import { parseURL } from '../../web/url/url.ts';
import { DOMException } from '../../web/webidl/dom-exception.ts';
import { answerOf, createFetchEvent, installFetchEvent, isAnswered, watch } from './fetch-event.ts';
import { HeaderText } from './header-text.ts';
import { natives, writeGone, writeReady } from './natives.ts';
import { getConfig } from './valor-global.ts';

export interface Module {
  fetch(request: Request, env: object, context: Context): unknown;
}

/** The third argument of a module's fetch function. */
class Context {
  waitUntil(work: unknown): void {
    watch(work);
  }
  /** Departure: there is nothing to pass a request on to. */
  passThroughOnException(): void {}
}

const headerText = new HeaderText();
const scope = globalThis as unknown as EventTarget;

let module: Module | null = null;
let env: object = {};

// What is under way for calls, where there is anything. Most calls are answered before any of it is needed.
const signals = new Map<number, AbortSignal>();
const bodyReaders = new Map<number, () => void>();
const bodyWriters = new Map<number, (gone: boolean) => void>();
const sources = new Map<number, BodySource>();

/** From now on `answerer` gets the requests; null: the listeners. */
export function answerBy(answerer: Module | null): void {
  module = answerer;
}

export function chooseModule(namespace: Record<string, unknown> | undefined): boolean {
  const candidate = namespace?.default as Partial<Module> | null | undefined;
  if ((typeof candidate !== 'object' && typeof candidate !== 'function') || candidate === null) return false;
  if (typeof candidate.fetch !== 'function') return false;
  answerBy(candidate as Module);
  const config = getConfig();
  if (typeof config === 'object' && config !== null) env = { ...config };
  return true;
}

export function listensToFetch(): boolean {
  return hasListeners(scope, 'fetch');
}

// --- requests ---

function signalOf(call: number): AbortSignal {
  const signal = createAbortSignal();
  signals.set(call, signal);
  return signal;
}

/** The body of a call's request, read as slowly as the plug-in likes. */
function sourceOfCall(call: number): BodySource {
  return {
    read() {
      const piece = natives.readBody(call);
      if (piece === false) throw new TypeError("The request's body broke off");
      return piece;
    },
    ready: () => new Promise((resolve) => bodyReaders.set(call, resolve)),
    cancel() {
      bodyReaders.delete(call);
    },
  };
}

export function onBodyReady(call: number): void {
  const reader = bodyReaders.get(call);
  bodyReaders.delete(call);
  reader?.();
}

export function onFetch(
  call: number,
  rawUrl: string,
  unserialized: boolean,
  method: string,
  flatHeaders: string,
  hasBody: boolean,
): void {
  let url = rawUrl;
  if (unserialized) {
    try {
      url = parseURL(rawUrl).href;
    } catch (error) {
      natives.failCall(call, "The request's address is not a valid URL", error);
      return;
    }
  }
  const body = hasBody ? sourceOfCall(call) : null;
  const request = createRequest({ url, method, flatHeaders, body, signalFactory: () => signalOf(call) });
  let answer: unknown;
  try {
    answer = module === null ? dispatchFetch(request) : module.fetch(request, env, new Context());
  } catch (error) {
    natives.failCall(call, 'The plug-in threw an error', error);
    return;
  }
  if (isResponse(answer)) {
    send(call, method, answer);
    return;
  }
  Promise.resolve(answer).then(
    (response) => send(call, method, response),
    (error) => natives.failCall(call, 'The plug-in threw an error', error),
  );
}

/** What the listeners answer. Throws what a listener threw, unless another one answers. */
function dispatchFetch(request: Request): unknown {
  const event = createFetchEvent(request);
  const errors: unknown[] = [];
  dispatch(scope, event, { returned() {}, threw: (error) => errors.push(error) });
  if (!isAnswered(event)) {
    if (errors.length > 0) throw errors[0];
    throw new TypeError('No listener of the fetch event called respondWith()');
  }
  for (const error of errors) reportException(error);
  return answerOf(event);
}

// --- responses ---

function send(call: number, method: string, response: unknown): void {
  let state: ResponseState;
  try {
    if (!isResponse(response)) throw new TypeError("The plug-in's answer is not a Response");
    state = responseState(response);
    if (state.status === 0) throw new TypeError("The plug-in's answer is an error response");
  } catch (error) {
    natives.failCall(call, 'The plug-in gave no usable Response', error);
    return;
  }
  const { status, headers, body } = state;
  const joined = headerText.join(headers);
  if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
    natives.sendResponse(call, status, joined, body);
    signals.delete(call);
    return;
  }
  if (!natives.startResponse(call, status, joined)) {
    cancel(body, new DOMException('The client left', 'AbortError'));
  } else if (method === 'HEAD') {
    natives.finishBody(call);
    cancel(body, undefined);
  } else {
    pump(call, body);
  }
}

function cancel(source: BodySource, reason: unknown): void {
  watch((async () => source.cancel(reason))());
}

/** Writes a body piece by piece, each when the one before is on its way. */
async function pump(call: number, source: BodySource): Promise<void> {
  sources.set(call, source);
  let gone = false;
  try {
    for (let piece = source.read(); piece !== null; piece = source.read()) {
      if (piece === undefined) {
        await source.ready?.();
        continue;
      }
      const status = natives.writeBody(call, piece);
      if (status === writeReady) continue;
      gone = status === writeGone || (await untilWritable(call));
      if (gone) return;
    }
    natives.finishBody(call);
  } catch (error) {
    natives.failCall(call, "The plug-in's response broke off", error);
  } finally {
    // A write may find out that the client has left before onDropped() is told, which cancels the source.
    if (!gone) {
      sources.delete(call);
      signals.delete(call);
    }
  }
}

/** Resolves with whether the client has left. */
function untilWritable(call: number): Promise<boolean> {
  return new Promise((resolve) => bodyWriters.set(call, resolve));
}

export function onWritable(call: number): void {
  const writer = bodyWriters.get(call);
  bodyWriters.delete(call);
  writer?.(false);
}

export function onDropped(call: number, timedOut: boolean): void {
  const writer = bodyWriters.get(call);
  bodyWriters.delete(call);
  writer?.(true);
  onBodyReady(call);
  const signal = signals.get(call);
  const source = sources.get(call);
  if (!signal && !source) return;
  signals.delete(call);
  sources.delete(call);
  const reason = timedOut
    ? new DOMException('The plug-in did not answer in time', 'TimeoutError')
    : new DOMException('The client left', 'AbortError');
  if (signal) signalAbort(signal, reason);
  if (source) cancel(source, reason);
}

export function installFetchStyle(global: object): void {
  installFetchEvent(global);
  defineEventHandler(global, 'fetch');
}
