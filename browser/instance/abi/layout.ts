// What a WebAssembly module declares, as far as it concerns the plug-in ABI.
// https://webassembly.github.io/spec/core/binary/modules.html

export const kinds = ['function', 'table', 'memory', 'global', 'tag'];

export interface Memory {
  /** 1: has a maximum, 2: shared, 4: 64-bit addresses */
  flags: number;
  minimum: number;
  maximum: number;
}

export interface Layout {
  /** "(i32) -> i64"; undefined where a type is not that of a function. */
  types: (string | undefined)[];
  imports: { module: string; name: string; kind: number; type: string | undefined }[];
  /** Types of all functions, imported ones first. */
  functions: (string | undefined)[];
  exports: { name: string; kind: number; index: number }[];
  memories: Memory[];
  /** Where the section of the memories begins and ends. */
  memoriesAt: [number, number] | undefined;
}

const valueTypes: Record<number, string> = { 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64', 123: 'v128' };

class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }
  byte(): number {
    if (this.at >= this.end) throw new RangeError();
    return this.bytes[this.at++]!;
  }
  peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : 0;
  }
  number(): number {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
  take(size: number): Uint8Array {
    this.at += size;
    if (this.at > this.end) throw new RangeError();
    return this.bytes.subarray(this.at - size, this.at);
  }
  name(): string {
    return new TextDecoder().decode(this.take(this.number()));
  }
  list<T>(read: () => T): T[] {
    const all: T[] = [];
    for (let left = this.number(); left > 0; left--) all.push(read());
    return all;
  }
  valueType(): string {
    const first = this.byte();
    if (first === 0x63 || first === 0x64) {
      // (ref null ht), (ref ht); shared, exact
      while (this.peek() === 0x65 || this.peek() === 0x62) this.byte();
      this.number();
    }
    return valueTypes[first] ?? 'ref';
  }
  field(): void {
    // i8, i16
    if (this.peek() === 0x78 || this.peek() === 0x77) this.byte();
    else this.valueType();
    this.byte();
  }
  type(): string | undefined {
    let form = this.byte();
    // sub, sub final
    if (form === 0x50 || form === 0x4f) {
      this.list(() => this.number());
      form = this.byte();
    }
    if (form === 0x65) form = this.byte();
    if (form === 0x5f) this.list(() => this.field());
    else if (form === 0x5e) this.field();
    else if (form !== 0x60) throw new RangeError();
    if (form !== 0x60) return undefined;
    const parameters = this.list(() => this.valueType());
    const results = this.list(() => this.valueType());
    return `(${parameters.join(', ')})${results.length ? ` -> ${results.join(', ')}` : ''}`;
  }
  memory(): Memory {
    const flags = this.byte();
    const minimum = this.number();
    return { flags, minimum, maximum: flags & 1 ? this.number() : Infinity };
  }
}

/** Throws a RangeError where the module is invalid or uses what is not known here. */
export function readLayout(bytes: Uint8Array): Layout {
  const layout: Layout = { types: [], imports: [], functions: [], exports: [], memories: [], memoriesAt: undefined };
  const { types, imports, functions } = layout;
  const file = new Reader(bytes, 8, bytes.length);
  while (file.at < file.end) {
    const start = file.at;
    const id = file.byte();
    const size = file.number();
    const section = new Reader(bytes, file.at, file.at + size);
    file.take(size);
    if (id === 1) {
      section.list(() => {
        if (section.peek() !== 0x4e) return types.push(section.type());
        section.byte(); // a group of types that may name each other
        return section.list(() => types.push(section.type()));
      });
    } else if (id === 2) {
      section.list(() => {
        const entry = { module: section.name(), name: section.name(), kind: section.byte() };
        let type: string | undefined;
        if (entry.kind === 0) {
          type = types[section.number()];
          functions.push(type);
        } else if (entry.kind === 2) {
          section.memory();
        } else if (entry.kind === 4) {
          section.byte();
          section.number();
        } else {
          section.valueType();
          if (entry.kind === 1) section.memory();
          else section.byte();
        }
        imports.push({ ...entry, type });
      });
    } else if (id === 3) {
      section.list(() => functions.push(types[section.number()]));
    } else if (id === 5) {
      layout.memoriesAt = [start, file.at];
      layout.memories = section.list(() => section.memory());
    } else if (id === 7) {
      layout.exports = section.list(() => ({ name: section.name(), kind: section.byte(), index: section.number() }));
    }
  }
  return layout;
}
