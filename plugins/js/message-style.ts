// The message contract: a "message" event brings a request, postMessage() takes its response.
import { dispatch, type EventTarget, hasListeners } from '../../web/dom/event-target.ts';
import { createMessageEvent } from '../../web/html/message-event.ts';
import { cloneWith, type StructuredSerializeOptions } from '../../web/html/structured-clone.ts';
import { checkGlobal, defineOperation } from '../../web/webidl/define.ts';
import { HeaderText } from './header-text.ts';
import { natives, type ResponseBody } from './natives.ts';

const { isArray } = Array;
const { getPrototypeOf, prototype: objectPrototype } = Object;
const { isView } = ArrayBuffer;

const headerText = new HeaderText();

/** A request, its headers as name and value in turn, goes to the listeners. */
export function onMessage(
  timeStamp: number,
  url: string,
  method: string,
  body: ArrayBuffer | null,
  ...parts: string[]
): void {
  const headers: [string, string][] = [];
  for (let at = 0; at < parts.length; at += 2) headers[at >> 1] = [parts[at]!, parts[at + 1]!];
  dispatch(globalThis as unknown as EventTarget, createMessageEvent({ url, method, headers, body }, timeStamp));
}

export function listensToMessages(): boolean {
  return hasListeners(globalThis as unknown as EventTarget, 'message');
}

function isBody(value: unknown): value is ResponseBody {
  switch (typeof value) {
    case 'string':
    case 'undefined':
      return true;
    case 'object':
      return value === null || value instanceof ArrayBuffer || isView(value);
    default:
      return false;
  }
}

/** What kind of thing a value is, for a sentence. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'an array';
  const type = typeof value;
  return type === 'object' ? 'an object' : type === 'undefined' ? 'undefined' : `a ${type}`;
}

/**
 * Whether the message consists of nothing but what a response is made of. Cloning such a message could neither fail nor
 * change anything, so it is read as it is.
 */
function isPlainResponse(message: object): boolean {
  if (getPrototypeOf(message) !== objectPrototype) return false;
  for (const key in message) {
    if (key !== 'status' && key !== 'headers' && key !== 'body') return false;
  }
  return true;
}

/** Returns false when the parts are not what they should be. */
function respond(status: unknown, headers: unknown, body: unknown): boolean {
  if (!isBody(body)) return false;
  if (headers === undefined) {
    natives.respond(status, '', body);
    return true;
  }
  if (!isArray(headers)) return false;
  const joined = headerText.joinPairs(headers);
  if (joined === undefined) return false;
  natives.respond(status, joined, body);
  return true;
}

/** What is wrong with a message that respond() did not take. */
function explain(message: unknown): string {
  if (typeof message !== 'object' || message === null || isArray(message)) {
    return `a response is an object { status, headers, body }, not ${describe(message)}`;
  }
  const { headers, body } = message as Record<string, unknown>;
  if (!isBody(body)) return `a response's body is a string, an ArrayBuffer, a view or null, not ${describe(body)}`;
  if (!isArray(headers)) return `a response's headers are a list of [name, value] pairs, not ${describe(headers)}`;
  return "a response's headers are a list of [name, value] pairs of strings";
}

// https://html.spec.whatwg.org/multipage/workers.html#dom-dedicatedworkerglobalscope-postmessage
function postMessage(this: unknown, message: unknown, options?: Iterable<unknown> | StructuredSerializeOptions): void {
  checkGlobal(this);
  // biome-ignore lint/complexity/noArguments: Web IDL counts the arguments that were passed
  if (arguments.length === 0) throw new TypeError('postMessage needs an argument');
  if (options === undefined && typeof message === 'object' && message !== null && isPlainResponse(message)) {
    const { status, headers, body } = message as Record<string, unknown>;
    if (respond(status, headers, body)) return;
  }
  const transfer =
    options === undefined || options === null
      ? undefined
      : Symbol.iterator in options
        ? (options as Iterable<unknown>)
        : (options as StructuredSerializeOptions).transfer;
  const copy = cloneWith(message, transfer);
  if (typeof copy === 'object' && copy !== null && !isArray(copy)) {
    const { status, headers, body } = copy as Record<string, unknown>;
    if (respond(status, headers, body)) return;
  }
  natives.refuse(explain(copy));
}

export function installPostMessage(global: object): void {
  Object.defineProperty(postMessage, 'length', { value: 1 });
  defineOperation(global, 'postMessage', postMessage as never, true);
}
