// https://fetch.spec.whatwg.org/#request-class
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { registerInspector } from '../console/inspectors.ts';
import { type AbortSignal, createAbortSignal, createDependentSignal, isAbortSignal } from '../dom/abort.ts';
import { location } from '../html/location.ts';
import type { ReadableStream } from '../streams/streams.ts';
import { resolveObjectURL } from '../url/object-url.ts';
import { parseURL } from '../url/url.ts';
import { requireArguments, toByteString, toDictionary, toUSVString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import * as bodies from './body.ts';
import type { BodySource, Bytes } from './body-source.ts';
import { type HeaderList, listGet, listHas, parseFlatHeaders } from './header-list.ts';
import {
  appendAdmitted,
  createHeaders,
  fillHeaderList,
  type Headers,
  type HeadersGuard,
  type HeadersInit,
} from './headers.ts';
import { applyInit, defaultSettings, normalizeMethod, type RequestSettings } from './request-settings.ts';

export interface RequestInit extends Partial<RequestSettings> {
  method?: string;
  headers?: HeadersInit;
  body?: unknown;
  signal?: AbortSignal | null;
  duplex?: 'half';
  priority?: 'high' | 'low' | 'auto';
  window?: null;
}

/** A request as the runtime hands it to a plug-in. */
export interface RequestParts {
  /** Absolute and serialised. */
  url: string;
  /** Normalised. */
  method: string;
  /** "name\0value\0name\0value\0...", names lower-case, values as they came, one character a byte. */
  flatHeaders: string;
  body: BodySource | null;
  /** Called at most once, when somebody asks for the signal. */
  signalFactory: () => AbortSignal;
}

/** What fetch() takes out of a request. */
export interface RequestState {
  url: string;
  method: string;
  /** A copy. */
  headers: HeaderList;
  settings: RequestSettings;
  body: null | string | Bytes | BodySource;
  /** null: nobody can abort it. */
  signal: AbortSignal | null;
  /** https://url.spec.whatwg.org/#concept-url-blob-entry */
  blob: object | undefined;
}

const internal = Symbol('internal');

/** Makes the request that a plug-in is given. Its headers are immutable, as in a fetch event. */
export let createRequest: (parts: RequestParts) => Request;
/** Takes the body out of a request for good. Throws a TypeError when it was used before. */
export let requestState: (request: Request) => RequestState;
export let isRequest: (value: unknown) => value is Request;

export class Request {
  #url: string;
  #method: string;
  #flatHeaders: string | null = null;
  #list: HeaderList | null = null;
  #guard: HeadersGuard = 'request';
  #headers: Headers | null = null;
  #body: bodies.Body | null = null;
  #signal: AbortSignal | (() => AbortSignal) = createAbortSignal;
  #settings: RequestSettings = defaultSettings;
  #blob: object | undefined;

  constructor(input: Request | string, init?: RequestInit | null) {
    if ((init as unknown) === internal) {
      const parts = input as unknown as RequestParts;
      this.#url = parts.url;
      this.#method = parts.method;
      this.#flatHeaders = parts.flatHeaders;
      this.#guard = 'immutable';
      if (parts.body) this.#body = bodies.createBody(parts.body);
      this.#signal = parts.signalFactory;
      return;
    }
    requireArguments(arguments.length, 1, 'Request');
    const options = toDictionary(init, "The request's init");
    const source = isRequest(input) ? input : null;
    if (source) {
      this.#url = source.#url;
      this.#method = source.#method;
      this.#settings = source.#settings;
      this.#blob = source.#blob;
    } else {
      const url = parseURL(toUSVString(input), location.href);
      if (url.username !== '' || url.password !== '') throw new TypeError("The request's URL has credentials in it");
      this.#url = url.href;
      if (url.protocol === 'blob:') this.#blob = resolveObjectURL(url.href.replace(/#.*$/, ''));
      this.#method = 'GET';
    }
    this.#settings = applyInit(this.#settings, options);
    if (options.method !== undefined) this.#method = normalizeMethod(toByteString(options.method));
    this.#takeSignal(source, options.signal);
    this.#takeHeaders(source, options.headers);
    this.#takeBody(source, options.body, options.duplex);
  }

  #takeSignal(source: Request | null, given: AbortSignal | null | undefined): void {
    if (given === undefined) {
      // Lazily: most copies of a request are never asked for a signal.
      if (source) this.#signal = () => createDependentSignal([source.signal]);
      return;
    }
    if (given === null) return;
    if (!isAbortSignal(given)) throw new TypeError("'signal' is not an AbortSignal");
    this.#signal = createDependentSignal([given]);
  }

  #takeHeaders(source: Request | null, given: HeadersInit | undefined): void {
    const list: HeaderList = [];
    if (this.#settings.mode === 'no-cors') {
      if (!['GET', 'HEAD', 'POST'].includes(this.#method)) throw new TypeError(`'${this.#method}' needs CORS`);
      this.#guard = 'request-no-cors';
    }
    if (given !== undefined) fillHeaderList(list, given, this.#guard);
    else if (source) appendAdmitted(list, source.#headerList, this.#guard);
    if (this.#guard !== 'request-no-cors') {
      this.#list = list;
      return;
    }
    this.#list = [];
    for (let i = 0; i < list.length; i += 2) this.headers.append(list[i] as string, list[i + 1] as string);
  }

  #takeBody(source: Request | null, given: unknown, duplex: unknown): void {
    const hasInput = source !== null && source.#body !== null;
    const hasInit = given !== undefined && given !== null;
    if ((hasInit || hasInput) && (this.#method === 'GET' || this.#method === 'HEAD')) {
      throw new TypeError(`A request with method ${this.#method} has no body`);
    }
    if (hasInit) {
      const { body, type } = bodies.extractBody(given);
      if (body.stream && duplex === undefined) throw new TypeError("A request with a stream as body needs 'duplex'");
      if (body.stream && this.#settings.mode === 'no-cors') {
        throw new TypeError("A request with a stream as body needs the mode 'cors' or 'same-origin'");
      }
      this.#body = body;
      if (type !== null && !listHas(this.#headerList, 'content-type')) this.headers.append('content-type', type);
      if (hasInput) bodies.disturb(source.#body as bodies.Body);
      return;
    }
    if (!hasInput) return;
    if (bodies.isUnusable(source.#body)) throw new TypeError('The body has already been used');
    // https://fetch.spec.whatwg.org/#dom-request step 41: the input's body moves to this request.
    this.#body = bodies.moveBody(source.#body as bodies.Body);
  }

  get #headerList(): HeaderList {
    if (this.#list === null) {
      this.#list = parseFlatHeaders(this.#flatHeaders ?? '');
      this.#flatHeaders = null;
    }
    return this.#list;
  }

  get method(): string {
    return this.#method;
  }
  get url(): string {
    return this.#url;
  }
  get headers(): Headers {
    this.#headers ??= createHeaders(this.#headerList, this.#guard);
    return this.#headers;
  }
  get destination(): string {
    void this.#url;
    return '';
  }
  get referrer(): string {
    return this.#settings.referrer;
  }
  get referrerPolicy(): string {
    return this.#settings.referrerPolicy;
  }
  get mode(): string {
    return this.#settings.mode;
  }
  get credentials(): string {
    return this.#settings.credentials;
  }
  get cache(): string {
    return this.#settings.cache;
  }
  get redirect(): string {
    return this.#settings.redirect;
  }
  get integrity(): string {
    return this.#settings.integrity;
  }
  get keepalive(): boolean {
    return this.#settings.keepalive;
  }
  get isReloadNavigation(): boolean {
    void this.#url;
    return false;
  }
  get isHistoryNavigation(): boolean {
    void this.#url;
    return false;
  }
  get signal(): AbortSignal {
    if (typeof this.#signal === 'function') this.#signal = this.#signal();
    return this.#signal;
  }
  get duplex(): 'half' {
    void this.#url;
    return 'half';
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
    return bodies.consumeBlob(bodies.intact(this.#body), listGet(this.#headerList, 'content-type') ?? '');
  }
  async formData(): Promise<object> {
    return bodies.consumeFormData(bodies.intact(this.#body), listGet(this.#headerList, 'content-type') ?? '');
  }
  async json(): Promise<unknown> {
    return JSON.parse(await bodies.consumeText(bodies.intact(this.#body)));
  }
  async text(): Promise<string> {
    return bodies.consumeText(bodies.intact(this.#body));
  }

  clone(): Request {
    if (bodies.isUnusable(this.#body)) throw new TypeError('The body has already been used');
    const parts: RequestParts = {
      url: this.#url,
      method: this.#method,
      flatHeaders: '',
      body: null,
      signalFactory: () => createDependentSignal([this.signal]),
    };
    const copy = createRequest(parts);
    copy.#list = [...this.#headerList];
    copy.#guard = this.#guard;
    copy.#settings = this.#settings;
    copy.#blob = this.#blob;
    copy.#body = bodies.cloneBody(this.#body);
    return copy;
  }

  static {
    createRequest = (parts) => new Request(parts as never, internal as never);
    requestState = (request) => ({
      url: request.#url,
      method: request.#method,
      headers: [...request.#headerList],
      settings: request.#settings,
      body: request.#body && bodies.takeBody(request.#body),
      signal: request.#signal === createAbortSignal ? null : request.signal,
      blob: request.#blob,
    });
    isRequest = (value): value is Request => typeof value === 'object' && value !== null && #url in value;
  }
}

export function installRequest(global: object): void {
  defineInterface(global, Request, 'Request', { '': 1 });
  registerInspector(Request.prototype, (request: Request) => [
    ['method', request.method],
    ['url', request.url],
    ['headers', request.headers],
    ['bodyUsed', request.bodyUsed],
  ]);
}
