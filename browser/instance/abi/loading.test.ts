// What is loaded as a plug-in of the ABI, and how files that are none are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capMemories, loadModule, memoriesOf } from './module.ts';
import { refusal } from './testing/fake-host.ts';
import { I32, I64, type MemoryParts, ModuleWriter, op, sectionOf, writeGuest } from './testing/module-writer.ts';

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (char) => char.charCodeAt(0));

test('files that are no plug-in are refused in words, with their address', async () => {
  assert.match(await refusal(bytesOf('export default {}')), /^http:\/\/files\/plugin.wasm: the module is invalid: /);
  assert.match(await refusal(bytesOf('')), /the module is invalid: /);
  assert.match(await refusal(bytesOf('\0asm\x01')), /the module is invalid: /);
  assert.match(await refusal(bytesOf('\0asm\x0d\0\x01\0')), /"type": "wasi"/);
  assert.match(await refusal(bytesOf('\0asm\x02\0\0\0')), /the module is invalid: /);
  const whole = writeGuest();
  assert.match(await refusal(whole.slice(0, -3)), /the module is invalid: /);
  assert.match(await refusal(new ModuleWriter().bytes()), /missing export: memory/);
});

test('an invalid module is refused with the words of the engine, and the place in the file', async () => {
  const add = 0x6a; // of nothing
  const bytes = writeGuest({ start: [add] });
  const error = await refusal(bytes);
  assert.match(error, /the module is invalid: Compiling function/);
  assert.equal(bytes[Number(/\+(\d+)$/.exec(error)?.[1])], add);
});

test('a module that is too large for its limits is refused', async () => {
  const bytes = new Uint8Array([...writeGuest(), ...sectionOf(0, [1, 98, ...new Uint8Array(3 << 20)])]);
  assert.match(await refusal(bytes, { memoryMb: 2 }), /the file has 3 MiB, more than limits.memory_mb \(2\) allows/);
  await loadModule(bytes.buffer, 8);
  assert.match(await refusal(writeGuest({ memories: [{ minimum: 200 }] }), { memoryMb: 8 }), /12.5 MiB of memory/);
});

test('a guest of another version of the ABI is refused', async () => {
  assert.match(await refusal(writeGuest({ abi: 2 })), /needs version 2 of the plug-in ABI, and this Valor speaks/);
  assert.match(await refusal(writeGuest({ abi: -1 })), /needs version 4294967295/);
});

test('every missing and every wrong export is listed', async () => {
  for (const name of ['memory', 'abi', 'alloc', 'free', 'create', 'start', 'complete', 'drop', 'destroy']) {
    const without = name === 'memory' ? name : `valor_${name}`;
    const text = await refusal(writeGuest({ without }));
    assert.equal(text.split('missing export').length, 2, text);
    assert.ok(text.includes(`missing export: ${without}`), text);
  }
  const writer = new ModuleWriter();
  writer.function([[], []], [], 'memory');
  const text = await refusal(writer.bytes());
  assert.match(text, /export memory is a function, not a memory/);
  assert.match(text, /missing export: valor_start\n/);
});

test('functions that this host does not have', async () => {
  const teleport = await refusal(writeGuest({ imports: [['teleport', [[I64], []]]] }));
  assert.match(teleport, /unknown import: function "valor"\."teleport", which this Valor does not have/);
  assert.match(teleport, /compiled for a newer Valor/);
  assert.match(await refusal(writeGuest({ imports: [['toString', [[], []]]] })), /which this Valor does not have/);
});

test('a module of another kind is told which', async () => {
  const wasi = new ModuleWriter();
  wasi.importFunction('wasi_snapshot_preview1', 'fd_write', [[I32], [I32]]);
  wasi.function([[], []], [], '_start');
  assert.match(await refusal(wasi.bytes()), /It is a program, for which "type": "wasi" is the kind/);
  const bindgen = new ModuleWriter();
  bindgen.importFunction('./x_bg.js', 'f', [[I32], []]);
  assert.match(await refusal(bindgen.bytes()), /--target web/);
  const undefinedFunction = new ModuleWriter();
  undefinedFunction.importFunction('env', 'printf', [[I32], []]);
  assert.match(await refusal(undefinedFunction.bytes()), /"env"\."printf"\n.*that the linker did not find/);
});

test('a list without end is cut, and names cannot break lines', async () => {
  const writer = new ModuleWriter();
  for (let i = 0; i < 100; i++) writer.importFunction('x\n', 'n'.repeat(1000), [[], []]);
  const text = await refusal(writer.bytes());
  assert.match(text, /and 89 more/);
  assert.ok(text.includes('"x\\n"'));
  assert.ok(text.length < 5000);
});

test('a memory can grow to the limit and no further, or to its own maximum where that is less', () => {
  const capped = (memories: MemoryParts[], limitMb = 8): number[] => {
    const bytes = writeGuest({ memories });
    const result = capMemories(bytes, limitMb);
    assert.ok(WebAssembly.validate(result));
    return memoriesOf(result).memories.map(({ maximum }) => maximum);
  };
  assert.deepEqual(capped([{ minimum: 1 }]), [128]);
  assert.deepEqual(capped([{ minimum: 1, maximum: 65536 }]), [128]);
  assert.deepEqual(capped([{ minimum: 1, maximum: 5 }]), [5]);
  assert.deepEqual(capped([{ minimum: 128 }]), [128]);
  assert.deepEqual(capped([{ minimum: 1 }], 65536), [65536]);
  // Several share what is left.
  assert.deepEqual(capped([{ minimum: 28 }, { minimum: 40 }]), [58, 70]);
});

test('memories that cannot be held to a limit are refused', async () => {
  assert.match(await refusal(writeGuest({ memories: [{ flags: 3, minimum: 1, maximum: 2 }] })), /shared/);
  assert.match(await refusal(writeGuest({ memories: [{ flags: 4, minimum: 1 }] })), /64-bit/);
  const imports = new ModuleWriter();
  imports.importOther('env', 'memory', [2, 0, 1]);
  assert.match(await refusal(imports.bytes()), /unknown import: memory "env"\."memory"/);
});

test('a function of another type than the ABI has ends the instance', async () => {
  const bytes = writeGuest({
    imports: [['now', [[I64], [I64]]]],
    create: [...op.i64(0n), ...op.call(1), ...op.drop, ...op.i32(0)],
  });
  assert.match(await refusal(bytes), /^The plug-in trapped: /);
});

test('modules with random damage are refused or compiled, and nothing else', async () => {
  let seed = 5;
  const below = (end: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * end);
  };
  for (let round = 0; round < 500; round++) {
    const bytes = writeGuest({ start: [...op.i32(1), ...op.grow(), ...op.drop] });
    for (let i = 0; i <= below(3); i++) bytes[8 + below(bytes.length - 8)] = below(256);
    await loadModule(bytes.buffer, 8).catch((error) => assert.equal(error.constructor, Error, `${error.stack}`));
  }
});
