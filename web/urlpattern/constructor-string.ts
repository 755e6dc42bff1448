// https://urlpattern.spec.whatwg.org/#constructor-string-parsing: takes "https://*.example.com/:id" apart.

import { canonicalizeProtocol } from './canonicalize.ts';
import { Component, type ComponentName, componentNames, defaultOptions } from './component.ts';
import { codePoints, type Token, tokenize } from './tokenizer.ts';

type State = 'init' | 'authority' | ComponentName | 'done';

type Parts = Partial<Record<ComponentName, string>>;

/** The states in which a component is left out that a later one follows. */
const before = (state: State, component: ComponentName): boolean =>
  state === 'authority' || componentNames.indexOf(state as ComponentName) < componentNames.indexOf(component);

class ConstructorStringParser {
  #points: readonly string[];
  #tokens: readonly Token[];
  #result: Parts = {};
  #state: State = 'init';
  #componentStart = 0;
  #index = 0;
  #increment = 1;
  #groupDepth = 0;
  #bracketDepth = 0;
  #special = false;

  constructor(input: string) {
    this.#points = codePoints(input);
    this.#tokens = tokenize(input, 'lenient');
  }

  #token(index: number): Token {
    return (this.#tokens[index] ?? this.#tokens.at(-1)) as Token;
  }

  #component(): string {
    return this.#points.slice(this.#token(this.#componentStart).index, this.#token(this.#index).index).join('');
  }

  /** Whether the token stands for itself, and is this. */
  #isPlain(value: string, index = this.#index): boolean {
    const token = this.#token(index);
    return token.value === value && ['char', 'escaped-char', 'invalid-char'].includes(token.type);
  }

  #isSearchPrefix(): boolean {
    if (this.#isPlain('?')) return true;
    if (this.#token(this.#index).value !== '?') return false;
    // Behind something that can be optional it is a modifier.
    const previous = this.#index - 1;
    return previous < 0 || !['name', 'regexp', 'close', 'asterisk'].includes(this.#token(previous).type);
  }

  #rewind(): void {
    this.#index = this.#componentStart;
    this.#increment = 0;
  }

  #rewindTo(state: State): void {
    this.#rewind();
    this.#state = state;
  }

  #change(state: State, skip: number): void {
    const old = this.#state;
    const result = this.#result;
    if (old !== 'init' && old !== 'authority' && old !== 'done') result[old] = this.#component();
    if (old !== 'init' && state !== 'done') {
      // What comes before a component that is there is empty where it is not there, and matches not just anything.
      const later = (component: ComponentName): boolean => before(component, state as ComponentName);
      if (before(old, 'hostname') && later('hostname')) result.hostname ??= '';
      if (before(old, 'pathname') && later('pathname')) result.pathname ??= this.#special ? '/' : '';
      if (before(old, 'search') && later('search')) result.search ??= '';
    }
    this.#state = state;
    this.#index += skip;
    this.#componentStart = this.#index;
    this.#increment = 0;
  }

  /** Whether a component later than those up to `last` begins here. */
  #begins(...components: ('pathname' | 'search' | 'hash')[]): boolean {
    for (const component of components) {
      if (component === 'pathname' && this.#isPlain('/')) this.#change(component, 0);
      else if (component === 'search' && this.#isSearchPrefix()) this.#change(component, 1);
      else if (component === 'hash' && this.#isPlain('#')) this.#change(component, 1);
      else continue;
      return true;
    }
    return false;
  }

  #end(): void {
    if (this.#state === 'init') {
      // There was no protocol: the text is relative.
      this.#rewind();
      if (this.#isPlain('#')) this.#change('hash', 1);
      else if (this.#isSearchPrefix()) this.#change('search', 1);
      else this.#change('pathname', 0);
    } else if (this.#state === 'authority') {
      this.#rewindTo('hostname');
    } else {
      this.#change('done', 0);
    }
  }

  #endProtocol(): void {
    this.#special = new Component(this.#component(), defaultOptions, canonicalizeProtocol).matchesSpecialScheme();
    if (this.#isPlain('/', this.#index + 1) && this.#isPlain('/', this.#index + 2)) this.#change('authority', 3);
    else this.#change(this.#special ? 'authority' : 'pathname', 1);
  }

  #step(): void {
    switch (this.#state) {
      case 'init':
        if (this.#isPlain(':')) this.#rewindTo('protocol');
        break;
      case 'protocol':
        if (this.#isPlain(':')) this.#endProtocol();
        break;
      case 'authority':
        if (this.#isPlain('@')) this.#rewindTo('username');
        else if (this.#isPlain('/') || this.#isSearchPrefix() || this.#isPlain('#')) this.#rewindTo('hostname');
        break;
      case 'username':
        if (this.#isPlain(':')) this.#change('password', 1);
        else if (this.#isPlain('@')) this.#change('hostname', 1);
        break;
      case 'password':
        if (this.#isPlain('@')) this.#change('hostname', 1);
        break;
      case 'hostname':
        if (this.#isPlain('[')) this.#bracketDepth++;
        else if (this.#isPlain(']')) this.#bracketDepth--;
        else if (this.#isPlain(':') && this.#bracketDepth === 0) this.#change('port', 1);
        else this.#begins('pathname', 'search', 'hash');
        break;
      case 'port':
        this.#begins('pathname', 'search', 'hash');
        break;
      case 'pathname':
        this.#begins('search', 'hash');
        break;
      case 'search':
        this.#begins('hash');
        break;
    }
  }

  run(): Parts {
    while (this.#index < this.#tokens.length && this.#state !== 'done') {
      this.#increment = 1;
      const { type } = this.#token(this.#index);
      if (type === 'end') this.#end();
      else if (type === 'open') this.#groupDepth++;
      else if (this.#groupDepth > 0 && type === 'close') this.#groupDepth--;
      else if (this.#groupDepth === 0) this.#step();
      this.#index += this.#increment;
    }
    if (this.#result.hostname !== undefined) this.#result.port ??= '';
    return this.#result;
  }
}

export function parseConstructorString(input: string): Parts {
  return new ConstructorStringParser(input).run();
}
