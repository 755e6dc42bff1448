// C++ plug-ins: the examples, the snippet of the README compiled outside the source tree, and libraries that cannot work.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { native, root, serve, temporaryFolder, type Valor, web } from './harness.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const include = ['-I', join(root, 'sdk/cpp/include'), '-I', join(root, 'abi')];

/** Compiles C++ source to a shared library, as a plug-in author would. */
async function compile(name: string, source: string): Promise<string> {
  const file = join(folder, `${name}.cpp`);
  const library = join(folder, `lib${name}.so`);
  writeFileSync(file, source);
  await run('g++', ['-std=c++20', '-fPIC', '-shared', ...include, file, '-o', library]);
  return library;
}

const snippet = `#include <valor/vlugin.hpp>
valor::Response on_request(valor::Request request) { return "OK response from a plugin"; }
VLUGIN(on_request)
`;

const blocking = `#include <valor/vlugin.hpp>
#include <chrono>
#include <thread>
valor::Response on_request(valor::Request request) {
  if (request.url().starts_with("block")) std::this_thread::sleep_for(std::chrono::seconds(3));
  return "done";
}
VLUGIN(on_request)
`;

const thrower = `#include <valor/vlugin.hpp>
#include <stdexcept>
valor::Response on_request(valor::Request request) {
  if (request.url().starts_with("fine")) return "fine";
  throw std::runtime_error("thrown on purpose");
}
VLUGIN(on_request)
`;

writeFileSync(join(folder, 'text.so'), 'this is no library');

let valor: Valor;

before(async () => {
  const of = (name: string, path: string, fields = {}) => ({ type: 'native', name, path, ...fields });
  const [snippetLibrary, blockingLibrary, throwerLibrary, symbolless] = await Promise.all([
    compile('snippet', snippet),
    compile('blocking', blocking),
    compile('thrower', thrower),
    compile('symbolless', 'extern "C" int nothing() { return 1; }'),
  ]);
  valor = await serve(
    [
      native('hello-cpp'),
      native('with-state-cpp', { config: 'Alice' }),
      of('snippet', snippetLibrary),
      of('blocking', blockingLibrary, { limits: { timeout_ms: 500 } }),
      of('thrower', throwerLibrary),
      of('absent', join(folder, 'libabsent.so')),
      of('nosuchsystemlibrary', 'nosuchsystemlibrary'),
      of('symbolless', symbolless),
      of('text', join(folder, 'text.so')),
      web('counter.js'),
    ],
    ['-w'],
  );
});
after(() => valor.stop());

test('the C++ examples answer', async () => {
  const hello = await valor.ask('/hello-cpp', { headers: { 'x-request-id': 'cpp-1' } });
  assert.equal(hello.status, 200);
  assert.match(hello.text, /\S/);
  assert.equal(hello.headers['x-correlation-id'], 'cpp-1');
  assert.equal(hello.headers['x-valor-plugin'], 'hello-cpp');
});

test('with-state: configured with Alice, says hello to who asks, 400 without who', async () => {
  assert.equal((await valor.ask('/with-state-cpp?who=Bob')).text, 'Alice says hello Bob!');
  assert.equal((await valor.ask('/with-state-cpp')).status, 400);
});

test('three lines of C++, compiled outside the source tree, are a plug-in', async () => {
  const answer = await valor.ask('/snippet/any/path');
  assert.equal(answer.status, 200);
  assert.equal(answer.text, 'OK response from a plugin');
});

test('a native plug-in that blocks holds up nobody else, and its own request gets 504', async () => {
  const blocked = valor.ask('/blocking/block');
  for (let i = 0; i < 20; i++) assert.equal((await valor.ask('/counter')).status, 200);
  assert.equal((await blocked).status, 504);
  assert.equal(
    (await valor.ask('/blocking/fine')).text,
    'done',
    'a new instance answers while the old one still sleeps',
  );
});

test('an exception out of a C++ handler gets 500 and a log line, and the plug-in goes on', async () => {
  const answer = await valor.ask('/thrower/x');
  assert.equal(answer.status, 500);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  await valor.logged(/thrower.*thrown on purpose/);
  assert.equal((await valor.ask('/thrower/fine')).text, 'fine');
});

test('a missing file, a missing symbol and what is no library are reported, answer 502, and the others serve', async () => {
  await valor.logged(/libabsent\.so/);
  await valor.logged(/nosuchsystemlibrary/);
  await valor.logged(/symbolless.*valor_plugin_v1/);
  await valor.logged(/text\.so/);
  for (const name of ['absent', 'nosuchsystemlibrary', 'symbolless', 'text']) {
    const answer = await valor.ask(`/${name}`);
    assert.equal(answer.status, 502, name);
    assert.equal(answer.json().plugin, name);
  }
  assert.equal((await valor.ask('/snippet')).status, 200);
});

test('memory_mb, which cannot be enforced for native code, is refused or not listed', async () => {
  const { definition } = (await valor.ask('/_plugins/hello-cpp')).json();
  assert.equal(definition.limits.memory_mb, undefined);
});
