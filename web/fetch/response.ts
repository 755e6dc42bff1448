// https://fetch.spec.whatwg.org/#response-class
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { registerInspector } from '../console/inspectors.ts';
import { location } from '../html/location.ts';
import type { ReadableStream } from '../streams/streams.ts';
import { parseURL } from '../url/url.ts';
import { requireArguments, toByteString, toDictionary, toUnsignedShort, toUSVString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import * as bodies from './body.ts';
import type { BodySource, Bytes } from './body-source.ts';
import { type HeaderList, listGet, listHas } from './header-list.ts';
import { createHeaders, fillHeaderList, type Headers, type HeadersGuard, type HeadersInit } from './headers.ts';

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

export type ResponseType = 'basic' | 'cors' | 'default' | 'error' | 'opaque' | 'opaqueredirect';

/** What the runtime sends of a response. */
export interface ResponseState {
  status: number;
  statusText: string;
  /** name, value, name, value, ...: names lower-case, all valid. Borrowed from the response: not to be changed. */
  headers: HeaderList;
  /** Text is to be sent as UTF-8. The bytes belong to the caller. */
  body: null | string | Bytes | BodySource;
}

/** What fetch() got. */
export interface FetchedParts {
  /** Without fragment. */
  url: string;
  redirected: boolean;
  type: ResponseType;
  status: number;
  statusText: string;
  /** From now on the response's. */
  headers: HeaderList;
  body: null | Bytes | BodySource;
  /** Content that nobody may see, which is there for as long as the response is. */
  hidden: null | Bytes | BodySource;
}

// https://httpwg.org/specs/rfc9112.html#status.line: reason-phrase
const reasonPhrase = /^[\t\x20-\x7e\x80-\xff]*$/;

const hiddenContents = new WeakMap<object, Bytes | BodySource>();

export function isNullBodyStatus(status: number): boolean {
  return status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
}

/**
 * Takes the body out of a response and gives all there is to send. Throws a TypeError when the body was used before,
 * or when `value` is no Response.
 */
export let responseState: (value: Response) => ResponseState;
/** What is known of it without its body; the headers are borrowed. */
export let responseHead: (response: Response) => {
  status: number;
  type: ResponseType;
  url: string;
  headers: HeaderList;
};
export let createFetchedResponse: (parts: FetchedParts) => Response;
export let isResponse: (value: unknown) => value is Response;

export class Response {
  #status = 200;
  #statusText = '';
  #type: ResponseType = 'default';
  #url = '';
  #redirected = false;
  #list: HeaderList;
  #guard: HeadersGuard = 'response';
  #headers: Headers | null = null;
  #body: bodies.Body | null = null;

  constructor(body?: unknown, init?: ResponseInit | null) {
    const list: HeaderList = [];
    this.#list = list;
    // https://fetch.spec.whatwg.org/#initialize-a-response
    if (init !== undefined && init !== null) {
      const { status, statusText, headers } = toDictionary(init, "The response's init");
      if (headers !== undefined) fillHeaderList(list, headers, 'response');
      if (status !== undefined) {
        this.#status = toUnsignedShort(status);
        if (this.#status < 200 || this.#status > 599) {
          throw new RangeError(`The status ${this.#status} is not in the range 200 to 599`);
        }
      }
      if (statusText !== undefined) {
        this.#statusText = toByteString(statusText);
        if (!reasonPhrase.test(this.#statusText)) throw new TypeError('The status text has invalid characters');
      }
    }
    if (body === undefined || body === null) return;
    const extracted = bodies.extractBody(body);
    if (isNullBodyStatus(this.#status)) throw new TypeError(`A response with status ${this.#status} has no body`);
    this.#body = extracted.body;
    if (extracted.type !== null && !listHas(list, 'content-type')) list.push('content-type', extracted.type);
  }

  static error(): Response {
    const response = new Response();
    response.#type = 'error';
    response.#status = 0;
    response.#guard = 'immutable';
    return response;
  }

  static redirect(url: string, status: number = 302): Response {
    requireArguments(arguments.length, 1, 'Response.redirect');
    const { href } = parseURL(toUSVString(url), location.href);
    const code = toUnsignedShort(status);
    if (![301, 302, 303, 307, 308].includes(code)) throw new RangeError(`${code} is not a redirect status`);
    const response = new Response(null);
    response.#status = code;
    response.#guard = 'immutable';
    response.#list.push('location', href);
    return response;
  }

  static json(data: unknown, init?: ResponseInit | null): Response {
    requireArguments(arguments.length, 1, 'Response.json');
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('The data is not serializable as JSON');
    const response = new Response(null, init);
    if (isNullBodyStatus(response.#status)) {
      throw new TypeError(`A response with status ${response.#status} has no body`);
    }
    response.#body = bodies.createBody(text);
    if (!listHas(response.#list, 'content-type')) response.#list.push('content-type', 'application/json');
    return response;
  }

  get type(): ResponseType {
    return this.#type;
  }
  get url(): string {
    return this.#url;
  }
  get redirected(): boolean {
    return this.#redirected;
  }
  get status(): number {
    return this.#status;
  }
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }
  get statusText(): string {
    return this.#statusText;
  }
  get headers(): Headers {
    this.#headers ??= createHeaders(this.#list, this.#guard);
    return this.#headers;
  }

  get body(): ReadableStream | null {
    return this.#body && bodies.bodyStream(this.#body);
  }
  get bodyUsed(): boolean {
    return bodies.bodyUsed(this.#body);
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await bodies.consumeBytes(bodies.intact(this.#body))).buffer;
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return bodies.consumeBytes(bodies.intact(this.#body));
  }
  async blob(): Promise<object> {
    return bodies.consumeBlob(bodies.intact(this.#body), listGet(this.#list, 'content-type') ?? '');
  }
  async formData(): Promise<object> {
    return bodies.consumeFormData(bodies.intact(this.#body), listGet(this.#list, 'content-type') ?? '');
  }
  async json(): Promise<unknown> {
    return JSON.parse(await bodies.consumeText(bodies.intact(this.#body)));
  }
  async text(): Promise<string> {
    return bodies.consumeText(bodies.intact(this.#body));
  }

  clone(): Response {
    if (bodies.isUnusable(this.#body)) throw new TypeError('The body has already been used');
    const copy = new Response();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#list = [...this.#list];
    copy.#guard = this.#guard;
    copy.#body = bodies.cloneBody(this.#body);
    return copy;
  }

  static {
    responseState = (response) => ({
      status: response.#status,
      statusText: response.#statusText,
      headers: response.#list,
      body: response.#body && bodies.takeBody(response.#body),
    });
    responseHead = (response) => ({
      status: response.#status,
      type: response.#type,
      url: response.#url,
      headers: response.#list,
    });
    createFetchedResponse = (parts) => {
      const response = new Response();
      response.#type = parts.type;
      response.#url = parts.url;
      response.#redirected = parts.redirected;
      response.#status = parts.status;
      response.#statusText = parts.statusText;
      response.#list = parts.headers;
      response.#guard = 'immutable';
      response.#body = parts.body && bodies.createBody(parts.body);
      if (parts.hidden) hiddenContents.set(response, parts.hidden);
      return response;
    };
    isResponse = (value): value is Response => typeof value === 'object' && value !== null && #list in value;
  }
}

export function installResponse(global: object): void {
  defineInterface(global, Response, 'Response', { '': 0, 'static json': 1 });
  registerInspector(Response.prototype, (response: Response) => [
    ...((response.url === '' ? [] : [['url', response.url]]) as [string, unknown][]),
    ['status', response.status],
    ['statusText', response.statusText],
    ['headers', response.headers],
    ['type', response.type],
    ['bodyUsed', response.bodyUsed],
  ]);
}
