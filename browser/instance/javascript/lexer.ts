// Where a module says what it imports and exports. It knows of JavaScript what telling texts, comments and regular expressions
// apart takes, and nothing more; engines find mistakes. es-module-lexer gives the same in three times the code, and is what it is
// tested against.

/** A static import, an `export ... from`, an import() or an import.meta. */
export interface ImportFound {
  /** The specifier, where the source says it. */
  n: string | undefined;
  /** What is between its quotes, or import.meta itself. */
  s: number;
  e: number;
  /** The statement, or the call. */
  ss: number;
  se: number;
  /** -1: static; -2: import.meta; else that of an import()'s parenthesis. */
  d: number;
  /** Where the `{` of attributes stands, or -1. */
  a: number;
  /** "source" or "defer". */
  phase: string | undefined;
}

export interface ExportFound {
  n: string;
  /** The name in the module; undefined for what it passes on, and for a default without name. */
  ln: string | undefined;
  /** The exported name. */
  s: number;
  e: number;
  /** The word `export` of its statement. */
  ss: number;
}

/** Nothing that a JavaScript engine takes either. `idx`: where. */
export class LexError extends SyntaxError {
  readonly idx: number;

  constructor(idx: number) {
    super('the source cannot be read on from here');
    this.idx = idx;
  }
}

