// Writes valor.d.ts: what a plug-in finds on its global, for TypeScript. A plug-in in a running Valor lists what is there
// (sdk/js/surface.js); of TypeScript's declarations for workers exactly that remains, with what it refers to. What Valor adds is in
// sdk/js/contract.d.ts.
//
// generate-types.ts BUILD OUT: the build folder with valor in it; where the declarations go.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import {
  isFunctionDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isModuleDeclaration,
  isTypeAliasDeclaration,
  isTypeReferenceNode,
  isUnionTypeNode,
  isVariableStatement,
} from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';

interface Described {
  /** Of the prototype, without and with those of its prototypes. */
  own?: string[];
  members?: string[];
  statics?: string[];
}
/** Names on the global. */
export type Surface = Record<string, Described>;

const root = resolve(import.meta.dirname, '..');

/** Asks a plug-in what it finds. */
export async function readSurface(build: string): Promise<Surface> {
  const folder = mkdtempSync(join(tmpdir(), 'valor-types-'));
  const file = join(folder, 'plugins.json');
  const plugin = { type: 'web', name: 'surface', url: join(root, 'sdk/js/surface.js') };
  writeFileSync(file, JSON.stringify({ plugins: [plugin] }));
  const valor = spawn(join(root, 'bin/valor'), ['-p', file, '--port', '0', '--no-access-log'], {
    env: { ...process.env, VALOR_BUILD: build },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(valor.stdout, 'data', { signal: AbortSignal.timeout(30_000) });
    const url = /http:\/\/\S+/.exec(String(line))?.[0];
    const answer = await fetch(`${url}/surface`, { signal: AbortSignal.timeout(30_000) });
    return (await answer.json()) as Surface;
  } finally {
    valor.kill();
    rmSync(folder, { recursive: true });
  }
}

type Named = Node & { name?: Node };

class Declarations {
  readonly #source: SourceFile;
  readonly #text: string;
  readonly #surface: Surface;
  readonly #interfaces = new Map<string, Node[]>();
  readonly #variables = new Map<string, Node>();
  readonly #functions = new Map<string, Node[]>();
  readonly #types = new Map<string, Node>();
  readonly #modules = new Map<string, Node>();
  /** Interfaces that lend their members to others, and to which. */
  readonly #borrowers = new Map<string, string[]>();
  /** What is declared by hand. */
  readonly #own: Set<string>;
  /** Interfaces to whose static members some are added by hand: NAMEStatics. */
  readonly #extended: Set<string>;
  readonly #wanted: string[] = [];
  readonly #written = new Map<string, string>();

  constructor(source: SourceFile, surface: Surface, own: Set<string>, extended: Set<string>) {
    this.#source = source;
    this.#text = source.text;
    this.#surface = surface;
    this.#own = own;
    this.#extended = extended;
    for (const statement of source.statements as unknown as Node[]) this.#collect(statement);
  }

  #collect(statement: Node): void {
    const name = this.#slice((statement as Named).name);
    if (isInterfaceDeclaration(statement)) {
      this.#interfaces.set(name, [...(this.#interfaces.get(name) ?? []), statement]);
      for (const parent of this.#parents(statement)) {
        this.#borrowers.set(parent.name, [...(this.#borrowers.get(parent.name) ?? []), name]);
      }
    } else if (isVariableStatement(statement)) {
      const [declaration] = statement.declarationList.declarations as unknown as Named[];
      this.#variables.set(this.#slice(declaration!.name), statement);
    } else if (isFunctionDeclaration(statement)) {
      this.#functions.set(name, [...(this.#functions.get(name) ?? []), statement]);
    } else if (isTypeAliasDeclaration(statement)) {
      this.#types.set(name, statement);
    } else if (isModuleDeclaration(statement)) {
      this.#modules.set(name, statement);
    }
  }

  #slice(node: Node | undefined): string {
    return node ? this.#text.slice(node.getStart(this.#source), node.end) : '';
  }

  #parents(declaration: Node): { name: string; text: string }[] {
    const { heritageClauses } = declaration as Node & { heritageClauses?: readonly { types: readonly Node[] }[] };
    return (heritageClauses ?? [])
      .flatMap(({ types }) => [...types])
      .map((type) => ({
        name: this.#slice((type as Node & { expression: Node }).expression),
        text: this.#slice(type),
      }));
  }

  /** An interface with a constructor that plug-ins do not have. */
  #isAbsent(name: string): boolean {
    return this.#variables.has(name) && this.#interfaces.has(name) && !(name in this.#surface);
  }

  /** Text without comments, and without what is absent in unions; asks for the types that it names. */
  #write(node: Node): string {
    if (isUnionTypeNode(node)) {
      const there = (node.types as unknown as Node[]).filter((type) => !this.#namesAbsent(type));
      return there.map((type) => this.#write(type)).join(' | ') || 'never';
    }
    if (isIdentifier(node)) this.#want(node.text);
    let out = '';
    let at = node.getStart(this.#source);
    node.forEachChild((child) => {
      const start = child.getStart(this.#source);
      out += stripComments(this.#text.slice(at, start)) + this.#write(child);
      at = child.end;
      return undefined;
    });
    return out + stripComments(this.#text.slice(at, node.end));
  }

  #namesAbsent(type: Node): boolean {
    return isTypeReferenceNode(type) && this.#isAbsent(this.#slice(type.typeName as Node));
  }

  #refersToAbsent(node: Node): boolean {
    let found = false;
    const visit = (at: Node): undefined => {
      if (isUnionTypeNode(at)) return undefined;
      if (this.#namesAbsent(at)) found = true;
      at.forEachChild(visit);
      return undefined;
    };
    visit(node);
    return found;
  }

  #want(name: string): void {
    this.#wanted.push(name);
  }

  /** The members that objects of an interface have; undefined: all that are declared. */
  #membersOf(name: string): Set<string> | undefined {
    if (name === 'WorkerGlobalScope' || name === 'DedicatedWorkerGlobalScope')
      return new Set(Object.keys(this.#surface));
    const described = this.#surface[name];
    if (described?.members) return new Set(described.members);
    const borrowers = (this.#borrowers.get(name) ?? []).filter((borrower) => borrower in this.#surface);
    if (borrowers.length === 0 || name.endsWith('EventMap')) return undefined;
    return new Set(borrowers.flatMap((borrower) => [...(this.#membersOf(borrower) ?? [])]));
  }

  /** Of an interface that lends members, none of which are there. */
  #isEmpty(name: string): boolean {
    const members = this.#membersOf(name);
    const declared = this.#interfaces.get(name)?.flatMap((one) => (one as Node & { members: readonly Node[] }).members);
    return (
      members !== undefined && declared !== undefined && !declared.some((one) => members.has(this.#memberName(one)))
    );
  }

  #interface(name: string): string {
    const members = this.#membersOf(name);
    return this.#interfaces
      .get(name)!
      .map((declaration) => {
        const { typeParameters, members: declared } = declaration as Node & {
          typeParameters?: readonly Node[];
          members: readonly Node[];
        };
        const parameters = typeParameters?.length
          ? `<${typeParameters.map((one) => this.#write(one)).join(', ')}>`
          : '';
        const parents = this.#parents(declaration).filter(({ name: of }) => !this.#isAbsent(of) && !this.#isEmpty(of));
        for (const parent of parents) this.#want(parent.name);
        const list = parents.length > 0 ? ` extends ${parents.map(({ text }) => text).join(', ')}` : '';
        const lines = declared
          .filter((member) => !members || members.has(this.#memberName(member)) || this.#memberName(member) === '')
          .filter((member) => !this.#refersToAbsent(member))
          .map((member) => `  ${this.#write(member)}\n`);
        return `interface ${name}${parameters}${list} {\n${lines.join('')}}\n`;
      })
      .join('');
  }

  /** As the surface names it; "" for signatures without a name. */
  #memberName(member: Node): string {
    const name = this.#slice((member as Named).name);
    return name.startsWith('[') ? `Symbol(${name.slice(1, -1)})` : name.replaceAll('"', '');
  }

  #variable(name: string): string {
    const [declaration] = (this.#variables.get(name) as Node & { declarationList: { declarations: readonly Node[] } })
      .declarationList.declarations;
    const { type } = declaration as Node & { type: Node & { members?: readonly Node[] } };
    const statics = this.#surface[name]?.statics;
    if (!type.members || !statics) return `declare var ${name}: ${this.#write(type)};\n`;
    const lines = type.members
      .filter((member) => ['', 'prototype', ...statics].includes(this.#memberName(member)))
      .filter((member) => !this.#refersToAbsent(member))
      .map((member) => `  ${this.#write(member)}\n`);
    const extra = this.#extended.has(name) ? `${name}Statics & ` : '';
    return `declare var ${name}: ${extra}{\n${lines.join('')}};\n`;
  }

  #module(name: string): string {
    const { statements } = (this.#modules.get(name) as Node & { body: { statements: readonly Node[] } }).body;
    const members = this.#surface[name]?.members ?? [];
    const lines = statements
      .filter(
        (statement) => !isFunctionDeclaration(statement) || members.includes(this.#slice((statement as Named).name)),
      )
      .map((statement) => `  ${this.#write(statement)}\n`);
    return `declare namespace ${name} {\n${lines.join('')}}\n`;
  }

  /** What stands for a name; "" for what is not declared here. */
  #declare(name: string): string {
    if (this.#own.has(name)) return '';
    const there = name in this.#surface;
    let out = '';
    if (this.#interfaces.has(name) && !this.#isAbsent(name)) out += this.#interface(name);
    if (this.#types.has(name)) out += `type ${this.#write(this.#types.get(name)!).replace(/^(declare )?type /, '')}\n`;
    if (there && this.#variables.has(name)) out += this.#variable(name);
    if (there && this.#modules.has(name)) out += this.#module(name);
    if (there) for (const node of this.#functions.get(name) ?? []) out += `${this.#write(node)}\n`;
    return out;
  }

  text(): string {
    this.#wanted.push(...Object.keys(this.#surface));
    for (let name = this.#wanted.pop(); name !== undefined; name = this.#wanted.pop()) {
      if (this.#written.has(name)) continue;
      this.#written.set(name, '');
      this.#written.set(name, this.#declare(name));
    }
    return [...this.#written]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, text]) => text)
      .join('');
  }
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/\s*|\/\/.*\n\s*/g, '');
}

export function generateTypes(surface: Surface): string {
  const contract = readFileSync(join(root, 'sdk/js/contract.d.ts'), 'utf8');
  const own = new Set([...contract.matchAll(/^declare (?:var|const|function) (\w+)/gm)].map((found) => found[1]!));
  const statics = new Set([...contract.matchAll(/^interface (\w+)Statics /gm)].map((found) => found[1]!));
  const folder = mkdtempSync(join(tmpdir(), 'valor-types-'));
  const api = new API({ cwd: root });
  try {
    const project = join(folder, 'tsconfig.json');
    writeFileSync(join(folder, 'empty.ts'), '');
    writeFileSync(
      project,
      JSON.stringify({ compilerOptions: { lib: ['es2024', 'webworker'], types: [] }, files: ['empty.ts'] }),
    );
    const { program } = api.updateSnapshot({ openProject: project }).getProjects()[0]!;
    const path = program.getSourceFileNames().find((name) => name.endsWith('/lib.webworker.d.ts'))!;
    const declarations = new Declarations(program.getSourceFile(path)!, surface, own, statics);
    const head =
      '// Made by Valor for its plug-ins. Use it with "lib": ["es2024"] and without other libraries of the Web.\n';
    const origin = '// From here on: chosen from the declarations of workers of TypeScript, Apache License 2.0.\n';
    return `${head}\n${contract}\n${origin}\n${declarations.text()}`;
  } finally {
    api.close();
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const [build, out] = process.argv.slice(2) as [string, string];
  writeFileSync(out, generateTypes(await readSurface(resolve(build))));
}
