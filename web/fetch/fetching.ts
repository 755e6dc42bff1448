// One call of fetch(): https://fetch.spec.whatwg.org/#fetching
// As on other servers there is no page and no user to be protected from it: no CORS, no forbidden headers, no cookies,
// no cache; what a plug-in may reach is up to the operator (core/net-rules.h). And a response to a redirect that is not
// followed is given as it is, since a program on a server has use for it. What a page does beyond or instead of that is in
// page-fetching.ts, which overrides the protected methods.

import { addAbortAlgorithm, removeAbortAlgorithm } from '../dom/abort.ts';
import { location } from '../html/location.ts';
import { loadPart } from '../lazy.ts';
import { natives } from '../natives.ts';
import { parseURL, type URL } from '../url/url.ts';
import type { BodySource, Bytes } from './body-source.ts';
import { discard, type ExchangeParts, networkError, type ResponseHead, startExchange } from './exchange.ts';
import { type HeaderList, listDelete, listGet, listHas, parseFlatHeaders } from './header-list.ts';
import { isLocalScheme, readLocal } from './local-schemes.ts';
import { isBadPort } from './ports.ts';
import type { RequestState } from './request.ts';
import { createFetchedResponse, type FetchedParts, isNullBodyStatus, type Response } from './response.ts';

const maxRedirects = 20;

// What belongs to the connection or follows from the body is not the plug-in's to say.
const framingHeaders = [
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
];
// https://fetch.spec.whatwg.org/#request-body-header-name
const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];
// The standard knows Authorization; the others cannot be set in a browser, and are as secret.
const secretHeaders = ['authorization', 'cookie', 'host', 'proxy-authorization'];

/** A response's head as the rules look at it. */
export interface ReceivedHead extends ResponseHead {
  headers: HeaderList;
}

type Over = () => void;

export class Fetching {
  protected readonly request: RequestState;
  protected url: URL;
  protected method: string;
  protected headers: HeaderList;
  protected body: Bytes | BodySource | null;
  protected redirects = 0;
  #abort: ((reason: unknown) => void) | null = null;
  #aborted = false;

  constructor(request: RequestState) {
    this.request = request;
    this.url = parseURL(request.url);
    this.method = request.method;
    this.headers = request.headers;
    const { body } = request;
    this.body = typeof body === 'string' ? natives.utf8Encode(body) : body;
  }

  /** https://fetch.spec.whatwg.org/#fetch-method */
  async run(): Promise<Response> {
    const { signal, body } = this.request;
    if (signal === null) return this.#fetch(null);
    const abort = (): void => {
      this.#aborted = true;
      if (this.#abort !== null) this.#abort(signal.reason);
      else if (body !== null && typeof body === 'object' && 'cancel' in body) cancelQuietly(body, signal.reason);
    };
    if (signal.aborted) {
      abort();
      throw signal.reason;
    }
    addAbortAlgorithm(signal, abort);
    const over = (): void => removeAbortAlgorithm(signal, abort);
    try {
      const response = await this.#fetch(over);
      if (this.#aborted) throw signal.reason;
      return response;
    } catch (error) {
      over();
      throw this.#aborted ? signal.reason : error;
    }
  }

  protected fail(message: string, code: string): never {
    throw networkError(this.url.href, message, code);
  }

  /** `over` is called when nothing is left to be aborted. */
  async #fetch(over: Over | null): Promise<Response> {
    if (isLocalScheme(this.url)) {
      over?.();
      return this.#finish(readLocal(this.url, this.method, this.request.blob), null);
    }
    const { redirect } = this.request.settings;
    for (;;) {
      this.#check();
      const wait = this.admit();
      if (wait !== undefined) await wait;
      const head = await this.#receive(await this.exchange());
      const isRedirect = [301, 302, 303, 307, 308].includes(head.status);
      if (!isRedirect || redirect === 'manual') return this.#finish(this.respond(head), over);
      if (redirect === 'error') {
        discard(head.body);
        this.fail("it redirects, and 'redirect' is 'error'", 'ERR_REDIRECT');
      }
      const target = listGet(head.headers, 'location');
      if (target === null) return this.#finish(this.respond(head), over);
      discard(head.body);
      this.#redirect(head, target);
    }
  }

  #check(): void {
    const { protocol, port } = this.url;
    if (protocol !== 'http:' && protocol !== 'https:') {
      this.fail(`the scheme '${protocol.slice(0, -1)}' is not supported`, 'ERR_UNSUPPORTED_SCHEME');
    }
    if (isBadPort(port)) this.fail(`port ${port} is blocked`, 'ERR_BAD_PORT');
  }

  /** Before each request: throws where it may not be made. https://fetch.spec.whatwg.org/#concept-main-fetch */
  protected admit(): Promise<void> | undefined {
    if (this.request.settings.mode === 'same-origin' && this.url.origin !== location.origin) {
      this.fail("the mode is 'same-origin', and this is another origin", 'ERR_ORIGIN');
    }
    return undefined;
  }

