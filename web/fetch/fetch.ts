// https://fetch.spec.whatwg.org/#fetch-method
// As on other servers there is no page and no user to be protected from it: no CORS, no forbidden headers, no cookies,
// no cache; what a plug-in may reach is up to the operator (core/net-rules.h). And a response to a redirect that is not
// followed is given as it is, since a program on a server has use for it; a browser gives an "opaqueredirect".

import { addAbortAlgorithm, removeAbortAlgorithm } from '../dom/abort.ts';
import { fileApi } from '../file-api/file-api.ts';
import { location } from '../html/location.ts';
import { loadPart } from '../lazy.ts';
import { natives } from '../natives.ts';
import { resolveObjectURL } from '../url/object-url.ts';
import { parseURL, type URL } from '../url/url.ts';
import { requireArguments } from '../webidl/conversions.ts';
import { checkGlobal, defineOperation } from '../webidl/define.ts';
import type { BodySource, Bytes } from './body.ts';
import { readDataURL } from './data-url.ts';
import { discard, type ExchangeParts, networkError, type ResponseHead, startExchange } from './exchange.ts';
import { type HeaderList, listDelete, listGet, listHas, parseFlatHeaders } from './header-list.ts';
import { Request, type RequestInit, type RequestState, requestState } from './request.ts';
import { createFetchedResponse, isNullBodyStatus, type Response } from './response.ts';

const maxRedirects = 20;

// https://fetch.spec.whatwg.org/#port-blocking
const badPorts = new Set([
  ...[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110,
  ],
  ...[
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  ],
  ...[540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061],
  ...[6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
]);

// What belongs to the connection or follows from the body is not the plug-in's to say.
const framingHeaders = [
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
];
// https://fetch.spec.whatwg.org/#request-body-header-name
const bodyHeaders = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];
// The standard knows Authorization; the others cannot be set in a browser, and are as secret.
const secretHeaders = ['authorization', 'cookie', 'host', 'proxy-authorization'];

/** One call of fetch(). */
class Fetching {
  #request: RequestState;
  #url: URL;
  #method: string;
  #headers: HeaderList;
  #body: Bytes | BodySource | null;
  #redirects = 0;
  #abort: ((reason: unknown) => void) | null = null;
  #aborted = false;

  constructor(request: RequestState) {
    this.#request = request;
    this.#url = parseURL(request.url);
    this.#method = request.method;
    this.#headers = request.headers;
    const { body } = request;
    this.#body = typeof body === 'string' ? natives.utf8Encode(body) : body;
  }

  /** https://fetch.spec.whatwg.org/#fetch-method */
  async run(): Promise<Response> {
    const { signal, body } = this.#request;
    if (signal === null) return this.#fetch(() => {});
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

  #fail(message: string, code: string): never {
    throw networkError(this.#url.href, message, code);
  }

  /** https://fetch.spec.whatwg.org/#scheme-fetch; `over` is called when nothing is left to be aborted. */
  async #fetch(over: () => void): Promise<Response> {
    const { mode, integrity } = this.#request.settings;
    if (integrity !== '') this.#fail("'integrity' is not supported", 'ERR_NOT_SUPPORTED');
    if (this.#url.protocol === 'data:') {
      const data = readDataURL(this.#url);
      if (data === null) this.#fail('the data: URL is not valid', 'ERR_INVALID_URL');
      over();
      return createFetchedResponse({
        url: this.#url.href.replace(/#.*$/, ''),
        redirected: false,
        status: 200,
        statusText: 'OK',
        headers: ['content-type', data.type],
        body: this.#method === 'HEAD' ? null : data.body,
      });
    }
    if (this.#url.protocol === 'blob:') {
      over();
      return this.#readBlob();
    }
    if (this.#url.protocol === 'file:') {
      over();
      return this.#readOwnFile();
    }
    if (mode === 'same-origin' && this.#url.origin !== location.origin) {
      this.#fail("the mode is 'same-origin', and this is another origin", 'ERR_ORIGIN');
    }
    for (;;) {
      this.#check();
      const head = await this.#exchange();
      const isRedirect = [301, 302, 303, 307, 308].includes(head.status);
      const headers = parseFlatHeaders(head.flatHeaders);
      if (isRedirect && this.#request.settings.redirect === 'error') {
        discard(head.body);
        this.#fail("it redirects, and 'redirect' is 'error'", 'ERR_REDIRECT');
      }
      const target = isRedirect && this.#request.settings.redirect === 'follow' ? listGet(headers, 'location') : null;
      if (target === null) return this.#respond(head, headers, over);
      discard(head.body);
      this.#redirect(head.status, target);
    }
  }

  /** https://fetch.spec.whatwg.org/#scheme-fetch, of "blob". */
  #readBlob(): Response {
    const url = this.#url.href.replace(/#.*$/, '');
    const blob = resolveObjectURL(url) as { type: string; size: number } | undefined;
    if (this.#method !== 'GET') this.#fail('a blob: URL can only be read with GET', 'ERR_METHOD');
    if (blob === undefined) this.#fail('there is no such blob', 'ERR_INVALID_URL');
    const files = fileApi();
    return createFetchedResponse({
      url,
      redirected: false,
      status: 200,
      statusText: 'OK',
      headers: ['content-length', `${blob.size}`, 'content-type', blob.type],
      body: files.dataSource(files.blobData(blob as never)),
    });
  }

  #readOwnFile(): Response {
    const url = this.#url.href.replace(/[?#].*$/, '');
    if (this.#method !== 'GET') this.#fail('a file: URL can only be read with GET', 'ERR_METHOD');
    const file = loadPart<typeof import('../lazy/own-file.ts')>('own-file').openOwnFile(url);
    if (file === null) this.#fail("there is no such file in the plug-in's folder", 'ERR_NOT_FOUND');
    const { type, body } = file;
    const headers = ['content-type', type];
    return createFetchedResponse({ url, redirected: false, status: 200, statusText: 'OK', headers, body });
  }

  #check(): void {
    const { protocol, port } = this.#url;
    if (protocol !== 'http:' && protocol !== 'https:') {
      this.#fail(`the scheme '${protocol.slice(0, -1)}' is not supported`, 'ERR_UNSUPPORTED_SCHEME');
    }
    if (port !== '' && badPorts.has(Number(port))) this.#fail(`port ${port} is blocked`, 'ERR_BAD_PORT');
  }

