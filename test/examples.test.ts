// Every plug-in of examples/plugins.json answers what `make run` says it answers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root, serveExamples } from './harness.ts';

const valor = await serveExamples();
after(() => valor.stop());

test('no example fails to load', () => {
  assert.doesNotMatch(valor.log, /failed/);
});

test('hello and with-state, in JavaScript, TypeScript, C++, C and AssemblyScript', async () => {
  assert.equal((await valor.ask('/hello/world')).text, 'Hello from GET /world\n');
  assert.equal((await valor.ask('/hello-ts')).text, 'Hello from TypeScript, 0 bytes received\n');
  assert.equal((await valor.ask('/hello-cpp')).status, 200);
  assert.equal((await valor.ask('/hello-cpp-wasm')).status, 200);
  for (const name of ['hello-c', 'hello-c-wasm', 'hello-assemblyscript']) {
    assert.equal((await valor.ask(`/${name}/x`)).text, 'OK response from a plugin', name);
  }
  for (const name of [
    'with-state',
    'with-state-cpp',
    'with-state-cpp-wasm',
    'with-state-c',
    'with-state-assemblyscript',
  ]) {
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
  for (const kind of ['cpp', 'cpp-wasm']) {
    assert.deepEqual((await valor.ask(`/primes-${kind}?n=100000`)).json(), { n: 100_000, primes: 9592 });
    assert.equal((await valor.ask(`/transfer-${kind}/down?bytes=1234567`)).bytes.length, 1_234_567);
    const counted = await valor.ask(`/transfer-${kind}/up`, { method: 'PUT', body: 'x'.repeat(100_000) });
    assert.match(counted.text, /100000/);
  }
  assert.match((await valor.ask('/site/')).text, /Static files/);
});

test('a GraphQL server: queries, mutations, what is wrong with them', async () => {
  const ask = (query: string, variables: object = {}) =>
    valor.ask('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
  const title = 'Hints on Programming Language Design';
  const add =
    'mutation($title: String!, $author: String!) { addBook(title: $title, year: 1973, author: $author) { year } }';
  assert.deepEqual((await ask(add, { title, author: 'Tony Hoare' })).json().data, { addBook: { year: 1973 } });
  const answer = await ask('{ books(since: 1970) { title author { books { title } } } }');
  assert.equal(answer.headers['content-type'], 'application/graphql-response+json; charset=utf-8');
  const { books } = answer.json().data;
  assert.deepEqual(
    books.map((book: { title: string }) => book.title),
    ['Communicating Sequential Processes', title],
  );
  assert.equal(books[0].author.books.length, 2);
  assert.equal((await ask(add, { title, author: 'Nobody' })).json().errors[0].message, 'no author is named Nobody');
  const wrong = await ask('{ films }');
  assert.equal(wrong.status, 400);
  assert.match(wrong.json().errors[0].message, /Cannot query field "films"/);
});

test('remote procedures on tRPC: queries, mutations, several at once, input that does not fit', async () => {
  const call = (name: string, input: unknown) =>
    valor.ask(`/trpc/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
  const { id } = (await call('add', { title: 'test it' })).json().result.data;
  assert.deepEqual((await call('finish', { id })).json().result.data, { title: 'test it', done: true });
  assert.equal((await call('finish', { id: 99 })).status, 404);
  assert.equal((await call('add', { title: '' })).status, 400);
  const both = (await valor.ask('/trpc/list,nothing?batch=1&input={}')).json();
  assert.deepEqual(both[0].result.data.at(-1), { id, title: 'test it', done: true });
  assert.equal(both[1].error.data.code, 'NOT_FOUND');
});

test('Markdown to HTML', async () => {
  const body = '# Grüße\n\n| a | b |\n|---|---|\n| *1* | `2` |\n';
  const answer = await valor.ask('/markdown', { method: 'POST', body });
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(answer.text, /^<h1>Grüße<\/h1>\n<table>.*<td><em>1<\/em><\/td>\n<td><code>2<\/code><\/td>/s);
  assert.match((await valor.ask('/markdown?page', { method: 'POST', body })).text, /^<!doctype html>.*<h1>Grüße/s);
  assert.match((await valor.ask('/markdown')).text, /<td><code>page<\/code><\/td>/);
  assert.equal((await valor.ask('/markdown', { method: 'DELETE' })).status, 405);
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
