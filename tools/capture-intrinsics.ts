// Makes the platform's TypeScript independent of what a plug-in does to the language's built-in objects. The sources are
// written as usual: `list.push(x)`, `for (const [key, value] of map)`, `new Map()`. In the bundle these become calls of
// functions that were captured while the snapshot was built, told apart by the types that the compiler's checker finds:
//
//   list.push(x)           ArrayPrototypePush(list, x)
//   map.size               MapPrototypeGetSize(map)
//   Object.keys(x)         ObjectKeys(x)
//   new Map(pairs)         newMap(pairs), of web/intrinsics/helpers.ts
//   for (const x of list)  for (let at = 0; at < list.length; at++) { const x = list[at]; ... }
//   const [a, b] = list    const {0: a, 1: b} = list
//   f(...list)             ReflectApply(f, undefined, list)
//
// What cannot be told apart is an error of the build.
import { join, resolve } from 'node:path';
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast';
import {
  isArrayBindingPattern,
  isArrayLiteralExpression,
  isArrowFunction,
  isBlock,
  isCallExpression,
  isExpressionWithTypeArguments,
  isForOfStatement,
  isFunctionLikeDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isNewExpression,
  isObjectBindingPattern,
  isPropertyAccessExpression,
  isReturnStatement,
  isSpreadElement,
  isTypeAliasDeclaration,
  isTypeNode,
  isVariableDeclarationList,
} from 'typescript/unstable/ast/is';
import { API, type Checker, type Symbol as CheckerSymbol, type Type } from 'typescript/unstable/sync';

const root = resolve(import.meta.dirname, '..');
const helpersPath = join(root, 'web/intrinsics/helpers.ts');
const capturedPath = join(root, 'web/intrinsics/captured.ts');

/**
 * Helpers for methods that call something else which a plug-in could replace, and for those that take a function: V8 does
 * not inline these when they are called through a captured one, loops are three times as fast.
 */
const helpers: Record<string, string> = {
  'Array.concat': 'concat',
  'Array.every': 'every',
  'Array.filter': 'filter',
  'Array.find': 'find',
  'Array.findIndex': 'findIndex',
  'Array.flat': 'flat',
  'Array.flatMap': 'flatMap',
  'Array.map': 'map',
  'Array.reduce': 'reduce',
  'Array.slice': 'slice',
  'Array.some': 'some',
  'Array.splice': 'splice',
  'Promise.catch': 'catchRejection',
  'Promise.then': 'then',
  'RegExp.test': 'test',
  'String.replace': 'replace',
  'String.replaceAll': 'replaceAll',
  'String.split': 'split',
  'TypedArray.slice': 'copyOfBytes',
  'TypedArray.subarray': 'subarray',
};
const collections = new Set(['Map', 'Set', 'WeakMap', 'WeakSet']);
const aliases: Record<string, string> = {
  CallableFunction: 'Function',
  NewableFunction: 'Function',
  ReadonlyArray: 'Array',
  ReadonlyMap: 'Map',
  ReadonlySet: 'Set',
};
// Those that cannot be replaced, and those that do not exist yet while the snapshot is built.
const notCaptured = new Set(['globalThis', 'undefined', 'NaN', 'Infinity', 'SharedArrayBuffer', 'WebAssembly']);

const typedArray = /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/;
const hasGetters = /^(Map|Set|RegExp|DataView|(Shared)?ArrayBuffer|(Big)?(Int|Uint|Float)\d+(Clamped)?Array)$/;
const capitalized = (name: string): string => name[0]!.toUpperCase() + name.slice(1);

/** What an identifier or a member in the sources stands for, when it is the language's. */
interface Builtin {
  /** The import that gives it. */
  name: string;
  kind: 'method' | 'getter' | 'static' | 'helper';
  /** How the language names the function. */
  path: string;
}

