// One call of fetch() as in a page at the plug-in's location: https://fetch.spec.whatwg.org/#main-fetch with origins,
// CORS, credentials, referrers and filtered responses, for plug-ins that are meant for browsers too.

import { location } from '../html/location.ts';
import type { URL } from '../url/url.ts';
import { cookiesFor, storeCookies } from './cookie-jar.ts';
import {
  type CorsRequest,
  corsCheck,
  isSafelistedMethod,
  preflightCheck,
  unsafeHeaderNames,
  visibleHeaders,
} from './cors.ts';
import { discard, type ResponseHead } from './exchange.ts';
import { Fetching, type ReceivedHead } from './fetching.ts';
import { isForbiddenResponseHeader } from './forbidden-headers.ts';
import { type HeaderList, listGet, listGetAll, listHas, parseFlatHeaders } from './header-list.ts';
import { find, freshen, headOf, invalidate, isFresh, remember, validators } from './http-cache.ts';
import { forgetPreflight, mayHeader, mayMethod, rememberPreflight } from './preflight-cache.ts';
import { determineReferrer, isTrustworthy, policyOnRedirect } from './referrer.ts';
import type { RequestState } from './request.ts';
import type { FetchedParts } from './response.ts';

// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch: of bodies that may outlive their page.
const maxKeepaliveBytes = 64 * 1024;

// https://fetch.spec.whatwg.org/#http-network-or-cache-fetch: with these, the plug-in looks after its own copies.
const conditionalHeaders = ['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since'];

export class PageFetching extends Fetching {
  /** https://fetch.spec.whatwg.org/#concept-request-response-tainting */
  #tainting: 'basic' | 'cors' | 'opaque' = 'basic';
  /** The origin that servers are told, "null" once redirects have led over another one. */
  #origin = location.origin;
  #referrer: string;
  #referrerPolicy: string;
  #cache: string;
  /** What asks the server whether the cache's copy is still right. */
  #validators: HeaderList = [];

  constructor(request: RequestState) {
    super(request);
    this.#referrer = request.settings.referrer;
    this.#referrerPolicy = request.settings.referrerPolicy;
    const conditional = conditionalHeaders.some((name) => listHas(this.headers, name));
    this.#cache = conditional && request.settings.cache === 'default' ? 'no-store' : request.settings.cache;
  }

  /** https://fetch.spec.whatwg.org/#concept-main-fetch */
  protected override admit(): Promise<void> | undefined {
    const { mode, redirect, keepalive } = this.request.settings;
    // https://w3c.github.io/webappsec-mixed-content/#should-block-fetch
    if (location.protocol === 'https:' && !isTrustworthy(this.url)) {
      this.fail('a page that came over https: may not fetch over http:', 'ERR_MIXED_CONTENT');
    }
    this.#referrer = determineReferrer(this.#referrer, this.#referrerPolicy, this.url);
    const size = this.body instanceof Uint8Array ? this.body.length : (this.body?.size ?? 0);
    if (keepalive && size > maxKeepaliveBytes) {
      this.fail(`the body of a request with 'keepalive' has at most ${maxKeepaliveBytes} bytes`, 'ERR_BODY');
    }
    if (this.#tainting === 'basic' && this.url.origin === location.origin) return undefined;
    if (mode === 'same-origin') this.fail("the mode is 'same-origin', and this is another origin", 'ERR_ORIGIN');
    if (mode === 'no-cors') {
      if (redirect !== 'follow') {
        this.fail("'redirect' has to be 'follow' in the mode 'no-cors' to another origin", 'ERR_REDIRECT');
      }
      this.#tainting = 'opaque';
      return undefined;
    }
    this.#tainting = 'cors';
    return this.#preflight();
  }

  get #cors(): CorsRequest {
    return { origin: this.#origin, credentials: this.request.settings.credentials === 'include' };
  }

  get #withCredentials(): boolean {
    const { credentials } = this.request.settings;
    return credentials === 'include' || (credentials === 'same-origin' && this.#tainting === 'basic');
  }

  /** https://fetch.spec.whatwg.org/#cors-preflight-fetch, where it is needed. */
  #preflight(): Promise<void> | undefined {
    const streams = this.body !== null && !(this.body instanceof Uint8Array) && this.body.again === undefined;
    const unsafeNames = unsafeHeaderNames(this.headers);
    if (!streams && isSafelistedMethod(this.method) && unsafeNames.length === 0) return undefined;
    const { origin, credentials } = this.#cors;
    const url = this.#target;
    const known = (name: string): boolean => mayHeader(origin, url, credentials, name);
    const methodKnown = isSafelistedMethod(this.method) ? !streams : mayMethod(origin, url, credentials, this.method);
    return methodKnown && unsafeNames.every(known) ? undefined : this.#askFirst(unsafeNames, streams);
  }

