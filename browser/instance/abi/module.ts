// From the file of a plug-in to a compiled module that speaks the ABI and cannot take more memory than its limit.
import { checkAbi } from './check.ts';

const mebibyte = 2 ** 20;
/** A 32-bit memory has at most 4 GiB. */
const mostPages = 65536;
const pagesPerMebibyte = 16;

/** https://webassembly.github.io/spec/core/binary/types.html#memory-types */
interface Memory {
  /** 1: has a maximum, 2: shared, 4: 64-bit addresses */
  flags: number;
  minimum: number;
  maximum: number;
}

export interface LoadedModule {
  module: WebAssembly.Module;
  /** How much further back its code is than in the file, since its memories were capped. */
  movedBytes: number;
}

/** The memories of a module, and where their section begins and ends. Nonsense for bytes that are no module. */
export function memoriesOf(bytes: Uint8Array): { memories: Memory[]; start: number; end: number } {
  let at = 8;
  const number = (): number => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const memories: Memory[] = [];
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at++];
    const size = number();
    const end = at + size;
    if (id === 5) {
      for (let left = number(); left > 0 && at < end; left--) {
        const flags = number();
        memories.push({ flags, minimum: number(), maximum: flags & 1 ? number() : mostPages });
      }
      return { memories, start, end };
    }
    at = end;
  }
  return { memories, start: at, end: at };
}

function checkMemories(memories: Memory[], limitMb: number): string {
  let sum = 0;
  for (const { flags, minimum } of memories) {
    if (flags & 6) {
      return 'its memory is shared or has 64-bit addresses, and plug-ins have neither: compile for wasm32, without -pthread';
    }
    sum += minimum;
  }
  if (sum <= limitMb * pagesPerMebibyte) return '';
  const needs = Math.floor((sum * 10) / pagesPerMebibyte) / 10;
  return `it begins with ${needs} MiB of memory, more than its limit allows (memory_mb: ${limitMb}): raise limits.memory_mb, or link with a smaller --initial-memory`;
}

function leb(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/**
 * Rewrites the maximum of each memory: memory.grow beyond it fails then, at no cost. Several memories share what the
 * limit leaves, because nobody would count them together while the module runs.
 */
export function capMemories(bytes: Uint8Array<ArrayBuffer>, limitMb: number): Uint8Array<ArrayBuffer> {
  const { memories, start, end } = memoriesOf(bytes);
  if (memories.length === 0) return bytes;
  const spare = limitMb * pagesPerMebibyte - memories.reduce((sum, { minimum }) => sum + minimum, 0);
  const content = leb(memories.length);
  for (const { minimum, maximum } of memories) {
    const most = Math.min(minimum + Math.floor(spare / memories.length), maximum, mostPages);
    content.push(1, ...leb(minimum), ...leb(most));
  }
  const section = [5, ...leb(content.length), ...content];
  const capped = new Uint8Array(start + section.length + bytes.length - end);
  capped.set(bytes.subarray(0, start));
  capped.set(section, start);
  capped.set(bytes.subarray(end), start + section.length);
  return capped;
}

/** Without "WebAssembly.compile(): ". */
const words = (error: unknown): string => (error as Error).message.replace(/^WebAssembly\.\w+\(\): /, '');

/** Rejects with an Error for the operator. `limitMb` is limits.memory_mb. */
export async function loadModule(file: ArrayBuffer, limitMb: number): Promise<LoadedModule> {
  const bytes = new Uint8Array(file);
  const refuse = (why: string): void => {
    if (why) throw new Error(why);
  };
  // As a module, but for its layer.
  if (bytes[6] === 1)
    refuse('the file is a WebAssembly component, not a module. Components are plug-ins of "type": "wasi"');
  if (bytes.length > limitMb * mebibyte) {
    refuse(`the file has ${Math.floor(bytes.length / mebibyte)} MiB, more than limits.memory_mb (${limitMb}) allows`);
  }
  // The engine knows best what is wrong within a module, and names places as they are in the file.
  const { memories, end } = memoriesOf(bytes);
  if (end > bytes.length) await compile(bytes);
  refuse(checkMemories(memories, limitMb));
  const capped = capMemories(bytes, limitMb);
  const module = await compile(capped).catch(() => compile(bytes));
  refuse(checkAbi(module));
  return { module, movedBytes: capped.length - bytes.length };
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new Error(`the module is invalid: ${words(error)}`);
  }
}
