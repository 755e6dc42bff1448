// What a module imports and exports, and its source rewritten so that a linker can load it: as a module whose specifiers
// are other URLs, or as a function. Lines stay where they are, and columns as far as possible.
import { locateSyntaxError, syntaxErrorAt } from './errors.ts';
import { type ImportFound, type LexError, parse } from './lexer.ts';

// Of the global's scope, and sloppy: the linkers need `with`.
// biome-ignore lint/security/noGlobalEval: a service worker has no other way to load code
const evaluate = globalThis.eval;

/** The value of an expression that holds a file's source, or a SyntaxError with its place in the file. */
function compile(head: string, body: string, tail: string, url: string, source: string, tag = ''): unknown {
  try {
    return evaluate(`${head}${body}${tail}${named(url + tag)}`);
  } catch (error) {
    locateSyntaxError(error, url, source, head.length);
    throw error;
  }
}

/** What a module's code needs of its linker. */
export interface ModuleLinks {
  global: object;
  /** A getter for each name that the module imports. */
  imports: object;
  meta: object;
  import(specifier: unknown, options?: unknown): Promise<object>;
  exports(getters: Record<string, () => unknown>): void;
}

export type ModuleFunction = (links: ModuleLinks) => () => Generator<void> | AsyncGenerator<void>;

export interface ScriptLinks {
  global: object;
  /** Has the names that the script assigns to and nothing declares. */
  undeclared: object;
  import(specifier: unknown, options?: unknown): Promise<object>;
  declare(accessors: Record<string, [get: () => unknown, set: (value: unknown) => void]>): void;
}

export type ScriptFunction = (links: ScriptLinks) => (this: object) => void;

/** `import`, or `export ... from`. */
export interface ModuleRequest {
  specifier: string;
  attributes: ReadonlyArray<readonly [string, string]>;
}

/** A name that the module's code uses and another module exports; `imported` null: all of that module. */
export interface ImportedName {
  local: string;
  imported: string | null;
  request: number;
}

