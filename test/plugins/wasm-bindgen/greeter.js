// Glue in the shape that wasm-bindgen writes with --target web.
let wasm;

const heap = new Array(128).fill(undefined);
heap.push(undefined, null, true, false);
let heapNext = heap.length;

function addHeapObject(object) {
  if (heapNext === heap.length) heap.push(heap.length + 1);
  const index = heapNext;
  heapNext = heap[index];
  heap[index] = object;
  return index;
}
const getObject = (index) => heap[index];
function dropObject(index) {
  if (index < 132) return;
  heap[index] = heapNext;
  heapNext = index;
}
function takeObject(index) {
  const object = getObject(index);
  dropObject(index);
  return object;
}

let stackPointer = 128;
function addBorrowedObject(object) {
  if (stackPointer === 1) throw new Error('out of js stack');
  heap[--stackPointer] = object;
  return stackPointer;
}

let cachedBytes = null;
function memoryBytes() {
  if (cachedBytes === null || cachedBytes.byteLength === 0) cachedBytes = new Uint8Array(wasm.memory.buffer);
  return cachedBytes;
}
let cachedView = null;
function memoryView() {
  if (cachedView === null || cachedView.buffer !== wasm.memory.buffer) cachedView = new DataView(wasm.memory.buffer);
  return cachedView;
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
textDecoder.decode();
const textEncoder = new TextEncoder();
const getString = (pointer, size) => textDecoder.decode(memoryBytes().subarray(pointer >>> 0, (pointer >>> 0) + size));

let vectorSize = 0;
function passString(text, malloc, realloc) {
  // ASCII first, as most text is; the rest with room for three bytes a character.
  let size = text.length;
  let pointer = malloc(size, 1) >>> 0;
  let offset = 0;
  const bytes = memoryBytes();
  for (; offset < size; offset++) {
    const code = text.charCodeAt(offset);
    if (code > 0x7f) break;
    bytes[pointer + offset] = code;
  }
  if (offset !== size) {
    if (offset !== 0) text = text.slice(offset);
    const enough = offset + text.length * 3;
    pointer = realloc(pointer, size, enough, 1) >>> 0;
    size = enough;
    const view = memoryBytes().subarray(pointer + offset, pointer + size);
    offset += textEncoder.encodeInto(text, view).written;
    pointer = realloc(pointer, size, offset, 1) >>> 0;
  }
  vectorSize = offset;
  return pointer;
}

export function greet(name) {
  let pointer = 0;
  let size = 0;
  try {
    const result = wasm.__wbindgen_add_to_stack_pointer(-16);
    const argument = passString(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    wasm.greet(result, argument, vectorSize);
    pointer = memoryView().getInt32(result, true);
    size = memoryView().getInt32(result + 4, true);
    return getString(pointer, size);
  } finally {
    wasm.__wbindgen_add_to_stack_pointer(16);
    wasm.__wbindgen_free(pointer, size, 1);
  }
}

export function describe(value) {
  let pointer = 0;
  let size = 0;
  try {
    const result = wasm.__wbindgen_add_to_stack_pointer(-16);
    wasm.describe(result, addBorrowedObject(value));
    const error = memoryView().getInt32(result + 8, true);
    if (memoryView().getInt32(result + 12, true)) throw takeObject(error);
    pointer = memoryView().getInt32(result, true);
    size = memoryView().getInt32(result + 4, true);
    return getString(pointer, size);
  } finally {
    wasm.__wbindgen_add_to_stack_pointer(16);
    heap[stackPointer++] = undefined;
    wasm.__wbindgen_free(pointer, size, 1);
  }
}

async function load(module, imports) {
  if (typeof Response === 'function' && module instanceof Response) {
    if (typeof WebAssembly.instantiateStreaming === 'function') {
      try {
        return await WebAssembly.instantiateStreaming(module, imports);
      } catch (error) {
        if (module.headers.get('Content-Type') === 'application/wasm') throw error;
      }
    }
    return await WebAssembly.instantiate(await module.arrayBuffer(), imports);
  }
  const instance = await WebAssembly.instantiate(module, imports);
  return instance instanceof WebAssembly.Instance ? { instance, module } : instance;
}

function getImports() {
  const imports = { wbg: {} };
  imports.wbg.__wbg_log = (pointer, size) => console.log(getString(pointer, size));
  imports.wbg.__wbg_String = (result, index) => {
    const pointer = passString(String(getObject(index)), wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const size = vectorSize;
    memoryView().setInt32(result + 4, size, true);
    memoryView().setInt32(result, pointer, true);
  };
  imports.wbg.__wbindgen_string_new = (pointer, size) => addHeapObject(getString(pointer, size));
  imports.wbg.__wbindgen_object_drop_ref = (index) => dropObject(index);
  imports.wbg.__wbindgen_throw = (pointer, size) => {
    throw new Error(getString(pointer, size));
  };
  return imports;
}

function finish(instance, module) {
  wasm = instance.exports;
  init.__wbindgen_wasm_module = module;
  cachedView = null;
  cachedBytes = null;
  return wasm;
}

export default async function init(input) {
  if (wasm !== undefined) return wasm;
  if (input === undefined) input = new URL('greeter_bg.wasm', import.meta.url);
  const imports = getImports();
  if (typeof input === 'string' || input instanceof URL || input instanceof Request) input = fetch(input);
  const { instance, module } = await load(await input, imports);
  return finish(instance, module);
}
