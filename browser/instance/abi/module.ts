// From the file of a plug-in to a compiled module that speaks the ABI and cannot take more memory than its limit.
import { checkAbi } from './check.ts';
import { type Layout, type Memory, readLayout } from './layout.ts';

const mebibyte = 2 ** 20;
/** A 32-bit memory has at most 4 GiB. */
const mostPages = 65536;
const pagesPerMebibyte = 16;

export interface LoadedModule {
  module: WebAssembly.Module;
  /** How much further back its code is than in the file, since its memories were capped. */
  movedBytes: number;
}

function checkHead(bytes: Uint8Array): string {
  const [, , , , ...version] = bytes.subarray(0, 8);
  if (bytes.length === 0) return 'the file is empty';
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== '\0asm') {
    return 'the file is no WebAssembly module: it does not begin with "\\0asm". A script has a name that ends in .js, .mjs, .ts or .mts';
  }
  if (version.length < 4) return 'the file is cut short';
  // A component has the same magic, and a version whose upper half, the layer, is 1.
  if (version[2] === 1) {
    return 'the file is a WebAssembly component, not a module. Components are plug-ins of "type": "wasi"';
  }
  if (`${version}` !== '1,0,0,0') {
    return 'the file is of another version of WebAssembly than 1 (its bytes 4 to 7 are not 1, 0, 0, 0)';
  }
  return '';
}

function checkMemories(memories: Memory[], limitMb: number): string {
  let sum = 0;
  for (const { flags, minimum } of memories) {
    if (flags & 2) {
      return 'its memory is shared, for threads, which plug-ins do not have: compile without -pthread, -matomics and --shared-memory';
    }
    if (flags & 4) {
      return 'its memory has 64-bit addresses, and the plug-in ABI has 32-bit ones: compile for wasm32';
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
export function capMemories(bytes: Uint8Array<ArrayBuffer>, layout: Layout, limitMb: number): Uint8Array<ArrayBuffer> {
  const { memories, memoriesAt } = layout;
  if (!memoriesAt) return bytes;
  const [start, end] = memoriesAt;
  const spare = limitMb * pagesPerMebibyte - memories.reduce((sum, { minimum }) => sum + minimum, 0);
  const content = leb(memories.length);
  for (const { minimum, maximum } of memories) {
    const most = Math.min(minimum + Math.floor(spare / memories.length), maximum, mostPages);
    content.push(1, ...leb(minimum), ...leb(most));
  }
  const section = [5, ...leb(content.length), ...content];
  const capped = new Uint8Array(bytes.length - (end - start) + section.length);
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
  refuse(checkHead(bytes));
  if (bytes.length > limitMb * mebibyte) {
    refuse(`the file has ${Math.floor(bytes.length / mebibyte)} MiB, more than limits.memory_mb (${limitMb}) allows`);
  }
  let layout: Layout;
  try {
    layout = readLayout(bytes);
  } catch {
    // The engine knows best what is wrong within a module.
    await compile(bytes);
    throw new Error('the module uses what this Valor does not know');
  }
  refuse(checkAbi(layout));
  refuse(checkMemories(layout.memories, limitMb));
  const capped = capMemories(bytes, layout, limitMb);
  // The file as it is makes the engine name the places where things are in it.
  const module = await compile(capped).catch((error) => compile(bytes).then(() => Promise.reject(error)));
  return { module, movedBytes: capped.length - bytes.length };
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new Error(`the module is invalid: ${words(error)}`);
  }
}
