// https://urlpattern.spec.whatwg.org/#tokenizing

export type TokenType =
  | 'open'
  | 'close'
  | 'regexp'
  | 'name'
  | 'char'
  | 'escaped-char'
  | 'other-modifier'
  | 'asterisk'
  | 'end'
  | 'invalid-char';

export interface Token {
  type: TokenType;
  /** Where it begins, in code points. */
  index: number;
  value: string;
}

/** Lenient: what is wrong becomes a token of its own, because a constructor string is only taken apart. */
export type TokenizePolicy = 'strict' | 'lenient';

const simple: Record<string, TokenType> = {
  '*': 'asterisk',
  '+': 'other-modifier',
  '?': 'other-modifier',
  '{': 'open',
  '}': 'close',
};

/** https://urlpattern.spec.whatwg.org/#is-a-valid-name-code-point */
export function isNameCodePoint(codePoint: string, first: boolean): boolean {
  return first ? /^[$_\p{ID_Start}]$/u.test(codePoint) : /^(?:\u200c|\u200d|[$_\p{ID_Continue}])$/u.test(codePoint);
}

function isAscii(codePoint: string): boolean {
  return codePoint < '\x80';
}

/** Patterns are read by code points, not by code units. */
export function codePoints(text: string): string[] {
  return [...text];
}

class Tokenizer {
  #points: readonly string[];
  #policy: TokenizePolicy;
  #tokens: Token[] = [];
  #index = 0;

  constructor(input: string, policy: TokenizePolicy) {
    this.#points = codePoints(input);
    this.#policy = policy;
  }

  /** The next token goes on to `next`; its value is what lies between `start` and `end`. */
  #add(type: TokenType, next: number, start: number, end: number): void {
    this.#tokens.push({ type, index: this.#index, value: this.#points.slice(start, end).join('') });
    this.#index = next;
  }

  #error(what: string, next: number, start: number): void {
    if (this.#policy === 'strict') throw new TypeError(`${what} at index ${this.#index} of the pattern`);
    this.#add('invalid-char', next, start, next);
  }

  #name(): void {
    const start = this.#index + 1;
    let end = start;
    while (end < this.#points.length && isNameCodePoint(this.#points[end] as string, end === start)) end++;
    if (end === start) this.#error('A name is missing', start, this.#index);
    else this.#add('name', end, start, end);
  }

  /** The index behind the closing parenthesis, or what is wrong. */
  #endOfRegExp(start: number): number | string {
    const points = this.#points;
    let depth = 1;
    for (let at = start; at < points.length; at++) {
      const point = points[at] as string;
      if (!isAscii(point)) return 'A regular expression has a character beyond ASCII';
      if (at === start && point === '?') return "A regular expression begins with '?'";
      if (point === '\\') {
        const escaped = points[++at];
        if (escaped === undefined || !isAscii(escaped)) return 'A regular expression has a wrong escape';
      } else if (point === ')') {
        if (--depth === 0) return at === start ? 'A regular expression is empty' : at + 1;
      } else if (point === '(') {
        depth++;
        if (points[at + 1] !== '?') return 'A regular expression has a capturing group';
      }
    }
    return 'A regular expression does not end';
  }

  #regExp(): void {
    const start = this.#index + 1;
    const end = this.#endOfRegExp(start);
    if (typeof end === 'string') this.#error(end, start, this.#index);
    else this.#add('regexp', end, start, end - 1);
  }

  run(): Token[] {
    const points = this.#points;
    while (this.#index < points.length) {
      const at = this.#index;
      const point = points[at] as string;
      const type = simple[point];
      if (type !== undefined) this.#add(type, at + 1, at, at + 1);
      else if (point === ':') this.#name();
      else if (point === '(') this.#regExp();
      else if (point !== '\\') this.#add('char', at + 1, at, at + 1);
      else if (at + 1 < points.length) this.#add('escaped-char', at + 2, at + 1, at + 2);
      else this.#error('An escaped character is missing', at + 1, at);
    }
    this.#add('end', points.length, points.length, points.length);
    return this.#tokens;
  }
}

export function tokenize(input: string, policy: TokenizePolicy): Token[] {
  return new Tokenizer(input, policy).run();
}