class Capture {
  readonly expressions = new Map<string, string>();
  /** Those that are there only when a context was made from the snapshot. */
  readonly late = new Set<string>();
  readonly #checker: Checker;

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  #add(name: string, expression: string): string {
    this.expressions.set(name, expression);
    return name;
  }

  /** A global of the language. */
  global(name: string): string {
    return this.#add(`Language${capitalized(name)}`, name);
  }

  apply(): string {
    return this.#add('ReflectApply', 'Reflect.apply');
  }

  /** A method as a function that takes `this`. */
  method(builtin: Builtin): string {
    return this.#add(`${builtin.name}Function`, builtin.path);
  }

  /** `parent` is the interface that declares the member. */
  member(parent: string, name: string): Builtin | undefined {
    const constructorOf = parent.endsWith('Constructor') ? parent.slice(0, -'Constructor'.length) : null;
    const globals = globalThis as unknown as Record<string, Record<string, unknown> & { prototype?: object }>;
    if (constructorOf !== null || ['Math', 'JSON', 'Reflect', 'Atomics'].includes(parent)) {
      const holderName = constructorOf ?? parent;
      const holder = globals[holderName];
      if (!holder || name === 'prototype' || !(name in holder)) return undefined;
      const needsThis = holderName === 'Promise' || (holderName.endsWith('Array') && name !== 'isArray');
      const expression = `${holderName}.${name}`;
      const bound = needsThis ? `${expression}.bind(${holderName})` : expression;
      return { name: this.#add(`${holderName}${capitalized(name)}`, bound), kind: 'static', path: expression };
    }
    const interfaceName = aliases[parent] ?? parent;
    let holder = globals[interfaceName]?.prototype;
    if (!holder || interfaceName === 'Error') return undefined;
    let found = Object.getOwnPropertyDescriptor(holder, name);
    let path = `${interfaceName}.prototype`;
    let typeName = interfaceName;
    if (!found && typedArray.test(interfaceName)) {
      holder = Object.getPrototypeOf(holder) as object;
      found = Object.getOwnPropertyDescriptor(holder, name);
      path = 'Object.getPrototypeOf(Uint8Array.prototype)';
      typeName = 'TypedArray';
    }
    if (!found) return undefined;
    const helper = helpers[`${typeName}.${name}`];
    if (helper) return { name: helper, kind: 'helper', path: `${path}.${name}` };
    const prefix = `${typeName}Prototype`;
    if (found.get) {
      const getter = `uncurry(Object.getOwnPropertyDescriptor(${path}, '${name}').get)`;
      return { name: this.#add(`${prefix}Get${capitalized(name)}`, getter), kind: 'getter', path: '' };
    }
    if (typeof found.value !== 'function') return undefined;
    return {
      name: this.#add(`${prefix}${capitalized(name)}`, `uncurry(${path}.${name})`),
      kind: 'method',
      path: `${path}.${name}`,
    };
  }

  isList(type: Type | undefined): boolean {
    if (!type) return false;
    const members = type.isUnionType() ? (type.getTypes() ?? []) : [type];
    return members.every((member) => this.#checker.isArrayType(member) || this.#checker.isTupleType(member));
  }

  /** "Map", "Set" and so on: the name of the type that is iterated, where it is one of the language's. */
  iterableName(type: Type | undefined): string {
    if (!type) return '';
    const members = type.isUnionType() ? (type.getTypes() ?? []) : [type];
    const found = members.map((member) => {
      const name = isText(member) ? 'String' : (member.getSymbol()?.name ?? '');
      return this.isList(member) ? 'Array' : (aliases[name] ?? name);
    });
    const names = [...new Set(found)];
    if (names.length === 1) return names[0]!;
    return names.every((name) => name === 'Array' || name === 'Map' || name === 'Set') ? 'Array or collection' : '';
  }
}

function importing(names: Iterable<string>, path: string): string {
  const list = [...names].join(', ');
  return list === '' ? '' : `import { ${list} } from ${JSON.stringify(path)};\n`;
}

function isText(type: Type): boolean {
  return type.isStringLiteralType() || (type.isIntrinsicType() && type.intrinsicName === 'string');
}

function declaredIn(symbol: CheckerSymbol | undefined): string {
  return (symbol?.declarations?.[0] as { path?: string } | undefined)?.path ?? '';
}

function isOfLanguage(symbol: CheckerSymbol | undefined): boolean {
  return /(^|\/)lib\.[\w.]*d\.ts$/.test(declaredIn(symbol)) || isOfEngine(symbol);
}

/** What V8 adds to contexts that are made, and not to the snapshot. */
function isOfEngine(symbol: CheckerSymbol | undefined): boolean {
  return declaredIn(symbol).endsWith('/web/globals.d.ts');
}

/** Rewrites one source. */
class Rewriter {
  readonly #source: SourceFile;
  readonly #text: string;
  readonly #capture: Capture;
  /** Of variables, and of the names behind a dot. */
  readonly #symbols = new Map<Node, CheckerSymbol | undefined>();
  readonly #types = new Map<Node, Type | undefined>();
  /** Promises that async functions return: these would be resolved by their `then`, which a plug-in can replace. */
  readonly #returned = new Set<Node>();
  readonly #imports = new Set<string>();
  readonly #helpers = new Set<string>();
  #counter = 0;

  constructor(source: SourceFile, capture: Capture, checker: Checker) {
    this.#source = source;
    this.#text = source.text;
    this.#capture = capture;
    const named: Node[] = [];
    const typed: Node[] = [];
    const visit = (node: Node): void => {
      if (isOnlyType(node)) return;
      if (isPropertyAccessExpression(node)) named.push(node.name);
      else if (isIdentifier(node) && node.text in globalThis && !isNameOfMember(node)) named.push(node);
      else if (isForOfStatement(node) || isSpreadElement(node)) typed.push(node.expression);
      else if (isArrayBindingPattern(node) || isObjectBindingPattern(node)) typed.push(node);
      const returned = returnedAsync(node);
      if (returned) typed.push(returned);
      node.forEachChild(visit);
    };
    visit(source);
    const symbols = named.length > 0 ? checker.getSymbolAtLocation(named) : [];
    for (const [at, node] of named.entries()) this.#symbols.set(node, symbols[at]);
    const types = typed.length > 0 ? checker.getTypeAtLocation(typed) : [];
    for (const [at, node] of typed.entries()) {
      const type = types[at];
      this.#types.set(node, type);
      if (returnedAsync(node.parent) === node && type?.getSymbol()?.name === 'Promise') this.#returned.add(node);
    }
  }

  text(): string {
    const body = this.#copy(this.#source);
    const temporaries = Array.from({ length: this.#counter }, (_, at) => `$${at}`);
    const declared = temporaries.length > 0 ? `let ${temporaries.join(', ')};\n` : '';
    // Under a name that no source has for something else.
    const helpers = [...this.#helpers].map((name) => `${name} as ${this.#nameOfHelper(name)}`);
    const own = this.#source.fileName === helpersPath;
    return importing(this.#imports, capturedPath) + importing(own ? [] : helpers, helpersPath) + declared + body;
  }

  #fail(node: Node, sentence: string): never {
    const before = this.#text.slice(0, node.getStart(this.#source));
    throw new Error(`${this.#source.fileName}:${before.split('\n').length}: ${sentence}`);
  }

  #import(name: string): string {
    this.#imports.add(name);
    return name;
  }

  #helper(name: string): string {
    this.#helpers.add(name);
    return this.#nameOfHelper(name);
  }

  #nameOfHelper(name: string): string {
    return this.#source.fileName === helpersPath ? name : `$${name}`;
  }

  #temporary(): string {
    return `$${this.#counter++}`;
  }

  /** A node with what surrounds it, its children rewritten. */
  #copy(node: Node): string {
    let out = '';
    let at = node.pos;
    node.forEachChild((child) => {
      out += this.#text.slice(at, child.pos) + this.#write(child);
      at = child.end;
      return undefined;
    });
    return out + this.#text.slice(at, node.end);
  }

  #write(node: Node): string {
    if (isOnlyType(node)) return this.#text.slice(node.pos, node.end);
    const leading = this.#text.slice(node.pos, node.getStart(this.#source));
    const rewritten = this.#rewrite(node);
    return rewritten === undefined ? this.#copy(node) : leading + rewritten;
  }

  #bare(node: Node): string {
    return this.#write(node).trim();
  }

  #rewrite(node: Node): string | undefined {
    return this.#returned.has(node) ? `await (${this.#plain(node) ?? this.#copy(node)})` : this.#plain(node);
  }

  #plain(node: Node): string | undefined {
    if (isIdentifier(node)) return this.#identifier(node);
    if (isCallExpression(node)) return this.#call(node);
    if (isNewExpression(node)) return this.#new(node);
    if (isPropertyAccessExpression(node)) return this.#access(node);
    if (isForOfStatement(node)) return this.#loop(node);
    if (isArrayBindingPattern(node)) return this.#pattern(node);
    if (isObjectBindingPattern(node) && hasGetters.test(this.#capture.iterableName(this.#types.get(node))))
      this.#fail(node, 'takes a built-in apart: name its members one by one');
    if (isArrayLiteralExpression(node) && isAssigned(node)) this.#fail(node, 'assigns to several variables at once');
    if (isArrayLiteralExpression(node) && node.elements.some(isSpreadElement)) return this.#list(node.elements);
    return undefined;
  }

  #identifier(node: Node & { text: string }): string | undefined {
    if (isNameOfMember(node) || notCaptured.has(node.text)) return undefined;
    if (!isOfLanguage(this.#symbols.get(node))) return undefined;
    if (node.parent.kind === SyntaxKind.ShorthandPropertyAssignment)
      this.#fail(node, `${node.text}: give it a name of its own`);
    return this.#import(this.#capture.global(node.text));
  }

  #builtin(name: Node): Builtin | undefined {
    const symbol = this.#symbols.get(name);
    if (!symbol || !isOfLanguage(symbol)) return undefined;
    const parent = symbol.getParent()?.name;
    // Any object has these, under whatever it may be that it has there; they are meant where the prototype is named.
    if (parent === 'Object' && !/\bObject\.prototype\.$/.test(this.#text.slice(0, name.getStart(this.#source))))
      return undefined;
    const builtin = parent === undefined ? undefined : this.#capture.member(parent, symbol.name);
    if (builtin && isOfEngine(symbol)) this.#capture.late.add(builtin.name);
    return builtin;
  }

  #use(builtin: Builtin): string {
    return builtin.kind === 'helper' ? this.#helper(builtin.name) : this.#import(builtin.name);
  }

  #access(node: Node & { expression: Node; name: Node; questionDotToken?: Node | undefined }): string | undefined {
    const builtin = this.#builtin(node.name);
    if (!builtin) return undefined;
    if (builtin.kind === 'static') return this.#use(builtin);
    if (builtin.kind !== 'getter') {
      return this.#import(this.#capture.method(builtin));
    }
    return this.#onValue(node, `${this.#use(builtin)}(`, ')');
  }

  /** `before value after`, or undefined for an optional chain that ends early. */
  #onValue(
    node: Node & { expression: Node; questionDotToken?: Node | undefined },
    before: string,
    after: string,
  ): string {
    const value = this.#bare(node.expression);
    if (!isInChain(node)) return `${before}${value}${after}`;
    const chained = node.parent;
    const parent = isCallExpression(chained) && (chained.expression as Node) === node ? chained.parent : chained;
    if (
      (isPropertyAccessExpression(parent) || isCallExpression(parent)) &&
      isInChain(parent) &&
      !parent.questionDotToken
    )
      this.#fail(node, 'an optional chain goes on behind a built-in: use a variable');
    // Variables and private fields are as good as a copy, and cost less.
    if (/^(\w+|[\w.]*\.#\w+)$/.test(value)) return `(${value} == null ? undefined : ${before}${value}${after})`;
    const temporary = this.#temporary();
    return `((${temporary} = ${value}) == null ? undefined : ${before}${temporary}${after})`;
  }

  #call(node: Node & { expression: Node; arguments: readonly Node[] }): string | undefined {
    const { expression: callee, arguments: args } = node;
    const spreads = args.some(isSpreadElement);
    if (isPropertyAccessExpression(callee)) {
      const builtin = this.#builtin(callee.name);
      if (builtin?.kind === 'method' || builtin?.kind === 'helper') {
        const called = this.#use(builtin);
        // The helper knows texts only.
        if (builtin.name === 'split' && args[0] && /^\/|^''$/.test(this.#bare(args[0])))
          this.#fail(node, 'split() by a pattern or by nothing: replace() first, or spread the text');
        if (spreads) {
          if (isInChain(callee)) this.#fail(node, 'a spread in an optional chain: use a variable');
          const list = this.#list(args, this.#bare(callee.expression));
          return `${this.#import(this.#capture.apply())}(${called}, undefined, ${list})`;
        }
        const rest = args.map((argument) => `, ${this.#bare(argument)}`).join('');
        return this.#onValue(callee, `${called}(`, `${rest})`);
      }
      if (spreads && !builtin && callee.expression.kind !== SyntaxKind.SuperKeyword) {
        const temporary = this.#temporary();
        const target = `(${temporary} = ${this.#bare(callee.expression)}).${this.#text.slice(callee.name.getStart(this.#source), callee.name.end)}`;
        return `${this.#import(this.#capture.apply())}(${target}, ${temporary}, ${this.#list(args)})`;
      }
    }
    if (!spreads) return undefined;
    if (isInChain(node) && !isPropertyAccessExpression(callee)) {
      const temporary = this.#temporary();
      const called = `${this.#import(this.#capture.apply())}(${temporary}, undefined, ${this.#list(args)})`;
      return `((${temporary} = ${this.#bare(callee)}) == null ? undefined : ${called})`;
    }
    if (callee.kind === SyntaxKind.SuperKeyword) this.#fail(node, 'a spread in super(): name the arguments');
    return `${this.#import(this.#capture.apply())}(${this.#bare(callee)}, undefined, ${this.#list(args)})`;
  }

  #new(node: Node & { expression: Node; arguments?: readonly Node[] | undefined }): string | undefined {
    const { expression: made, arguments: args = [] } = node;
    if (args.some(isSpreadElement)) this.#fail(node, 'a spread in new: use Reflect.construct');
    if (!isIdentifier(made) || args.length === 0 || !collections.has(made.text)) return undefined;
    if (!isOfLanguage(this.#symbols.get(made))) return undefined;
    return `${this.#helper(`new${made.text}`)}(${args.map((argument) => this.#bare(argument)).join(', ')})`;
  }

  /** A list of values of which some are spread. */
  #list(elements: readonly Node[], first?: string): string {
    const groups: string[] = [];
    let single: string[] = first === undefined ? [] : [first];
    const close = (): void => {
      if (single.length > 0) groups.push(`[${single.join(', ')}]`);
      single = [];
    };
    for (const element of elements) {
      if (!isSpreadElement(element)) {
        single.push(this.#bare(element));
        continue;
      }
      close();
      groups.push(this.#iterated(element.expression));
    }
    close();
    return `${this.#helper('joined')}(${groups.join(', ')})`;
  }

  /** An expression that is iterated, as a list. */
  #iterated(expression: Node): string {
    const type = this.#types.get(expression);
    const value = this.#bare(expression);
    if (this.#capture.isList(type)) return value;
    const name = this.#capture.iterableName(type);
    switch (name) {
      case 'Map':
        return `${this.#helper('entriesOf')}(${value})`;
      case 'Set':
        return `${this.#helper('membersOf')}(${value})`;
      case 'String':
        return `${this.#helper('codePointsOf')}(${value})`;
      case 'Array or collection':
        return `${this.#helper('listOf')}(${value})`;
      case 'Iterable':
        // The plug-in's own: it says what iterating is.
        return `${this.#helper('listFrom')}(${value})`;
      default:
        if (typedArray.test(name)) return value;
        return this.#fail(expression, `what a ${name || 'value of this type'} iterates over is not known here`);
    }
  }

  #loop(node: Node & { initializer: Node; expression: Node; statement: Node }): string | undefined {
    const { initializer, expression, statement } = node;
    const type = this.#types.get(expression);
    // The plug-in's own, or made here to iterate as it says.
    if (['Iterable', '__object'].includes(this.#capture.iterableName(type))) return undefined;
    if (!isVariableDeclarationList(initializer)) this.#fail(node, 'a loop without const');
    const name = this.#bare(initializer.declarations[0]!.name);
    const list = this.#iterated(expression);
    const at = this.#counter++;
    const length = typedArray.test(this.#capture.iterableName(type))
      ? `${this.#import(this.#capture.member('Uint8Array', 'length')!.name)}($list${at})`
      : `$list${at}.length`;
    const head = `for (let $list${at} = ${list}, $at${at} = 0; $at${at} < ${length}; $at${at}++)`;
    return `${head} { const ${name} = $list${at}[$at${at}]; ${this.#bare(statement)} }`;
  }

  #pattern(node: Node & { elements: readonly Node[] }): string | undefined {
    const type = this.#types.get(node);
    if (!this.#capture.isList(type) && !typedArray.test(this.#capture.iterableName(type)))
      this.#fail(node, 'takes a value apart that is no list');
    const parts: string[] = [];
    for (const [at, element] of node.elements.entries()) {
      const text = this.#bare(element);
      if (text.startsWith('...')) this.#fail(element, 'a rest element: use slice()');
      if (text !== '') parts.push(`${at}: ${text}`);
    }
    return `{ ${parts.join(', ')} }`;
  }
}

/** What an async function returns here. */
function returnedAsync(node: Node): Node | undefined {
  const { expression, body } = node as Node & { expression?: Node; body?: Node };
  if (isArrowFunction(node)) return isAsync(node) && !isBlock(body!) ? body : undefined;
  if (!isReturnStatement(node) || !expression) return undefined;
  let around = node.parent;
  while (!isFunctionLikeDeclaration(around)) around = around.parent;
  return isAsync(around) ? expression : undefined;
}

function isAsync(node: Node): boolean {
  const { modifiers } = node as Node & { modifiers?: readonly Node[] };
  return modifiers?.some(({ kind }) => kind === SyntaxKind.AsyncKeyword) ?? false;
}

function isAssigned(node: Node): boolean {
  const parent = node.parent as Node & { left?: Node; operatorToken?: Node };
  return parent.left === node && parent.operatorToken?.kind === SyntaxKind.EqualsToken;
}

function isOnlyType(node: Node): boolean {
  if (isExpressionWithTypeArguments(node))
    return (node.parent as { token?: SyntaxKind }).token === SyntaxKind.ImplementsKeyword;
  return (
    isTypeNode(node) ||
    isInterfaceDeclaration(node) ||
    isTypeAliasDeclaration(node) ||
    node.kind === SyntaxKind.ImportDeclaration ||
    node.kind === SyntaxKind.ExportDeclaration ||
    node.kind === SyntaxKind.TypeParameter
  );
}

/** Of a member that an object has or gets, and not of a variable. */
function isNameOfMember(node: Node): boolean {
  const parent = node.parent as Node & { name?: Node; propertyName?: Node };
  if (parent.propertyName === node) return true;
  return parent.name === node && parent.kind !== SyntaxKind.ShorthandPropertyAssignment;
}

/** Whether a `?.` is in or before this access or call. */
function isInChain(node: Node): boolean {
  let at = node as Node & { expression?: Node; questionDotToken?: Node };
  while (isPropertyAccessExpression(at) || isCallExpression(at) || at.kind === SyntaxKind.ElementAccessExpression) {
    if ((at as { questionDotToken?: Node }).questionDotToken) return true;
    at = (at as { expression: Node }).expression as typeof at;
  }
  return false;
}

/**
 * The rewritten texts of a project's sources (the path of its tsconfig.json) by path, with that of
 * web/intrinsics/captured.ts, from which they have the built-ins.
 */
export function captureIntrinsics(project: string): Map<string, string> {
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProject: resolve(project) });
    const { program, checker } = snapshot.getProjects()[0]!;
    const capture = new Capture(checker);
    const texts = new Map<string, string>();
    for (const path of program.getSourceFileNames()) {
      if (!path.startsWith(root) || path.includes('/node_modules/') || path.endsWith('.d.ts')) continue;
      texts.set(path, new Rewriter(program.getSourceFile(path)!, capture, checker).text());
    }
    const lines: string[] = [];
    const late: string[] = [];
    for (const [name, expression] of capture.expressions) {
      const isLate = capture.late.has(name);
      lines.push(isLate ? `export let ${name};\n` : `export const ${name} = ${expression};\n`);
      if (isLate) late.push(`${name} = ${expression};\n`);
    }
    lines.push(`export function captureLate() {\n${late.join('')}}\n`);
    const uncurry = 'const uncurry = Function.prototype.call.bind.bind(Function.prototype.call);\n';
    return texts.set(capturedPath, uncurry + lines.join(''));
  } finally {
    api.close();
  }
}
