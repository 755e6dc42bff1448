// A URL record: https://url.spec.whatwg.org/#concept-url
// Kept as its serialisation and the places of the parts in it.

import { natives } from '../natives.ts';

/** The numbers are those of url.cpp. */
export const UrlPart = {
  Protocol: 0,
  Username: 1,
  Password: 2,
  Host: 3,
  Hostname: 4,
  Port: 5,
  Pathname: 6,
  Search: 7,
  Hash: 8,
} as const;

export type UrlPart = (typeof UrlPart)[keyof typeof UrlPart];

const absent = 0xffffffff;
// natives fill it: protocol end, user name end, host start, host end, port, path start, query start, fragment start.
const places = new Uint32Array(8);

export class UrlRecord {
  href: string;
  #protocolEnd = 0;
  #usernameEnd = 0;
  #hostStart = 0;
  #hostEnd = 0;
  #port = 0;
  #pathnameStart = 0;
  #searchStart = 0;
  #hashStart = 0;

  private constructor(href: string) {
    this.href = href;
    this.#takePlaces();
  }

  /** null when the input is no URL. */
  static parse(input: string, base?: string): UrlRecord | null {
    const href = natives.urlParse(input, base, places);
    return href === undefined ? null : new UrlRecord(href);
  }

  #takePlaces(): void {
    this.#protocolEnd = places[0] as number;
    this.#usernameEnd = places[1] as number;
    this.#hostStart = places[2] as number;
    this.#hostEnd = places[3] as number;
    this.#port = places[4] as number;
    this.#pathnameStart = places[5] as number;
    this.#searchStart = places[6] as number;
    this.#hashStart = places[7] as number;
  }

  /** Changes a part. False, and without effect, when the value does not fit. */
  set(part: UrlPart, value: string): boolean {
    const href = natives.urlSet(this.href, part, value, places);
    if (href === undefined) return false;
    this.href = href;
    this.#takePlaces();
    return true;
  }

  get protocol(): string {
    return this.href.slice(0, this.#protocolEnd);
  }
  get username(): string {
    const start = this.#protocolEnd + 2;
    return start < this.#usernameEnd ? this.href.slice(start, this.#usernameEnd) : '';
  }
  get password(): string {
    return this.#hostStart > this.#usernameEnd ? this.href.slice(this.#usernameEnd + 1, this.#hostStart) : '';
  }
  get hostname(): string {
    const start = this.href[this.#hostStart] === '@' ? this.#hostStart + 1 : this.#hostStart;
    return this.href.slice(start, this.#hostEnd);
  }
  get port(): string {
    return this.#port === absent ? '' : String(this.#port);
  }
  get host(): string {
    return this.#port === absent ? this.hostname : `${this.hostname}:${this.#port}`;
  }
  get pathname(): string {
    const end = Math.min(this.#searchStart, this.#hashStart);
    return this.href.slice(this.#pathnameStart, end === absent ? undefined : end);
  }
  /** With the '?'; empty when there is no query or an empty one. */
  get search(): string {
    if (this.#searchStart === absent) return '';
    const search = this.href.slice(this.#searchStart, this.#hashStart === absent ? undefined : this.#hashStart);
    return search.length > 1 ? search : '';
  }
  get hash(): string {
    if (this.#hashStart === absent) return '';
    const hash = this.href.slice(this.#hashStart);
    return hash.length > 1 ? hash : '';
  }

  /** https://url.spec.whatwg.org/#concept-url-origin, serialised. */
  get origin(): string {
    switch (this.protocol) {
      case 'http:':
      case 'https:':
      case 'ws:':
      case 'wss:':
      case 'ftp:':
        return `${this.protocol}//${this.host}`;
      case 'blob:': {
        const inner = UrlRecord.parse(this.pathname);
        return inner && (inner.protocol === 'http:' || inner.protocol === 'https:') ? inner.origin : 'null';
      }
      default:
        return 'null';
    }
  }
}
