// Every plug-in of examples/plugins.json answers what `make run` says it answers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build, root, serveFile, type Valor } from './harness.ts';

// As it stands, except for the build under test. Beside the original, because its paths are relative to it.
const file = join(root, 'examples', `.plugins-${process.pid}.json`);
const original = readFileSync(join(root, 'examples/plugins.json'), 'utf8');
writeFileSync(file, original.replaceAll('../build/release', build));
let valor: Valor;
try {
  valor = await serveFile(file);
} finally {
  const { unlinkSync } = await import('node:fs');
  unlinkSync(file);
}
after(() => valor.stop());

test('no example fails to load', () => {
  assert.doesNotMatch(valor.log, /failed/);
});

test('hello and with-state, in JavaScript, TypeScript and C++', async () => {
  assert.equal((await valor.ask('/hello/world')).text, 'Hello from GET /world\n');
  assert.equal((await valor.ask('/hello-ts')).text, 'Hello from TypeScript, 0 bytes received\n');
  assert.equal((await valor.ask('/hello-cpp')).status, 200);
  for (const name of ['with-state', 'with-state-cpp']) {
    assert.equal((await valor.ask(`/${name}?who=Bob`)).text, 'Alice says hello Bob!', name);
    assert.equal((await valor.ask(`/${name}`)).status, 400, name);
  }
});

test('fetch, hono, primes, transfer, site', async () => {
  assert.deepEqual((await valor.ask('/fetch/greet/Ada')).json(), { greeting: 'Hello, Ada!' });
  assert.equal((await valor.ask('/fetch/greet/Ada', { method: 'POST' })).status, 405);
  assert.equal((await valor.ask('/hono/books')).json().length, 2);
  assert.deepEqual((await valor.ask('/primes?n=100000')).json(), { n: 100_000, primes: 9592 });
  assert.deepEqual((await valor.ask('/transfer/up', { method: 'PUT', body: 'x'.repeat(100_000) })).json(), {
    bytes: 100_000,
  });
  assert.equal((await valor.ask('/transfer/down?bytes=1234567')).bytes.length, 1_234_567);
  assert.deepEqual((await valor.ask('/primes-cpp?n=100000')).json(), { n: 100_000, primes: 9592 });
  assert.equal((await valor.ask('/transfer-cpp/down?bytes=1234567')).bytes.length, 1_234_567);
  const counted = await valor.ask('/transfer-cpp/up', { method: 'PUT', body: 'x'.repeat(100_000) });
  assert.match(counted.text, /100000/);
  assert.match((await valor.ask('/site/')).text, /Static files/);
});

test('what `make run` says to try is there', async () => {
  const text = execFileSync(join(root, 'tools/what-to-try'), { encoding: 'utf8' });
  const paths = [...text.matchAll(/http:\/\/127\.0\.0\.1:8080(\/[^\s']*)/g)].map(([, path]) => path!);
  assert.ok(paths.length > 8);
  for (const path of paths.filter((path) => !path.startsWith('/proxy/'))) {
    const method = path === '/transfer/up' ? 'PUT' : 'GET';
    assert.equal((await valor.ask(path.replace('bytes=1000000000', 'bytes=1000'), { method })).status, 200, path);
  }
});

test('what `make run` says follows the port', () => {
  assert.match(
    execFileSync(join(root, 'tools/what-to-try'), ['-w', '--port', '9123'], { encoding: 'utf8' }),
    /127\.0\.0\.1:9123\/hello/,
  );
});
