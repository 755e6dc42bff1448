// What C++ plug-ins of both targets have at the real host: of their standard library, output, clocks, chance and ends; of
// the SDK, what its unit tests (sdk/cpp/test) see only of a host made for tests.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { root, serve, temporaryFolder, type Valor } from './harness.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const include = ['-I', join(root, 'sdk/cpp/include'), '-I', join(root, 'abi')];
const source = join(root, 'test/plugins/everyday.cpp');
const permissions = { net: ['self', '127.0.0.1:1'] };
let valor: Valor;

before(async () => {
  const module = join(folder, 'everyday.wasm');
  const library = join(folder, 'everyday.so');
  const wasm = ['--target=wasm32-wasi', '-mexec-model=reactor', '-fno-exceptions', '-fno-rtti', '-Wl,--stack-first'];
  await run('clang++-19', [
    ...[...wasm, '-std=c++20', '-O1', ...include],
    ...[source, join(root, 'sdk/cpp/wasm/runtime.cpp'), '-o', module],
  ]);
  await run('g++', ['-std=c++20', '-O1', '-fPIC', '-shared', ...include, source, '-o', library]);
  valor = await serve([
    { type: 'web', name: 'wasm', url: module, permissions },
    { type: 'native', name: 'native', path: library, permissions },
  ]);
});
after(() => valor?.stop());

const text = async (path: string): Promise<string> => (await valor.ask(path)).text;

test('what is printed becomes lines of the log, and errors become warnings', async () => {
  assert.equal(await text('/wasm/print'), 'printed');
  await valor.logged(/info.*wasm.*printed 1 and ended/);
  await valor.logged(/info.*wasm.*streamed 1\.5/);
  await valor.logged(/warn.*wasm.*complained/);
});

test('clocks, chance, files and environment are those of the host, or none', async () => {
  for (const target of ['wasm', 'native']) {
    const seconds = Number(await text(`/${target}/clock`));
    assert.ok(Math.abs(seconds - Date.now() / 1000) < 60, `${target}: ${seconds}`);
    assert.equal(await text(`/${target}/random`), 'different');
  }
  assert.equal(await text('/wasm/files'), 'no file');
  assert.equal(await text('/wasm/environment'), 'no variable');
});

test('values at the host, fetches side by side, with a body that streams, and against a sleep', async () => {
  for (const target of ['wasm', 'native']) {
    assert.equal(await text(`/${target}/store`), 'value', target);
    assert.equal(await text(`/${target}/all`), '200 no response', target);
    assert.equal(await text(`/${target}/race`), 'in time', target);
    const body = 'x'.repeat(300_000);
    assert.equal((await valor.ask(`/${target}/upload`, { method: 'POST', body })).text, `1${body}`, target);
  }
});

test('a body is passed on in both directions while it comes, also after the handler has ended', async () => {
  for (const target of ['wasm', 'native']) {
    const body = Array.from({ length: 200_000 }, (_, i) => String(i)).join(' ');
    for (let i = 0; i < 3; i++) {
      const answer = await valor.ask(`/${target}/relay`, { method: 'POST', body });
      assert.equal(answer.status, 200);
      assert.ok(answer.text === body, `${target}: ${answer.text.length} bytes of ${body.length}`);
    }
  }
});

test('an instance that gives up answers 502, the log says why, and a new one answers', async () => {
  for (const target of ['wasm', 'native']) {
    assert.equal((await valor.ask(`/${target}/give-up`)).status, 502, target);
    await valor.logged(new RegExp(`${target}.*given up on purpose`));
    assert.equal(await text(`/${target}/fine`), 'fine');
  }
});

test('Response::failure() is a 500 whose words are in the log', async () => {
  for (const target of ['wasm', 'native']) {
    const answer = await valor.ask(`/${target}/failure`);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /on purpose/);
    await valor.logged(new RegExp(`${target}.*failed on purpose`));
  }
});

for (const [path, words] of [
  ['abort', /abort\(\) was called/],
  ['exit', /exit\(\) was called/],
  ['assert', /something else/],
  ['at', /out_of_range was thrown in -fno-exceptions mode with message "vector"/],
  ['memory', /bad_alloc was thrown/],
  ['recursion', /memory access out of bounds/],
  ['null', /memory access out of bounds/],
] as const) {
  test(`${path} ends the instance with words for the log, and a new one answers`, async () => {
    assert.equal((await valor.ask(`/wasm/${path}`)).status, 502);
    await valor.logged(words);
    assert.equal(await text('/wasm/fine'), 'fine');
    assert.equal(await text('/native/fine'), 'fine');
  });
}
