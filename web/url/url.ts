// https://url.spec.whatwg.org/#url-class
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { registerInspector } from '../console/inspectors.ts';
import { requireArguments, toDOMString, toUSVString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { createObjectURL, revokeObjectURL } from './object-url.ts';
import { UrlPart, UrlRecord } from './url-record.ts';
import { createSearchParams, replaceSearchParams, type URLSearchParams } from './url-search-params.ts';

const internal = Symbol('internal');

/** Converts the arguments and parses them; null when they make no URL. */
function parseArguments(url: unknown, base: unknown): UrlRecord | null {
  const input = toUSVString(url);
  return UrlRecord.parse(input, base === undefined ? undefined : toUSVString(base));
}

export class URL {
  #record: UrlRecord;
  #searchParams: URLSearchParams | null = null;

  constructor(url: unknown, base?: unknown) {
    if (base === internal) {
      this.#record = url as UrlRecord;
      return;
    }
    requireArguments(arguments.length, 1, 'URL');
    const record = parseArguments(url, base);
    if (!record) throw new TypeError(`Invalid URL: '${url}'`);
    this.#record = record;
  }

  static parse(url: unknown, base?: unknown): URL | null {
    requireArguments(arguments.length, 1, 'URL.parse');
    const record = parseArguments(url, base);
    return record && new URL(record, internal);
  }

  static canParse(url: unknown, base?: unknown): boolean {
    requireArguments(arguments.length, 1, 'URL.canParse');
    return parseArguments(url, base) !== null;
  }

  static createObjectURL(object: unknown): string {
    requireArguments(arguments.length, 1, 'URL.createObjectURL');
    return createObjectURL(object);
  }

  static revokeObjectURL(url: unknown): void {
    requireArguments(arguments.length, 1, 'URL.revokeObjectURL');
    revokeObjectURL(toDOMString(url));
  }

  #set(part: UrlPart, value: unknown): void {
    this.#record.set(part, toUSVString(value));
  }

  /** https://url.spec.whatwg.org/#concept-url-query changed otherwise than through searchParams. */
  #queryChanged(): void {
    if (this.#searchParams) replaceSearchParams(this.#searchParams, this.#record.search.slice(1));
  }

  get href(): string {
    return this.#record.href;
  }
  set href(value: string) {
    const record = UrlRecord.parse(toUSVString(value));
    if (!record) throw new TypeError(`Invalid URL: '${value}'`);
    this.#record = record;
    this.#queryChanged();
  }
  get origin(): string {
    return this.#record.origin;
  }
  get protocol(): string {
    return this.#record.protocol;
  }
  set protocol(value: string) {
    this.#set(UrlPart.Protocol, value);
  }
  get username(): string {
    return this.#record.username;
  }
  set username(value: string) {
    this.#set(UrlPart.Username, value);
  }
  get password(): string {
    return this.#record.password;
  }
  set password(value: string) {
    this.#set(UrlPart.Password, value);
  }
  get host(): string {
    return this.#record.host;
  }
  set host(value: string) {
    this.#set(UrlPart.Host, value);
  }
  get hostname(): string {
    return this.#record.hostname;
  }
  set hostname(value: string) {
    this.#set(UrlPart.Hostname, value);
  }
  get port(): string {
    return this.#record.port;
  }
  set port(value: string) {
    this.#set(UrlPart.Port, value);
  }
  get pathname(): string {
    return this.#record.pathname;
  }
  set pathname(value: string) {
    this.#set(UrlPart.Pathname, value);
  }
  get search(): string {
    return this.#record.search;
  }
  set search(value: string) {
    this.#set(UrlPart.Search, value);
    this.#queryChanged();
  }
  get searchParams(): URLSearchParams {
    this.#searchParams ??= createSearchParams(this.#record.search.slice(1), (query) =>
      this.#record.set(UrlPart.Search, query),
    );
    return this.#searchParams;
  }
  get hash(): string {
    return this.#record.hash;
  }
  set hash(value: string) {
    this.#set(UrlPart.Hash, value);
  }

  toString(): string {
    return this.#record.href;
  }
  toJSON(): string {
    return this.#record.href;
  }
}

/** Parses, with a base if given; throws a TypeError when that fails. */
export function parseURL(url: string, base?: string): URL {
  return new URL(url, base);
}

const shown = [
  ...(['href', 'origin', 'protocol', 'username', 'password', 'host'] as const),
  ...(['hostname', 'port', 'pathname', 'search', 'hash'] as const),
];

export function installURL(global: object): void {
  defineInterface(global, URL, 'URL', { '': 1, parse: 1, canParse: 1 });
  registerInspector(URL.prototype, (url: URL) => shown.map((name) => [name, url[name]]));
}