export interface Analysis {
  /** In the order of the source: that of evaluation. */
  requests: ModuleRequest[];
  imports: ImportedName[];
  /** What the module declares, by exported name: the name in its code. */
  exports: Map<string, string>;
  /** What it passes on, by exported name; `imported` null: all of that module. */
  reexports: Map<string, { imported: string | null; request: number }>;
  /** `export * from`. */
  stars: number[];
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

/** The parts of a source that are of interest, as the lexer finds them. */
interface Lexed {
  source: string;
  imports: ReadonlyArray<ImportFound>;
  /** Statements `import ...` and `export ... from ...`, in order; their index is that of the request. */
  statements: Statement[];
  analysis: Analysis;
  /** The local name of a default export that has none. */
  defaultName: string;
  edits: Edit[];
}

interface Statement {
  start: number;
  end: number;
  specifierStart: number;
}

/** A name that does not occur in the source, beginning with `base`. */
function freeName(source: string, base: string): string {
  let name = base;
  for (let count = 0; source.includes(name); count++) name = `${base.slice(0, -1)}${count}`;
  return name;
}

const newlines = (text: string): string => text.replace(/[^\n]/g, '');
const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

const token =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')|([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)|([{},*])/gu;

/** Blanks and comments. */
const gap = String.raw`(?:\s|/\*[\s\S]*?\*/|//[^\n]*)*`;
const leadingGap = new RegExp(`^${gap}`);
const lastFrom = new RegExp(String.raw`\bfrom${gap}$`);
const saysStrict = new RegExp(String.raw`^${gap}(['"])use strict\1`);

interface Token {
  text: string;
  end: number;
}

function* tokensOf(text: string): Generator<Token> {
  for (const match of text.matchAll(token)) {
    const [whole, string, word, sign] = match;
    const found = string ?? word ?? sign;
    if (found !== undefined) yield { text: found, end: match.index + whole.length };
  }
}

/** The characters that a name in quotes stands for. */
const unquoted = (text: string): string => (/^['"]/.test(text) ? Function(`return ${text}`)() : text);

/** The attributes of an import, from `{` on. */
function pairsOf(text: string): [string, string][] {
  const names = [...tokensOf(text)].map((each) => each.text).filter((each) => !/^[{},]$/.test(each));
  return names.flatMap((name, at) => (at % 2 === 0 ? [[unquoted(name), unquoted(names[at + 1]!)]] : []));
}

/** What a clause like `a, { b as c, 'x-y' as d }` or `* as e` brings. */
function namesOf(clause: string, request: number): ImportedName[] {
  const names: ImportedName[] = [];
  const tokens = [...tokensOf(clause)].map(({ text }) => text);
  let braces = false;
  for (let at = 0; at < tokens.length; at++) {
    const text = tokens[at]!;
    if (text === '{') braces = true;
    if (/^[{},]$/.test(text)) continue;
    if (text === '*') {
      names.push({ local: tokens[at + 2]!, imported: null, request });
      at += 2;
    } else if (!braces) {
      names.push({ local: text, imported: 'default', request });
    } else if (tokens[at + 1] === 'as') {
      names.push({ local: tokens[at + 2]!, imported: unquoted(text), request });
      at += 2;
    } else {
      names.push({ local: text, imported: text, request });
    }
  }
  return names;
}

function lex(source: string): Lexed {
  const [imports, exports, lists] = parse(source);
  const analysis: Analysis = { requests: [], imports: [], exports: new Map(), reexports: new Map(), stars: [] };
  const lexed: Lexed = {
    source,
    imports,
    statements: [],
    analysis,
    defaultName: freeName(source, '$export'),
    edits: [],
  };
  for (const { n, s, ss, se, d, a, phase } of imports) {
    if (phase !== undefined) throw new SyntaxError(`"import ${phase}" is not supported`);
    if (d !== -1) continue;
    const request =
      analysis.requests.push({ specifier: n!, attributes: a < 0 ? [] : pairsOf(source.slice(a, se)) }) - 1;
    lexed.statements.push({ start: ss, end: se, specifierStart: s - 1 });
    const clause = source.slice(ss + 'import'.length, s - 1).replace(lastFrom, '');
    if (source.startsWith('import', ss)) {
      analysis.imports.push(...namesOf(clause, request));
    } else {
      for (const { local, imported } of namesOf(clause, request)) {
        if (local === undefined) analysis.stars.push(request);
        else analysis.reexports.set(unquoted(local), { imported, request });
      }
    }
  }
  for (const { n, ln, e, ss } of exports) {
    if (lexed.statements.some((statement) => statement.start === ss)) continue;
    analysis.exports.set(n, ln ?? lexed.defaultName);
    if (!lists.some(([start]) => start === ss)) removeExport(lexed, ss, n === 'default' ? e : null);
  }
  for (const [start, end] of lists) {
    lexed.edits.push({ start, end, text: `${newlines(source.slice(start, end))};` });
  }
  return lexed;
}

/** Takes the word `export` away. `afterDefault`: where the word `default` ends. */
function removeExport(lexed: Lexed, start: number, afterDefault: number | null): void {
  const { edits } = lexed;
  if (afterDefault !== null) removeDefault(lexed, start, afterDefault);
  else if (edits.at(-1)?.start !== start) edits.push({ start, end: start + 'export'.length, text: blank('export') });
}

function removeDefault({ source, edits, defaultName }: Lexed, start: number, end: number): void {
  const whole = source.slice(start, end);
  const space = leadingGap.exec(source.slice(end))![0].length;
  const rest = source.slice(end + space);
  const declared = /^(async[^\S\n]+)?function\b\s*\*?\s*|^class\b\s*/.exec(rest);
  if (declared === null) {
    const text = `const ${defaultName}=`;
    edits.push({ start, end, text: text.padEnd(whole.length - newlines(whole).length) + newlines(whole) });
    return;
  }
  edits.push({ start, end, text: blank(whole) });
  const after = end + space + declared[0].length;
  // A class that extends something has no name before it.
  if (/^[({]|^extends\b/.test(source.slice(after))) edits.push({ start: after, end: after, text: ` ${defaultName} ` });
}

function apply(source: string, edits: Edit[]): string {
  let text = '';
  let at = 0;
  for (const edit of edits.sort((a, b) => a.start - b.start || a.end - b.end)) {
    text += source.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  // The first line may name the program that runs a file.
  return (text + source.slice(at)).replace(/^#!/, '//');
}

// A name that is looked up through `with` costs a hundred times that of a variable. These are looked up once for each file:
// nobody replaces them, except before all others.
const builtins =
  'undefined NaN Infinity Object Array String Number Boolean Symbol BigInt Math JSON Date RegExp Map Set WeakMap WeakSet ' +
  'Promise Proxy Reflect Error TypeError RangeError ArrayBuffer DataView Uint8Array Uint16Array Uint32Array Int8Array ' +
  'Int16Array Int32Array Float32Array Float64Array Uint8ClampedArray BigInt64Array BigUint64Array parseInt parseFloat ' +
  'isNaN isFinite encodeURIComponent decodeURIComponent';

/** A declaration of those that occur in the source, for within `with`. */
function builtinsIn(source: string, valor: string, except: string[] = []): string {
  const found = builtins.split(' ').filter((name) => source.includes(name) && !except.includes(name));
  const names = found.filter((name) => !new RegExp(`(?<![.\\w$])${name}\\s*=(?![=>])`).test(source));
  return names.length === 0 ? '' : `const {${names.join()}}=${valor}.global;`;
}

const named = (url: string): string => `\n//# sourceURL=${url}`;

export class ModuleSource {
  readonly url: string;
  readonly #lexed: Lexed;

  /** Throws a SyntaxError. `url`: import.meta.url. */
  constructor(source: string, url: string) {
    this.url = url;
    try {
      this.#lexed = lex(source);
    } catch (error) {
      const { idx: offset } = error as LexError;
      if (offset === undefined) locateSyntaxError(error, url, source);
      throw offset === undefined ? error : syntaxErrorAt(offset, url, source);
    }
  }

  get analysis(): Analysis {
    return this.#lexed.analysis;
  }

  /** The local name of a default export without name of its own. */
  get defaultName(): string {
    return this.#lexed.defaultName;
  }

  /** As a module that imports `urls`, by request, and for import(x) calls `importer(url)(x)`. */
  asModule(urls: string[], importer: string): string {
    const { source, statements, imports } = this.#lexed;
    const edits = statements.map(({ specifierStart, end }, request): Edit => {
      const lost = newlines(source.slice(specifierStart, end));
      return { start: specifierStart, end, text: JSON.stringify(urls[request]) + lost };
    });
    let head = '';
    for (const each of imports) {
      if (each.d === -2) head = `import.meta.url=${JSON.stringify(this.url)};`;
    }
    edits.push(...dynamicImports(imports, `${importer}(${JSON.stringify(this.url)})`));
    return head + apply(source, edits) + named(this.url);
  }

  /**
   * As a function that returns a generator function of the module's code. Its first step declares functions and calls
   * `exports` with a getter for each name; the second runs the module. Throws a SyntaxError.
   * `tag` follows the URL in stacks.
   */
  asFunction(tag = ''): ModuleFunction {
    const { source, statements, imports, analysis } = this.#lexed;
    const valor = freeName(source, '$valor');
    const edits = [...this.#lexed.edits];
    for (const { start, end } of statements) edits.push({ start, end, text: `${newlines(source.slice(start, end))};` });
    for (const each of imports) {
      if (each.d === -2) edits.push({ start: each.ss, end: each.se, text: `${valor}.meta` });
    }
    edits.push(...dynamicImports(imports, `${valor}.import`));
    const getters = [...analysis.exports].map(([name, local]) => `${JSON.stringify(name)}:()=>${local}`);
    // Most modules do not wait; those run in one go.
    const async = /\bawait\b/.test(source) ? 'async ' : '';
    const builtins = builtinsIn(
      source,
      valor,
      analysis.imports.map(({ local }) => local),
    );
    const head =
      `(function(${valor}){with(${valor}.global){with(${valor}.imports){${builtins}return ${async}function*(){` +
      `"use strict";${valor}.exports({__proto__:null,${getters.join()}});yield;`;
    return compile(head, apply(source, edits), '\n}}}})', this.url, source, tag) as ModuleFunction;
  }
}

function dynamicImports(imports: ReadonlyArray<ImportFound>, call: string): Edit[] {
  return imports.flatMap(({ d, ss }) => (d >= 0 ? { start: ss, end: ss + 'import'.length, text: call } : []));
}

// ---- classic scripts

/** Names that a classic script declares on its outermost level. */
function declaredNames(source: string): string[] {
  // With `export` before what looks like a declaration, the lexer finds the names, and passes over what only looks so.
  const marked = source.replace(
    /(^|[;{}\n])([^\S\n]*)(?=(?:var|let|const|class|function|async\s+function)\b)/g,
    '$1$2export ',
  );
  try {
    return [...new Set(parse(marked)[1].flatMap(({ ln }) => ln ?? []))];
  } catch {
    return [];
  }
}

/** Names that something is assigned to. Where nothing declares them, a sloppy script makes them properties of the global. */
export function assignedNames(source: string): Set<string> {
  const assignment = /(?<![\w$\u0080-\uffff])([\w$\u0080-\uffff]+)\s*=(?![=>])/g;
  return new Set([...source.matchAll(assignment)].map(([, found]) => found!));
}

/** As a script, in which import(x) calls `importer(url)(x)`. */
export function classicScript(source: string, url: string, importer: string): string {
  return apply(source, importsOfScript(source, `${importer}(${JSON.stringify(url)})`)) + named(url);
}

/** As a function that calls `declare` with what the script declares, and runs it. Throws a SyntaxError. `tag` follows the URL in stacks. */
export function classicFunction(source: string, url: string, tag: string): ScriptFunction {
  const valor = freeName(source, '$valor');
  const names = declaredNames(source);
  const accessors = names.map((name) => `${JSON.stringify(name)}:[()=>${name},(${valor})=>{${name}=${valor}}]`);
  const strict = saysStrict.test(source.replace(/^#!/, '//')) ? '"use strict";' : '';
  const head =
    `(function(${valor}){with(${valor}.undeclared){with(${valor}.global){${builtinsIn(source, valor)}return function(){${strict}` +
    `${valor}.declare({__proto__:null,${accessors.join()}});`;
  const body = apply(source, importsOfScript(source, `${valor}.import`));
  return compile(head, body, '\n}}}})', url, source, tag) as ScriptFunction;
}

function importsOfScript(source: string, call: string): Edit[] {
  if (!/\bimport\b/.test(source)) return [];
  try {
    return dynamicImports(parse(source)[0], call);
  } catch {
    return [];
  }
}

/** The addresses that importScripts() is called with, where the source says them; `place` stands for `location`. */
export function importedScripts(source: string, place: URL): string[] {
  return [...source.matchAll(/\bimportScripts\s*\(([\s\S]*?)\)/g)].flatMap(([, list]) =>
    [...list!.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`/g)].flatMap(
      ([, single, double, template]) => {
        const text = (single ?? double ?? template)!.replace(
          /\$\{\s*(?:(?:self|globalThis)\.)?location(?:\.(href|pathname|origin))?\s*\}/g,
          (_, part: 'href' | 'pathname' | 'origin' | undefined) => place[part ?? 'href'],
        );
        return text.includes('${') ? [] : text;
      },
    ),
  );
}

/** Whether it parses only as a module. Throws a SyntaxError when it parses as nothing. */
export function isModule(source: string, url: string): boolean {
  const script = source.replace(/^#!/, '//');
  try {
    Function(script);
    return false;
  } catch (error) {
    // Not for want of permission to compile text.
    if (!(error instanceof SyntaxError)) return hasModuleSyntax(source);
    // What a module may say that a script may not is never the first mistake: else it is that of the script.
    if (hasModuleSyntax(source) || /import|export|await/.test(error.message)) return true;
    try {
      new ModuleSource(source, url).asFunction();
      return true;
    } catch {
      compile('(function(){', script, '\n})', url, source);
      throw error;
    }
  }
}

function hasModuleSyntax(source: string): boolean {
  try {
    const [imports, exports, lists] = parse(source);
    return exports.length + lists.length > 0 || imports.some(({ d }) => d < 0);
  } catch {
    return false;
  }
}
