// https://urlpattern.spec.whatwg.org/#urlpattern-class
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { registerInspector } from '../console/inspectors.ts';
import { UrlRecord } from '../url/url-record.ts';
import { isObject, requireArguments, toDictionary, toEnum, toUSVString } from '../webidl/conversions.ts';
import { shapeInterface } from '../webidl/define.ts';
import { Component, type ComponentName, type ComponentResult, compileComponents, componentNames } from './component.ts';
import { parseConstructorString } from './constructor-string.ts';
import { type ComponentValues, processInit, toInit, type URLPatternInit, valuesOf } from './init.ts';

export interface URLPatternOptions {
  ignoreCase?: boolean;
}

export type URLPatternResult = Record<ComponentName, ComponentResult> & { inputs: unknown[] };

type Input = string | URLPatternInit;

/** (USVString or URLPatternInit) */
function toInput(value: unknown): Input {
  return value === undefined || value === null || isObject(value) ? toInit(value) : toUSVString(value);
}

/** https://urlpattern.spec.whatwg.org/#url-pattern-create */
function create(input: Input, baseURL: string | undefined, ignoreCase: boolean): Record<ComponentName, Component> {
  let init: URLPatternInit;
  if (typeof input === 'string') {
    init = parseConstructorString(input);
    if (baseURL !== undefined) init.baseURL = baseURL;
    else if (init.protocol === undefined) throw new TypeError(`'${input}' is relative, and there is no base URL`);
  } else {
    if (baseURL !== undefined) throw new TypeError('A base URL belongs into the dictionary');
    init = input;
  }
  const patterns = processInit(init, 'pattern', {});
  for (const name of componentNames) patterns[name] ??= '*';
  return compileComponents(patterns as Record<ComponentName, string>, ignoreCase);
}

const emptyValues: ComponentValues = Object.fromEntries(componentNames.map((name) => [name, '']));

/** What the components are matched with; null when the input is no URL. */
function valuesOfInput(input: Input, baseURL: string | undefined): Record<ComponentName, string> | null {
  if (typeof input === 'string') {
    const url = UrlRecord.parse(input, baseURL);
    return url && valuesOf(url);
  }
  if (baseURL !== undefined) throw new TypeError('A base URL belongs into the dictionary');
  try {
    return processInit(input, 'url', { ...emptyValues }) as Record<ComponentName, string>;
  } catch {
    return null;
  }
}

export class URLPattern {
  #components: Record<ComponentName, Component>;

  /** (input, baseURL, options) or (input, options) */
  constructor(input: unknown = {}, second?: unknown, third?: unknown) {
    const inTwo = arguments.length <= 2 && (second === undefined || second === null || isObject(second));
    const what = toInput(input);
    const baseURL = inTwo ? undefined : toUSVString(second);
    const { ignoreCase } = toDictionary((inTwo ? second : third) as URLPatternOptions, 'The options');
    this.#components = create(what, baseURL, Boolean(ignoreCase));
  }

  static compareComponent(component: ComponentName, left: URLPattern, right: URLPattern): number {
    requireArguments(arguments.length, 3, 'URLPattern.compareComponent');
    const name = toEnum(component, componentNames, 'URLPatternComponent');
    return Component.compare(left.#components[name], right.#components[name]);
  }

  get protocol(): string {
    return this.#components.protocol.pattern;
  }
  get username(): string {
    return this.#components.username.pattern;
  }
  get password(): string {
    return this.#components.password.pattern;
  }
  get hostname(): string {
    return this.#components.hostname.pattern;
  }
  get port(): string {
    return this.#components.port.pattern;
  }
  get pathname(): string {
    return this.#components.pathname.pattern;
  }
  get search(): string {
    return this.#components.search.pattern;
  }
  get hash(): string {
    return this.#components.hash.pattern;
  }
  get hasRegExpGroups(): boolean {
    return componentNames.some((name) => this.#components[name].hasRegExpGroups);
  }

  test(input: unknown = {}, baseURL?: unknown): boolean {
    const components = this.#components;
    const values = valuesOfInput(toInput(input), baseURL === undefined ? undefined : toUSVString(baseURL));
    return values !== null && componentNames.every((name) => components[name].test(values[name]));
  }

  /** https://urlpattern.spec.whatwg.org/#url-pattern-match */
  exec(input: unknown = {}, baseURL?: unknown): URLPatternResult | null {
    const components = this.#components;
    const what = toInput(input);
    const base = baseURL === undefined ? undefined : toUSVString(baseURL);
    const values = valuesOfInput(what, base);
    if (values === null) return null;
    const result = { inputs: base === undefined ? [what] : [what, base] } as URLPatternResult;
    for (const name of componentNames) {
      const match = components[name].match(values[name]);
      if (match === null) return null;
      result[name] = match;
    }
    return result;
  }
}

shapeInterface(URLPattern, 'URLPattern', { '': 0, test: 0, exec: 0 });
registerInspector(URLPattern.prototype, (pattern: URLPattern) =>
  componentNames.map((name): [string, unknown] => [name, pattern[name]]),
);