  /** https://fetch.spec.whatwg.org/#http-network-or-cache-fetch */
  #exchange(): Promise<ResponseHead> {
    const headers: HeaderList = [];
    for (let i = 0; i < this.#headers.length; i += 2) {
      const name = this.#headers[i] as string;
      if (!framingHeaders.includes(name)) headers.push(name, this.#headers[i + 1] as string);
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
    if (this.#body === null && (this.#method === 'POST' || this.#method === 'PUT')) headers.push('content-length', '0');
    const parts: ExchangeParts = {
      method: this.#method,
      url: this.#url.href.replace(/#.*$/, ''),
      headers,
      body: this.#body,
      outlivesCall: this.#request.settings.keepalive,
    };
    const { head, abort } = startExchange(parts);
    this.#abort = abort;
    return head;
  }

  /** https://fetch.spec.whatwg.org/#http-redirect-fetch */
  #redirect(status: number, to: string): void {
    const from = this.#url;
    let next: URL;
    try {
      next = parseURL(asUtf8(to), from.href);
    } catch {
      this.#fail(`it redirects to '${to}', which is no URL`, 'ERR_REDIRECT');
    }
    if (next.hash === '' && from.hash !== '') next.hash = from.hash;
    if (next.protocol !== 'http:' && next.protocol !== 'https:') {
      this.#fail(`it redirects to '${to}', which is neither http: nor https:`, 'ERR_REDIRECT');
    }
    if (++this.#redirects > maxRedirects) this.#fail(`it redirects more than ${maxRedirects} times`, 'ERR_REDIRECT');
    if (next.username !== '' || next.password !== '') {
      this.#fail('it redirects to a URL with credentials in it', 'ERR_REDIRECT');
    }
    if (this.#request.settings.mode === 'same-origin' && next.origin !== location.origin) {
      this.#fail("it redirects to another origin, and the mode is 'same-origin'", 'ERR_ORIGIN');
    }
    if (status !== 303 && this.#body !== null && !(this.#body instanceof Uint8Array)) {
      this.#fail("it redirects, and the request's body is a stream, which cannot be sent again", 'ERR_REDIRECT');
    }
    const becomesGet =
      ((status === 301 || status === 302) && this.#method === 'POST') ||
      (status === 303 && this.#method !== 'GET' && this.#method !== 'HEAD');
    if (becomesGet) {
      this.#method = 'GET';
      this.#body = null;
      for (const name of bodyHeaders) listDelete(this.#headers, name);
    }
    if (next.origin !== from.origin) for (const name of secretHeaders) listDelete(this.#headers, name);
    this.#url = next;
  }

  #respond(head: ResponseHead, headers: HeaderList, over: () => void): Response {
    const { status, reason } = head;
    const empty = this.#method === 'HEAD' || isNullBodyStatus(status);
    if (empty) {
      discard(head.body);
      over();
    }
    return createFetchedResponse({
      url: this.#url.href.replace(/#.*$/, ''),
      redirected: this.#redirects > 0,
      status,
      statusText: reason,
      headers,
      body: empty ? null : watched(head.body, over),
    });
  }
}

/** The body, which tells when it is over. */
function watched(body: BodySource, over: () => void): BodySource {
  return {
    async read() {
      try {
        const piece = await body.read();
        if (piece === null) over();
        return piece;
      } catch (error) {
        over();
        throw error;
      }
    },
    cancel(reason) {
      over();
      return body.cancel(reason);
    },
  };
}

function cancelQuietly(body: BodySource, reason: unknown): void {
  Promise.resolve(body.cancel(reason)).catch(() => {});
}

/** A header's value is bytes, which in a Location are UTF-8 where they are not ASCII. */
function asUtf8(value: string): string {
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i);
  return natives.utf8Decode(bytes, true) ?? value;
}

function fetch(this: unknown, input: Request | string, init?: RequestInit | null): Promise<Response> {
  try {
    checkGlobal(this);
    // biome-ignore lint/complexity/noArguments: Web IDL counts the arguments that were passed
    requireArguments(arguments.length, 1, 'fetch');
    return new Fetching(requestState(new Request(input, init))).run();
  } catch (error) {
    return Promise.reject(error);
  }
}

export function installFetch(global: object): void {
  Object.defineProperty(fetch, 'length', { value: 1 });
  defineOperation(global, 'fetch', fetch as never, true);
}