  async #askFirst(unsafeNames: string[], streams: boolean): Promise<void> {
    const url = this.#target;
    const headers: HeaderList = ['accept', '*/*', 'access-control-request-method', this.method];
    if (unsafeNames.length > 0) headers.push('access-control-request-headers', unsafeNames.join(','));
    headers.push('origin', this.#origin, 'accept-language', '*', 'user-agent', 'Valor/0.1.0');
    if (this.#referrer !== '') headers.push('referer', this.#referrer);
    const head = await this.send({ method: 'OPTIONS', url, headers, body: null, outlivesCall: false });
    discard(head.body);
    const received = parseFlatHeaders(head.flatHeaders);
    const request = { ...this.#cors, method: this.method, unsafeNames, streams };
    const permission = preflightCheck(request, head.status, received);
    if (typeof permission === 'string') {
      forgetPreflight(this.#origin, url);
      this.fail(`the server does not allow it to ${this.#origin} in its answer to OPTIONS: ${permission}`, 'ERR_CORS');
    }
    rememberPreflight(this.#origin, url, request.credentials, permission, received);
  }

  /** The URL as it is sent. */
  get #target(): string {
    return this.url.href.replace(/#.*$/s, '');
  }

  protected override outgoingHeaders(): HeaderList {
    const headers = super.outgoingHeaders();
    if (this.#referrer !== '') headers.push('referer', this.#referrer);
    const origin = this.#originHeader();
    if (origin !== null) headers.push('origin', origin);
    const cache = this.#cache;
    headers.push(...this.#validators);
    if (cache === 'no-cache' && !listHas(headers, 'cache-control')) headers.push('cache-control', 'max-age=0');
    if (cache === 'no-store' || cache === 'reload') {
      if (!listHas(headers, 'pragma')) headers.push('pragma', 'no-cache');
      if (!listHas(headers, 'cache-control')) headers.push('cache-control', 'no-cache');
    }
    if (this.#withCredentials) {
      const cookies = cookiesFor(this.url);
      if (cookies !== '') headers.push('cookie', cookies);
    }
    return headers;
  }

  /** https://fetch.spec.whatwg.org/#http-network-or-cache-fetch: what the cache has to do with it. */
  protected override async exchange(): Promise<ResponseHead> {
    this.#validators = [];
    const cache = this.#cache;
    const key = `${this.#withCredentials} ${this.#target}`;
    if (this.method !== 'GET' || cache === 'no-store' || listHas(this.headers, 'range')) {
      if (cache === 'only-if-cached')
        this.fail("nothing but a GET is in the cache, and 'cache' is 'only-if-cached'", 'ERR_CACHE');
      const head = await super.exchange();
      if (!['GET', 'HEAD', 'OPTIONS'].includes(this.method) && head.status >= 200 && head.status < 400) invalidate(key);
      return head;
    }
    const sent = this.outgoingHeaders();
    const stored = cache === 'reload' ? null : find(key, sent);
    if (stored !== null && !stored.variesAlways) {
      const anyWillDo = cache === 'force-cache' || cache === 'only-if-cached';
      if (anyWillDo || (cache === 'default' && isFresh(stored))) return headOf(stored);
    }
    if (cache === 'only-if-cached') this.fail("it is not in the cache, and 'cache' is 'only-if-cached'", 'ERR_CACHE');
    if (stored !== null) this.#validators = validators(stored);
    const head = await super.exchange();
    if (stored === null || head.status !== 304) return remember(key, sent, head);
    discard(head.body);
    freshen(stored, head.flatHeaders);
    return headOf(stored);
  }

  /** https://fetch.spec.whatwg.org/#append-a-request-origin-header */
  #originHeader(): string | null {
    if (this.#tainting === 'cors') return this.#origin;
    if (this.method === 'GET' || this.method === 'HEAD') return null;
    if (this.request.settings.mode === 'cors') return this.#origin;
    switch (this.#referrerPolicy) {
      case 'no-referrer':
        return 'null';
      case 'same-origin':
        return this.url.origin === location.origin ? this.#origin : 'null';
      case 'origin':
      case 'origin-when-cross-origin':
      case 'unsafe-url':
        return this.#origin;
      default:
        return location.protocol === 'https:' && this.url.protocol !== 'https:' ? 'null' : this.#origin;
    }
  }

  /** https://fetch.spec.whatwg.org/#concept-http-fetch and https://fetch.spec.whatwg.org/#http-network-fetch */
  protected override examine({ status, headers }: ReceivedHead): undefined {
    if (this.#withCredentials) storeCookies(this.url, listGetAll(headers, 'set-cookie'));
    if (this.#tainting === 'cors') {
      const refused = corsCheck(this.#cors, headers);
      if (refused !== '') this.fail(`the server does not allow it to ${this.#origin}: ${refused}`, 'ERR_CORS');
    }
    const streams = this.body !== null && !(this.body instanceof Uint8Array) && this.body.again === undefined;
    if (status === 401 && streams && this.#withCredentials && this.#tainting !== 'cors') {
      this.fail("it asks for credentials, and the request's body is a stream, which cannot be sent again", 'ERR_BODY');
    }
    // https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
    const policy = listGet(headers, 'cross-origin-resource-policy');
    if (this.#tainting === 'opaque' && policy === 'same-origin' && this.url.origin !== location.origin) {
      this.fail("its 'cross-origin-resource-policy' is 'same-origin'", 'ERR_CORS');
    }
    return undefined;
  }

  /** https://fetch.spec.whatwg.org/#concept-http-redirect-fetch */
  protected override admitRedirect(next: URL, { headers }: ReceivedHead): void {
    const crosses = next.origin !== location.origin;
    if (next.username !== '' || next.password !== '') {
      if (this.#tainting === 'cors' || (this.request.settings.mode === 'cors' && crosses)) {
        this.fail('it redirects to a URL with credentials in it', 'ERR_REDIRECT');
      }
      next.username = '';
      next.password = '';
    }
    if (next.origin !== this.url.origin && this.url.origin !== location.origin) this.#origin = 'null';
    this.#referrerPolicy = policyOnRedirect(this.#referrerPolicy, listGet(headers, 'referrer-policy'));
  }

  /** https://fetch.spec.whatwg.org/#concept-filtered-response */
  protected override respond(head: ReceivedHead): FetchedParts {
    const parts = super.respond(head);
    const nothing = { status: 0, statusText: '', headers: [], body: null };
    const isRedirect = [301, 302, 303, 307, 308].includes(head.status);
    if (isRedirect && this.request.settings.redirect === 'manual') {
      if (parts.body !== null) discard(head.body);
      return { ...parts, ...nothing, type: 'opaqueredirect' };
    }
    if (this.#tainting === 'opaque') {
      return { ...nothing, url: '', redirected: false, type: 'opaque', hidden: parts.body };
    }
    const names = parts.headers;
    const headers = names.filter((_, i) => !isForbiddenResponseHeader(names[i - (i % 2)] as string));
    if (this.#tainting === 'basic') return { ...parts, headers, type: 'basic' };
    return { ...parts, headers: visibleHeaders(headers, this.#cors.credentials), type: 'cors' };
  }
}
