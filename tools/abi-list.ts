// The plug-in ABI as a list, read from abi/valor.h and abi/valor-host.inc: for tests that compare what speaks it.
//   tools/abi-list.ts            prints it as JSON
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The types of the ABI as C has them: "uint64_t", "const void*", ... */
export interface Parameter {
  name: string;
  type: string;
}

export interface AbiFunction {
  name: string;
  result: string;
  parameters: Parameter[];
}

export interface AbiStruct {
  name: string;
  fields: Parameter[];
}

export interface Abi {
  version: number;
  /** What the host offers: the native table after its two numbers, and the imports of WASM. */
  host: AbiFunction[];
  /** What the guest offers: the native table after its two numbers, and, with "valor_" before, the exports of WASM. */
  guest: AbiFunction[];
  /** What else a WASM guest exports; these have no place in a table. */
  exports: AbiFunction[];
  /** What a native library exports under VALOR_ENTRY_SYMBOL. */
  entry: AbiFunction;
  /** Heads may grow at their end; the others lie in arrays and may not. */
  structs: AbiStruct[];
  /** Values as they are written. */
  constants: Record<string, string>;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ');
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** "const char* message" */
function parameter(text: string): Parameter {
  const [, type, name] = /^(.*[\s*])(\w+)$/.exec(squeezed(text)) ?? [];
  if (type === undefined || name === undefined) throw new Error(`abi: "${squeezed(text)}" is no "type name"`);
  return { name, type: type.replace(/\s*\*/g, '*').trim() };
}

/** "(void)" and "()" are no parameters. */
function parameters(text: string): Parameter[] {
  const inner = squeezed(text);
  return inner === '' || inner === 'void' ? [] : inner.split(',').map(parameter);
}

function structsOf(header: string): AbiStruct[] {
  const all: AbiStruct[] = [];
  for (const [, name = '', body = ''] of header.matchAll(/typedef struct (\w+) \{([\s\S]*?)\} \1;/g)) {
    if (name === 'valor_host' || name === 'valor_guest') continue;
    all.push({ name, fields: body.split(';').map(squeezed).filter(Boolean).map(parameter) });
  }
  return all;
}

function guestOf(header: string): AbiFunction[] {
  const body = /typedef struct valor_guest \{([\s\S]*?)\} valor_guest;/.exec(header)?.[1];
  if (body === undefined) throw new Error('abi: valor.h has no struct valor_guest');
  const all: AbiFunction[] = [];
  for (const [, result = '', name = '', inner = ''] of body.matchAll(/(\w[\w\s*]*?)\s*\(\*(\w+)\)\(([^)]*)\);/g)) {
    all.push({ name, result: squeezed(result), parameters: parameters(inner) });
  }
  // Its two numbers are all that is not a function.
  const members = body.split(';').map(squeezed).filter(Boolean);
  if (all.length !== members.length - 2) throw new Error('abi: a member of valor_guest is not understood');
  return all;
}

/** What VALOR_PLUGIN makes a WASM module export, without "valor_" before. */
function exportsOf(header: string): AbiFunction[] {
  const code = header.replace(/\\\n/g, ' ');
  const entry = /VALOR_EXPORT\(valor_(\w+)\)\s*(\w[\w\s*]*?)\s*valor_export_(\w+)\(([^)]*)\)/g;
  return [...code.matchAll(entry)].map(([, name = '', result = '', , inner = '']) => ({
    name,
    result: squeezed(result),
    parameters: parameters(inner),
  }));
}

function entryOf(header: string): AbiFunction {
  const [, result = '', inner] = /typedef ([\w\s*]+?)\s*\(\*valor_entry\)\(([^)]*)\);/.exec(header) ?? [];
  if (inner === undefined) throw new Error('abi: valor.h has no type valor_entry');
  return { name: 'valor_entry', result: squeezed(result), parameters: parameters(inner) };
}

function hostOf(list: string): AbiFunction[] {
  const entry = /VALOR_FUNCTION\(\s*(\w+)\s*,\s*(\w+)\s*,\s*\(([^)]*)\)\s*\)/g;
  const rest = squeezed(list.replace(entry, ''));
  if (rest !== '') throw new Error(`abi: valor-host.inc has more than functions: ${rest.slice(0, 100)}`);
  return [...list.matchAll(entry)].map(([, result = '', name = '', inner = '']) => ({
    name,
    result,
    parameters: parameters(inner),
  }));
}

function constantsOf(header: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [, name = '', value = ''] of header.matchAll(/^#define (VALOR_[A-Z_0-9]+) (\S.*)$/gm)) {
    if (!value.endsWith('\\')) all[name] = squeezed(value);
  }
  return all;
}

/** Reads the two files. Throws where they have what it does not understand. */
export function parseAbi(headerText: string, listText: string): Abi {
  const header = withoutComments(headerText);
  const constants = constantsOf(header);
  const version = Number(/^(\d+)u$/.exec(constants.VALOR_ABI_VERSION ?? '')?.[1]);
  if (!Number.isInteger(version)) throw new Error('abi: valor.h does not define VALOR_ABI_VERSION');
  // The rest is for the preprocessor.
  for (const name of ['VALOR_ABI_VERSION', 'VALOR_PLUGIN', 'VALOR_EXPORT', 'VALOR_FUNCTION', 'VALOR_H']) {
    delete constants[name];
  }
  const guest = guestOf(header);
  return {
    version,
    host: hostOf(withoutComments(listText)),
    guest,
    exports: exportsOf(header).filter(({ name }) => !guest.some((one) => one.name === name)),
    entry: entryOf(header),
    structs: structsOf(header),
    constants,
  };
}

export function readAbi(root = resolve(import.meta.dirname, '..')): Abi {
  const text = (name: string): string => readFileSync(join(root, 'abi', name), 'utf8');
  return parseAbi(text('valor.h'), text('valor-host.inc'));
}

/** The function as C declares it. */
export function signature({ name, result, parameters }: AbiFunction): string {
  return `${result} ${name}(${parameters.map(({ type, name }) => `${type} ${name}`).join(', ')})`;
}

export type WasmType = 'i32' | 'i64';

export function wasmType(type: string): WasmType {
  return type === 'uint64_t' || type === 'int64_t' ? 'i64' : 'i32';
}

/** Its type in WASM, as "i64 i32 -> i32". */
export function wasmSignature({ result, parameters }: AbiFunction): string {
  const results = result === 'void' ? '' : ` ${wasmType(result)}`;
  return `${parameters.map(({ type }) => wasmType(type)).join(' ')} ->${results}`.trim();
}

if (import.meta.main) {
  const abi = readAbi();
  const withWasm = (all: AbiFunction[]) => all.map((one) => ({ ...one, wasm: wasmSignature(one) }));
  const { host, guest, exports } = abi;
  const list = { ...abi, host: withWasm(host), guest: withWasm(guest), exports: withWasm(exports) };
  console.log(JSON.stringify(list, null, 2));
}
