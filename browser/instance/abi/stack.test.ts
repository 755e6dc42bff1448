import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readableStack } from './stack.ts';

test('frames of Chromium', () => {
  const stack = `RuntimeError: unreachable
    at boom (wasm://wasm/0a1b2c3d:wasm-function[12]:0x34)
    at module.wasm.inner (wasm://wasm/module.wasm-0a1b2c3d:wasm-function[13]:0x102)
    at wasm://wasm/0a1b2c3d:wasm-function[3]:0x5
    at Guest.start (http://127.0.0.1/valor-host.js:1:2345)
    at http://127.0.0.1/valor-host.js:1:234`;
  assert.equal(
    readableStack(stack, 'file.wasm', 2),
    `at boom (file.wasm:wasm-function[12]:0x32)
at inner (file.wasm:wasm-function[13]:0x100)
at file.wasm:wasm-function[3]:0x3`,
  );
});

test('frames of Firefox', () => {
  const stack = `boom@http://127.0.0.1/valor-host.js line 5 > WebAssembly.compile:wasm-function[12]:0x34
wasm-function[3]@http://127.0.0.1/valor-host.js line 5 > WebAssembly.compile:wasm-function[3]:0x5
start@http://127.0.0.1/valor-host.js:1:2345
`;
  assert.equal(
    readableStack(stack, 'file.wasm', 2),
    `at boom (file.wasm:wasm-function[12]:0x32)
at file.wasm:wasm-function[3]:0x3`,
  );
});

test('names of C++ and Rust keep their brackets', () => {
  const stack = `Error
    at valor::f(int, std::function<void (int)>) (wasm://wasm/0a1b2c3d:wasm-function[12]:0x34)
    at <a::B as c::D>::e::h012 (wasm://wasm/0a1b2c3d:wasm-function[13]:0x35)
valor::f(int)@http://h/x.js line 1 > WebAssembly.Module:wasm-function[14]:0x36`;
  assert.equal(
    readableStack(stack, 'x.wasm', 0),
    `at valor::f(int, std::function<void (int)>) (x.wasm:wasm-function[12]:0x34)
at <a::B as c::D>::e::h012 (x.wasm:wasm-function[13]:0x35)
at valor::f(int) (x.wasm:wasm-function[14]:0x36)`,
  );
});

test('no frame of the plug-in: nothing', () => {
  assert.equal(readableStack('Error: x\n    at f (file.js:1:2)', 'x.wasm', 0), '');
});