const space = /(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*/y;
// Numbers count as words: the parts of 1.5e-3 stand for an operand as well as the whole does.
const token =
  /[\w$\\\u0080-\uffff]+|#[\w$\\\u0080-\uffff]+|'[^'\\\r\n]*(?:\\[\s\S][^'\\\r\n]*)*'|"[^"\\\r\n]*(?:\\[\s\S][^"\\\r\n]*)*"|\+\+|--|=>|\.{3}|\?\.|[\s\S]/y;
const regularExpression = /\/(?:[^/\\[\r\n]|\\.|\[(?:[^\]\\\r\n]|\\.)*\])+\/[\w$]*/y;
const templatePart = /[^`\\$]*(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*)*(?:`|\$\{)/y;
/** Words before which no operand has ended. */
const operator =
  /^(?:return|typeof|case|do|else|in|instanceof|new|void|delete|throw|yield|await|default|extends|const|let|var)$/;
const closes: Record<string, string> = { '(': ')', '[': ']', '{': '}', '${': '}' };

class Tokens {
  readonly #source: string;
  text = '';
  start = 0;
  end = 0;
  /** The end of the one before. */
  before = 0;
  /** Whether a line ends before it. */
  newline = false;
  /** Whether an operand has ended before it: a slash divides then. */
  operand = false;
  /** Whether something is open after it that was not before. */
  opens = false;
  /** Whether an operand ends with it. */
  #ends = false;
  /** What is open, with what is so once it is closed. */
  readonly open: { bracket: string; ends: boolean }[] = [];
  /** The one before. */
  last = '';

  constructor(source: string) {
    this.#source = source;
    if (source.startsWith('#!')) this.end = /.*/.exec(source)![0].length;
    this.next();
  }

  get over(): boolean {
    return this.text === '';
  }

  get isString(): boolean {
    return this.text[0] === "'" || this.text[0] === '"';
  }

  get isWord(): boolean {
    return /^[\w$\\\u0080-\uffff]/.test(this.text);
  }

  at(text: string): boolean {
    return this.text === text;
  }

  /** Whether it is the word itself, and not a property of that name. */
  is(word: string): boolean {
    return this.text === word && this.last !== '.' && this.last !== '?.';
  }

  /** The characters that it stands for where it is a text and nothing else. */
  get literal(): string | undefined {
    const whole = this.#source.slice(this.start, this.end);
    return /^['"]/.test(whole) || /^`(?:[^\\$]|\\[\s\S]|\$(?!\{))*`$/.test(whole) ? unquoted(whole) : undefined;
  }

  #read(pattern: RegExp, from: number): string {
    pattern.lastIndex = from;
    const found = pattern.exec(this.#source);
    if (found === null) throw new LexError(from);
    return found[0];
  }

  next(): void {
    const beforeLast = this.last;
    this.last = this.text;
    this.before = this.end;
    const gap = this.#read(space, this.end);
    this.newline = /[\n\r\u2028\u2029]/.test(gap);
    this.operand = this.#ends;
    this.start = this.end + gap.length;
    if (this.start >= this.#source.length) {
      this.text = '';
      if (this.open.length > 0) throw new LexError(this.start);
      return;
    }
    this.text = this.#read(token, this.start);
    if (this.text === '/' && !this.operand) this.text = this.#read(regularExpression, this.start);
    if (this.text === '"' || this.text === "'") throw new LexError(this.start);
    this.end = this.start + this.text.length;
    const depth = this.open.length;
    this.#classify(beforeLast);
    this.opens = this.open.length > depth;
  }

  #classify(beforeLast: string): void {
    const { text } = this;
    const last = this.last;
    if (text === '(') {
      // What follows `if (...)` is a statement.
      this.open.push({ bracket: text, ends: !(/^(?:if|while|for|with)$/.test(last) && beforeLast !== '.') });
    } else if (text === '[') {
      this.open.push({ bracket: text, ends: true });
    } else if (text === '{') {
      // A block, or an object where an operand is expected.
      const block = this.operand || /^(?:=>|;|\{|\}|do|else|)$/.test(last) || (last === ')' && !this.operand);
      this.open.push({ bracket: text, ends: !block });
    } else if (text === '`') {
      this.#template();
      return;
    } else if (text === ')' || text === ']' || text === '}') {
      const opened = this.open.pop();
      if (opened === undefined || closes[opened.bracket] !== text) throw new LexError(this.start);
      if (opened.bracket === '${') {
        this.#template();
        return;
      }
      this.#ends = opened.ends;
      return;
    } else if (text === '++' || text === '--') {
      // Behind an operand, or before one.
      this.#ends = this.operand;
      return;
    }
    this.#ends =
      this.isString || (this.isWord && (last === '.' || last === '?.' || !operator.test(text))) || /^[/#]./.test(text);
  }

  /** On from a backtick, or from the brace that ends an expression within a template. */
  #template(): void {
    const part = this.#read(templatePart, this.end);
    this.end += part.length;
    // So that nobody takes it for the brace that it may be.
    this.text = '`';
    if (part.endsWith('`')) {
      this.#ends = true;
    } else {
      this.open.push({ bracket: '${', ends: true });
      this.#ends = false;
    }
  }
}

/** The characters that a text in quotes stands for. */
function unquoted(text: string): string {
  return text.includes('\\') ? Function(`return ${text}`)() : text.slice(1, -1);
}

/** `lists`: where statements `export { ... }` begin, and their braces end. Throws a LexError. */
export function parse(source: string): [imports: ImportFound[], exports: ExportFound[], lists: [number, number][]] {
  const reader = new Reader(source);
  reader.read();
  const { imports, exports, lists } = reader;
  // In the order of the source.
  return [imports.sort((a, b) => a.ss - b.ss), exports, lists];
}

class Reader {
  readonly imports: ImportFound[] = [];
  readonly exports: ExportFound[] = [];
  readonly lists: [number, number][] = [];
  readonly #source: string;
  readonly #tokens: Tokens;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = new Tokens(source);
  }

  read(): void {
    const tokens = this.#tokens;
    while (!tokens.over) {
      if (tokens.is('export') && tokens.open.length === 0) this.#readExport();
      else this.#step();
    }
  }

  /** Past a token, or an import. */
  #step(): void {
    if (this.#tokens.is('import')) this.#readImport();
    else this.#tokens.next();
  }

  /** Past a token, with what it opens. */
  #stepOver(): void {
    const tokens = this.#tokens;
    const depth = tokens.open.length;
    const { opens } = tokens;
    this.#step();
    if (!opens) return;
    while (!tokens.over && tokens.open.length >= depth) this.#step();
  }

  #readImport(): void {
    const tokens = this.#tokens;
    const ss = tokens.start;
    let phase: string | undefined;
    tokens.next();
    if (tokens.at('.')) {
      tokens.next();
      if (tokens.at('meta')) {
        this.imports.push({ n: undefined, s: ss, e: tokens.end, ss, se: tokens.end, d: -2, a: -1, phase });
        tokens.next();
        return;
      }
      phase = tokens.text;
      tokens.next();
    }
    if (tokens.at('(')) {
      this.#readCall(ss, phase);
      return;
    }
    const depth = tokens.at('{') ? 1 : 0;
    if (tokens.open.length > depth || !(tokens.isString || tokens.isWord || /^[{*]$/.test(tokens.text))) return;
    const word = tokens.text;
    // Names may be in quotes too.
    while (!tokens.over && (tokens.open.length > 0 || !(tokens.isString || /^[;=(]$/.test(tokens.text)))) tokens.next();
    if (!tokens.isString) return;
    if (/^import\s+(?:source|defer)\s+(?!from\b|,)/.test(this.#source.slice(ss, tokens.start))) phase = word;
    this.#readFrom(ss, phase);
  }

  /** import(), from the parenthesis on. */
  #readCall(ss: number, phase: string | undefined): void {
    const tokens = this.#tokens;
    const d = tokens.start;
    const depth = tokens.open.length;
    tokens.next();
    const { literal, start: s, end } = tokens;
    const found: ImportFound = { n: undefined, s, e: s, ss, se: s, d, a: -1, phase };
    this.imports.push(found);
    const endSpecifier = (): void => {
      if (found.e > s) return;
      found.e = tokens.before;
      if (found.e === end) found.n = literal;
    };
    while (!tokens.over && tokens.open.length >= depth) {
      if (tokens.open.length === depth && tokens.at(',')) endSpecifier();
      this.#step();
    }
    endSpecifier();
    found.se = tokens.end;
    tokens.next();
    // A method of that name.
    if (tokens.at('{') && !tokens.newline) this.imports.splice(this.imports.indexOf(found), 1);
  }

  /** From the specifier of a statement on. */
  #readFrom(ss: number, phase?: string): void {
    const tokens = this.#tokens;
    const { start, end } = tokens;
    const found: ImportFound = { n: tokens.literal, s: start + 1, e: end - 1, ss, se: end, d: -1, a: -1, phase };
    this.imports.push(found);
    tokens.next();
    if (!tokens.at('with') && (!tokens.at('assert') || tokens.newline)) return;
    tokens.next();
    if (!tokens.at('{')) return;
    found.a = tokens.start;
    while (!tokens.over && !tokens.at('}')) tokens.next();
    found.se = tokens.end;
    tokens.next();
  }

  /** The current token as an exported name. */
  #add(ss: number, name: string, local: string | undefined): void {
    this.exports.push({ n: name, ln: local, s: this.#tokens.start, e: this.#tokens.end, ss });
  }

  #readExport(): void {
    const tokens = this.#tokens;
    const ss = tokens.start;
    tokens.next();
    if (tokens.at('*')) this.#readStar(ss);
    else if (tokens.at('{')) this.#readList(ss);
    else if (/^(?:const|let|var)$/.test(tokens.text)) this.#readDeclarators(ss);
    else this.#readDeclaration(ss);
  }

  /** From the word after `export` on. */
  #readDeclaration(ss: number): void {
    const tokens = this.#tokens;
    const isDefault = tokens.at('default');
    if (isDefault) {
      this.#add(ss, 'default', undefined);
      tokens.next();
    }
    if (tokens.at('async')) {
      tokens.next();
      if (!tokens.at('function')) return;
    }
    if (!tokens.at('function') && !tokens.at('class')) return;
    tokens.next();
    if (tokens.at('*')) tokens.next();
    if (!tokens.isWord || tokens.at('extends')) return;
    if (isDefault) this.exports.at(-1)!.ln = tokens.text;
    else this.#add(ss, tokens.text, tokens.text);
  }

  #readStar(ss: number): void {
    const tokens = this.#tokens;
    tokens.next();
    if (tokens.at('as')) {
      tokens.next();
      this.#add(ss, this.#name(), undefined);
      tokens.next();
    }
    // The word `from`.
    tokens.next();
    if (tokens.isString) this.#readFrom(ss);
  }

  #name(): string {
    return this.#tokens.literal ?? this.#tokens.text;
  }

  #readList(ss: number): void {
    const tokens = this.#tokens;
    const first = this.exports.length;
    tokens.next();
    while (!tokens.over && !tokens.at('}')) {
      const local = this.#name();
      this.#add(ss, local, local);
      tokens.next();
      if (tokens.at('as')) {
        tokens.next();
        this.exports.pop();
        this.#add(ss, this.#name(), local);
        tokens.next();
      }
      if (tokens.at(',')) tokens.next();
    }
    const { end } = tokens;
    tokens.next();
    if (!tokens.at('from')) {
      this.lists.push([ss, end]);
      return;
    }
    for (const each of this.exports.slice(first)) each.ln = undefined;
    tokens.next();
    if (tokens.isString) this.#readFrom(ss);
  }

  /** From the word on that declares. */
  #readDeclarators(ss: number): void {
    const tokens = this.#tokens;
    tokens.next();
    // An operand after an operand, on another line: the next statement.
    const ended = (): boolean =>
      tokens.newline &&
      (tokens.operand || tokens.last === '}') &&
      (tokens.isWord || tokens.isString) &&
      !/^in(?:stanceof)?$/.test(tokens.text);
    for (;;) {
      this.#readPattern(ss);
      while (!tokens.over && !tokens.at(',') && !tokens.at(';') && !ended()) this.#stepOver();
      if (!tokens.at(',')) return;
      tokens.next();
    }
  }

  #readPattern(ss: number): void {
    const tokens = this.#tokens;
    const { text } = tokens;
    if (text !== '{' && text !== '[') {
      if (tokens.isWord) this.#add(ss, text, text);
      tokens.next();
      return;
    }
    const depth = tokens.open.length;
    tokens.next();
    while (!tokens.over && tokens.open.length >= depth) {
      if (tokens.at('...')) tokens.next();
      if (tokens.at(',')) {
        tokens.next();
        continue;
      }
      if (text === '{') this.#readProperty(ss);
      else this.#readPattern(ss);
      // A default.
      while (!tokens.over && tokens.open.length >= depth && !tokens.at(',')) this.#stepOver();
    }
    tokens.next();
  }

  #readProperty(ss: number): void {
    const tokens = this.#tokens;
    const { text, isWord } = tokens;
    if (isWord) this.#add(ss, text, text);
    this.#stepOver();
    if (text === '[') tokens.next();
    if (!tokens.at(':')) return;
    if (isWord) this.exports.pop();
    tokens.next();
    this.#readPattern(ss);
  }
}