  /** The headers to be sent. https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
  protected outgoingHeaders(): HeaderList {
    const headers: HeaderList = [];
    for (let i = 0; i < this.headers.length; i += 2) {
      const name = this.headers[i] as string;
      if (!framingHeaders.includes(name)) headers.push(name, this.headers[i + 1] as string);
    }
    for (const [name, value] of [
      ['accept', '*/*'],
      ['accept-language', '*'],
      ['user-agent', 'Valor/0.1.0'],
    ] as const) {
      if (!listHas(headers, name)) headers.push(name, value);
    }
    if (listHas(headers, 'range') && !listHas(headers, 'accept-encoding')) headers.push('accept-encoding', 'identity');
    // RFC 9110 section 8.6: these mean to send something, and say so when it is nothing.
    if (this.body === null && (this.method === 'POST' || this.method === 'PUT')) headers.push('content-length', '0');
    return headers;
  }

  /** One request and the head of its response. */
  protected async exchange(): Promise<ResponseHead> {
    const parts: ExchangeParts = {
      method: this.method,
      url: this.url.href.replace(/#.*$/, ''),
      headers: this.outgoingHeaders(),
      body: this.body,
      outlivesCall: this.request.settings.keepalive,
    };
    const head = await this.send(parts);
    // Not the place that answers for this URL; another connection may lead to it.
    const body = again(this.body);
    if (head.status !== 421 || body === undefined) return head;
    discard(head.body);
    this.body = body;
    return this.send({ ...parts, body, freshConnection: true });
  }

  protected send(parts: ExchangeParts): Promise<ResponseHead> {
    const { head, abort } = startExchange(parts);
    this.#abort = abort;
    return head;
  }

  async #receive(head: ResponseHead): Promise<ReceivedHead> {
    const received = { ...head, headers: parseFlatHeaders(head.flatHeaders) };
    try {
      const wait = this.examine(received);
      if (wait !== undefined) await wait;
    } catch (error) {
      discard(head.body);
      throw error;
    }
    return received;
  }

  /** Throws where the response may not be seen. */
  protected examine(_: ReceivedHead): Promise<void> | undefined {
    return undefined;
  }

  /** https://fetch.spec.whatwg.org/#http-redirect-fetch */
  #redirect(head: ReceivedHead, to: string): void {
    const from = this.url;
    let next: URL;
    try {
      next = parseURL(percentEncodeBytes(to), from.href);
    } catch {
      this.fail(`it redirects to '${to}', which is no URL`, 'ERR_REDIRECT');
    }
    if (next.hash === '' && from.hash !== '') next.hash = from.hash;
    if (next.protocol !== 'http:' && next.protocol !== 'https:') {
      this.fail(`it redirects to '${to}', which is neither http: nor https:`, 'ERR_REDIRECT');
    }
    if (++this.redirects > maxRedirects) this.fail(`it redirects more than ${maxRedirects} times`, 'ERR_REDIRECT');
    this.admitRedirect(next, head);
    if (head.status !== 303) {
      const body = again(this.body);
      if (body === undefined) {
        this.fail("it redirects, and the request's body is a stream, which cannot be sent again", 'ERR_REDIRECT');
      }
      this.body = body;
    }
    const becomesGet =
      ((head.status === 301 || head.status === 302) && this.method === 'POST') ||
      (head.status === 303 && this.method !== 'GET' && this.method !== 'HEAD');
    if (becomesGet) {
      this.method = 'GET';
      this.body = null;
      for (const name of bodyHeaders) listDelete(this.headers, name);
    }
    if (next.origin !== from.origin) for (const name of secretHeaders) listDelete(this.headers, name);
    this.url = next;
  }

  /** Throws where a redirect may not be followed. */
  protected admitRedirect(next: URL, _: ReceivedHead): void {
    if (next.username !== '' || next.password !== '') {
      this.fail('it redirects to a URL with credentials in it', 'ERR_REDIRECT');
    }
    if (this.request.settings.mode === 'same-origin' && next.origin !== location.origin) {
      this.fail("it redirects to another origin, and the mode is 'same-origin'", 'ERR_ORIGIN');
    }
  }

  /** What is to be seen of the response. */
  protected respond({ status, reason, headers, body }: ReceivedHead): FetchedParts {
    const empty = this.method === 'HEAD' || isNullBodyStatus(status);
    if (empty) discard(body);
    return {
      url: this.url.href.replace(/#.*$/, ''),
      redirected: this.redirects > 0,
      type: 'basic',
      status,
      statusText: reason,
      headers,
      body: empty ? null : body,
      hidden: null,
    };
  }

  async #finish(parts: FetchedParts, over: Over | null): Promise<Response> {
    const { integrity } = this.request.settings;
    if (integrity !== '') {
      const { requireIntegrity } = loadPart<typeof import('../lazy/integrity.ts')>('integrity');
      await requireIntegrity(parts, integrity);
    }
    if (over !== null) {
      const body = parts.body ?? parts.hidden;
      if (body === null || body === undefined || body instanceof Uint8Array) over();
      else if (parts.body) parts.body = watched(body, over);
    }
    return createFetchedResponse(parts);
  }
}

/** The body to be sent once more; undefined where that cannot be done. */
function again(body: Bytes | BodySource | null): Bytes | BodySource | null | undefined {
  return body === null || body instanceof Uint8Array ? body : body.again?.();
}

/** The body, which tells when it is over. */
function watched(body: BodySource, over: Over): BodySource {
  return {
    check: () => body.check?.(),
    onFailure: (listener) => body.onFailure?.(listener),
    read() {
      try {
        const piece = body.read();
        if (piece === null) over();
        return piece;
      } catch (error) {
        over();
        throw error;
      }
    },
    ready: async () => body.ready?.(),
    cancel(reason) {
      over();
      return body.cancel(reason);
    },
  };
}

function cancelQuietly(body: BodySource, reason: unknown): void {
  Promise.resolve(body.cancel(reason)).catch(() => {});
}

/** A Location is bytes. What is not ASCII stays what it is, which in most cases is UTF-8. */
function percentEncodeBytes(value: string): string {
  return value.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
