// https://urlpattern.spec.whatwg.org/#parse-a-pattern-string

import {
  fullWildcard,
  type Modifier,
  type Part,
  type PartType,
  type PatternOptions,
  segmentWildcard,
} from './parts.ts';
import { type Token, type TokenType, tokenize } from './tokenizer.ts';

/** Brings fixed text into the form that it has in a URL; throws a TypeError where it can be no part of one. */
export type Canonicalize = (text: string) => string;

class PatternParser {
  #tokens: Token[];
  #options: PatternOptions;
  #canonicalize: Canonicalize;
  #parts: Part[] = [];
  #names = new Set<string>();
  #pendingText = '';
  #nextNumber = 0;
  #index = 0;

  constructor(input: string, options: PatternOptions, canonicalize: Canonicalize) {
    this.#tokens = tokenize(input, 'strict');
    this.#options = options;
    this.#canonicalize = canonicalize;
  }

  #take(...types: TokenType[]): Token | null {
    const token = this.#tokens[this.#index] as Token;
    if (!types.includes(token.type)) return null;
    this.#index++;
    return token;
  }

  #require(type: TokenType): void {
    if (this.#take(type)) return;
    const { value, index } = this.#tokens[this.#index] as Token;
    throw new TypeError(`'${value}' at index ${index} of the pattern does not belong there`);
  }

  #takeModifier(): Modifier {
    return (this.#take('other-modifier', 'asterisk')?.value ?? '') as Modifier;
  }

  /** A bare asterisk is a wildcard; behind a name it is a modifier. */
  #takeRegExpOrWildcard(name: Token | null): Token | null {
    return name === null ? this.#take('regexp', 'asterisk') : this.#take('regexp');
  }

  #takeText(): string {
    let text = '';
    for (let token = this.#take('char', 'escaped-char'); token; token = this.#take('char', 'escaped-char')) {
      text += token.value;
    }
    return text;
  }

  #addText(text: string, modifier: Modifier): void {
    const value = this.#canonicalize(text);
    this.#parts.push({ type: 'fixed-text', value, modifier, name: '', prefix: '', suffix: '' });
  }

  #flushText(): void {
    const text = this.#pendingText;
    this.#pendingText = '';
    if (text !== '') this.#addText(text, '');
  }

  /** https://urlpattern.spec.whatwg.org/#add-a-part */
  #addPart(prefix: string, name: Token | null, matcher: Token | null, suffix: string, modifier: Modifier): void {
    if (name === null && matcher === null) {
      if (modifier === '') {
        this.#pendingText += prefix;
        return;
      }
      this.#flushText();
      if (prefix !== '') this.#addText(prefix, modifier);
      return;
    }
    this.#flushText();
    const segment = segmentWildcard(this.#options);
    let value = matcher === null ? segment : matcher.type === 'asterisk' ? fullWildcard : matcher.value;
    let type: PartType = 'regexp';
    if (value === segment) type = 'segment-wildcard';
    else if (value === fullWildcard) type = 'full-wildcard';
    if (type !== 'regexp') value = '';
    const partName = name === null ? String(this.#nextNumber++) : name.value;
    if (this.#names.has(partName)) throw new TypeError(`The pattern has the name '${partName}' twice`);
    this.#names.add(partName);
    this.#parts.push({
      type,
      value,
      modifier,
      name: partName,
      prefix: this.#canonicalize(prefix),
      suffix: this.#canonicalize(suffix),
    });
  }

  run(): Part[] {
    while (this.#index < this.#tokens.length) {
      const char = this.#take('char');
      let name = this.#take('name');
      let matcher = this.#takeRegExpOrWildcard(name);
      if (name !== null || matcher !== null) {
        let prefix = char?.value ?? '';
        if (prefix !== '' && prefix !== this.#options.prefix) {
          this.#pendingText += prefix;
          prefix = '';
        }
        this.#flushText();
        this.#addPart(prefix, name, matcher, '', this.#takeModifier());
        continue;
      }
      const fixed = char ?? this.#take('escaped-char');
      if (fixed !== null) {
        this.#pendingText += fixed.value;
        continue;
      }
      if (this.#take('open') !== null) {
        const prefix = this.#takeText();
        name = this.#take('name');
        matcher = this.#takeRegExpOrWildcard(name);
        const suffix = this.#takeText();
        this.#require('close');
        this.#addPart(prefix, name, matcher, suffix, this.#takeModifier());
        continue;
      }
      this.#flushText();
      this.#require('end');
    }
    return this.#parts;
  }
}

/** Throws a TypeError that says where the pattern is wrong. */
export function parsePattern(input: string, options: PatternOptions, canonicalize: Canonicalize): Part[] {
  return new PatternParser(input, options, canonicalize).run();
}
