// https://urlpattern.spec.whatwg.org/#component

import * as canonical from './canonicalize.ts';
import { generatePattern, generateRegExp } from './generate.ts';
import type { Part, PartType, PatternOptions } from './parts.ts';
import { type Canonicalize, parsePattern } from './pattern-parser.ts';

export const componentNames = [
  ...(['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'] as const),
];

export type ComponentName = (typeof componentNames)[number];

export interface ComponentResult {
  input: string;
  groups: Record<string, string | undefined>;
}

// The closer to fixed text, the greater.
const typeRanks: PartType[] = ['full-wildcard', 'segment-wildcard', 'regexp', 'fixed-text'];
const modifierRanks = ['*', '?', '+', ''];
const emptyText: Part = { type: 'fixed-text', value: '', modifier: '', name: '', prefix: '', suffix: '' };
const wildcard: Part = { ...emptyText, type: 'full-wildcard' };

function compare<T>(left: T, right: T): -1 | 0 | 1 {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function compareParts(left: Part, right: Part): -1 | 0 | 1 {
  return (
    compare(typeRanks.indexOf(left.type), typeRanks.indexOf(right.type)) ||
    compare(modifierRanks.indexOf(left.modifier), modifierRanks.indexOf(right.modifier)) ||
    compare(left.prefix, right.prefix) ||
    compare(left.value, right.value) ||
    compare(left.suffix, right.suffix)
  );
}

export class Component {
  readonly pattern: string;
  readonly hasRegExpGroups: boolean;
  #parts: readonly Part[];
  #names: readonly string[];
  #regExp: RegExp;

  /** https://urlpattern.spec.whatwg.org/#compile-a-component */
  constructor(pattern: string, options: PatternOptions, canonicalize: Canonicalize) {
    const parts = parsePattern(pattern, options, canonicalize);
    try {
      this.#regExp = new RegExp(generateRegExp(parts, options), options.ignoreCase ? 'vi' : 'v');
    } catch (error) {
      throw new TypeError(`'${pattern}' has a wrong regular expression: ${(error as Error).message}`);
    }
    this.#parts = parts;
    this.#names = parts.filter(({ type }) => type !== 'fixed-text').map(({ name }) => name);
    this.pattern = generatePattern(parts, options);
    this.hasRegExpGroups = parts.some(({ type }) => type === 'regexp');
  }

  test(input: string): boolean {
    return this.#regExp.exec(input) !== null;
  }

  /** https://urlpattern.spec.whatwg.org/#create-a-component-match-result; null when it does not match. */
  match(input: string): ComponentResult | null {
    const found = this.#regExp.exec(input);
    return found && { input, groups: Object.fromEntries(this.#names.map((name, index) => [name, found[index + 1]])) };
  }

  /** https://urlpattern.spec.whatwg.org/#protocol-component-matches-a-special-scheme */
  matchesSpecialScheme(): boolean {
    return Object.keys(canonical.specialSchemes).some((scheme) => this.test(scheme));
  }

  /** Which of two patterns is more particular: 1 the left one. https://github.com/whatwg/urlpattern/issues/61 */
  static compare(left: Component, right: Component): -1 | 0 | 1 {
    const lists = [left, right].map((component) => (component.pattern === '' ? [wildcard] : component.#parts));
    const [first, second] = lists as [Part[], Part[]];
    if (left.pattern === '' && right.pattern === '') return 0;
    const shared = Math.min(first.length, second.length);
    for (let at = 0; at < shared; at++) {
      const order = compareParts(first[at] as Part, second[at] as Part);
      if (order !== 0) return order;
    }
    if (first.length === second.length) return 0;
    return compareParts(first[shared] ?? emptyText, second[shared] ?? emptyText);
  }
}

export const defaultOptions: PatternOptions = { delimiter: '', prefix: '', ignoreCase: false };
const hostnameOptions: PatternOptions = { delimiter: '.', prefix: '', ignoreCase: false };
const pathnameOptions: PatternOptions = { delimiter: '/', prefix: '/', ignoreCase: false };

/** https://urlpattern.spec.whatwg.org/#hostname-pattern-is-an-ipv6-address */
function isIPv6Pattern(hostname: string): boolean {
  return /^(\[.|\{\[|\\\[)/s.test(hostname);
}

/** Everything from "If processedInit["protocol"] is a special scheme" in https://urlpattern.spec.whatwg.org/#url-pattern-create */
export function compileComponents(
  patterns: Record<ComponentName, string>,
  ignoreCase: boolean,
): Record<ComponentName, Component> {
  const protocol = new Component(patterns.protocol, defaultOptions, canonical.canonicalizeProtocol);
  const special = protocol.matchesSpecialScheme();
  const ownPort = canonical.isSpecial(patterns.protocol) ? canonical.specialSchemes[patterns.protocol] : '';
  const hostname = isIPv6Pattern(patterns.hostname)
    ? canonical.canonicalizeIPv6Hostname
    : canonical.canonicalizeHostname;
  const options = { ...defaultOptions, ignoreCase };
  return {
    protocol,
    username: new Component(patterns.username, defaultOptions, canonical.canonicalizeUsername),
    password: new Component(patterns.password, defaultOptions, canonical.canonicalizePassword),
    hostname: new Component(patterns.hostname, hostnameOptions, hostname),
    port: new Component(patterns.port === ownPort ? '' : patterns.port, defaultOptions, (port) =>
      canonical.canonicalizePort(port),
    ),
    pathname: special
      ? new Component(patterns.pathname, { ...pathnameOptions, ignoreCase }, canonical.canonicalizePathname)
      : new Component(patterns.pathname, options, canonical.canonicalizeOpaquePathname),
    search: new Component(patterns.search, options, canonical.canonicalizeSearch),
    hash: new Component(patterns.hash, options, canonical.canonicalizeHash),
  };
}
