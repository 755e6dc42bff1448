// Writes WebAssembly modules for tests: such that no compiler would make. As plugins/wasm/testing/module-writer.h.
import { type HostFunction, hostFunctions } from '../signatures.ts';

export type Types = [parameters: number[], results: number[]];

export const I32 = 0x7f;
export const I64 = 0x7e;

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))];
}

function signedLeb(value: bigint): number[] {
  const low = Number(value & 127n);
  const rest = value >> 7n;
  const last = (rest === 0n && low < 64) || (rest === -1n && low >= 64);
  return last ? [low] : [low | 128, ...signedLeb(rest)];
}

/** Instructions, as far as tests need them. */
export const op = {
  unreachable: [0],
  end: [0x0b],
  drop: [0x1a],
  loop: [0x03, 0x40],
  branch: [0x0c, 0],
  try: [0x06, 0x40],
  catchAll: [0x19],
  i32: (value: number) => [0x41, ...signedLeb(BigInt(value | 0))],
  i64: (value: bigint) => [0x42, ...signedLeb(BigInt.asIntN(64, value))],
  local: (index: number) => [0x20, ...leb(index)],
  call: (index: number) => [0x10, ...leb(index)],
  grow: (memory = 0) => [0x40, ...leb(memory)],
  /** memory[address] = what is pushed by `value` */
  storeI64: (address: number, value: number[]) => [...op.i32(address), ...value, 0x37, 3, 0],
  loadI64: (address: number) => [...op.i32(address), 0x29, 3, 0],
  fill: (at: number, value: number, size: number) => [...op.i32(at), ...op.i32(value), ...op.i32(size), 0xfc, 11, 0],
};

export interface MemoryParts {
  flags?: number;
  minimum: number;
  maximum?: number;
}

export class ModuleWriter {
  #types: number[][] = [];
  #imports: number[][] = [];
  #definitions: number[][] = [];
  #memories: number[][] = [];
  #exports: number[][] = [];
  #bodies: number[][] = [];
  #data: number[][] = [];
  #functions = 0;
  #start: number | undefined;

  /** All functions are imported before the first is defined. Returns the function's index. */
  importFunction(module: string, name: string, type: Types): number {
    this.#imports.push([...this.#name(module), ...this.#name(name), 0, ...leb(this.#type(type))]);
    return this.#functions++;
  }
  importOther(module: string, name: string, kindAndType: number[]): void {
    this.#imports.push([...this.#name(module), ...this.#name(name), ...kindAndType]);
  }
  function(type: Types, code: number[], exported = ''): number {
    this.#definitions.push(leb(this.#type(type)));
    const body = [0, ...code, ...op.end];
    this.#bodies.push([...leb(body.length), ...body]);
    if (exported) this.addExport(exported, 0, this.#functions);
    return this.#functions++;
  }
  memory({ flags, minimum, maximum }: MemoryParts): void {
    const has = maximum === undefined ? [] : leb(maximum);
    this.#memories.push([flags ?? (maximum === undefined ? 0 : 1), ...leb(minimum), ...has]);
  }
  addExport(name: string, kind: number, index: number): void {
    this.#exports.push([...this.#name(name), kind, ...leb(index)]);
  }
  start(index: number): void {
    this.#start = index;
  }
  /** Text that is in the memory from the start. */
  data(address: number, text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#data.push([0, ...op.i32(address), ...op.end, ...leb(bytes.length), ...bytes]);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const out = [0, 97, 115, 109, 1, 0, 0, 0];
    const section = (id: number, entries: number[][]): void => {
      if (entries.length > 0) out.push(...sectionOf(id, [...leb(entries.length), ...entries.flat()]));
    };
    section(1, this.#types);
    section(2, this.#imports);
    section(3, this.#definitions);
    section(5, this.#memories);
    section(7, this.#exports);
    if (this.#start !== undefined) out.push(...sectionOf(8, leb(this.#start)));
    section(10, this.#bodies);
    section(11, this.#data);
    return new Uint8Array(out);
  }

  #type([parameters, results]: Types): number {
    const entry = [0x60, ...leb(parameters.length), ...parameters, ...leb(results.length), ...results];
    const found = this.#types.findIndex((type) => `${type}` === `${entry}`);
    return found >= 0 ? found : this.#types.push(entry) - 1;
  }
  #name(name: string): number[] {
    const bytes = [...new TextEncoder().encode(name)];
    return [...leb(bytes.length), ...bytes];
  }
}

/** The type of a function of which signatures.ts has the letters. */
export function typeOf(letters: string): Types {
  const [parameters = '', result = ''] = letters.split('>');
  const read = (list: string): number[] =>
    [...list].flatMap((letter) => ({ n: [I64], u: [I64], i: [I32], t: [I32, I32], o: [I32, I32] })[letter]!);
  return [read(parameters), read(result)];
}

export function typesOf(name: HostFunction): Types {
  const letters: string = hostFunctions[name];
  return typeOf(letters.includes('>') ? letters : `${letters}>i`);
}

export function sectionOf(id: number, content: number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

/** What a guest is made of. */
export interface GuestParts {
  memories?: MemoryParts[];
  abi?: number;
  /** What valor_alloc() returns. */
  allocated?: number;
  /** Locals of all these: those of the function, and no others. */
  start?: number[];
  complete?: number[];
  drop?: number[];
  destroy?: number[];
  /** After create_done(); leaves an i32. */
  create?: number[];
  /** An export that is left out. */
  without?: string;
  /** The instructions of a start function. */
  atStart?: number[];
  /** From "valor", besides create_done: functions 1, 2, ... */
  imports?: [name: string, type: Types][];
  /** In the memory from the start. */
  data?: Record<number, string>;
}

export function writeGuest(parts: GuestParts = {}): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const createDone = module.importFunction('valor', 'create_done', [[I64], [I32]]);
  for (const [name, type] of parts.imports ?? []) module.importFunction('valor', name, type);
  for (const memory of parts.memories ?? [{ minimum: 1 }]) module.memory(memory);
  const define = (name: string, type: Types, code: number[] = []): void => {
    module.function(type, code, name === parts.without ? '' : name);
  };
  if (parts.without !== 'memory') module.addExport('memory', 2, 0);
  define('valor_abi', [[], [I32]], op.i32(parts.abi ?? 1));
  define('valor_alloc', [[I32], [I32]], op.i32(parts.allocated ?? 1024));
  define('valor_free', [[I32, I32], []]);
  const create = [...op.local(0), ...op.call(createDone), ...op.drop, ...(parts.create ?? op.i32(0))];
  define('valor_create', [[I64], [I32]], create);
  define('valor_start', [[I32, I64, I32, I32], []], parts.start);
  define('valor_complete', [[I32, I64, I32, I32, I32], []], parts.complete);
  define('valor_drop', [[I32, I64, I32], []], parts.drop);
  define('valor_destroy', [[I32], []], parts.destroy);
  for (const [address, text] of Object.entries(parts.data ?? {})) module.data(Number(address), text);
  if (parts.atStart) module.start(module.function([[], []], parts.atStart));
  return module.bytes();
}

/** A guest whose memory[8] holds its instance's number. `parts` writes calls of imported functions, results dropped. */
export function writeCalling<Name extends HostFunction>(
  imports: Name[],
  parts: (call: (name: Name) => number[]) => GuestParts,
): Uint8Array<ArrayBuffer> {
  return writeGuest({
    imports: imports.map((name) => [name, typesOf(name)]),
    create: [...op.storeI64(8, op.local(0)), ...op.i32(0)],
    ...parts((name) => [...op.call(1 + imports.indexOf(name)), ...op.drop]),
  });
}
