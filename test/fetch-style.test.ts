// The two other ways to write a plug-in: a fetch listener, and a module whose default export has fetch.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build, serve, sleep, web } from './harness.ts';
import { RawConnection, raw } from './raw.ts';

const valor = await serve([
  web('service.js'),
  web('edge.js', { config: { greeting: 'hi', list: [1] } }),
  { type: 'web', name: 'hono', url: join(build, 'examples/hono-app.js') },
]);
after(() => valor.stop());

test('a fetch listener gets a real Request, with the mount stripped from its URL', async () => {
  const answer = await valor.ask('/service/describe?q=1', {
    method: 'POST',
    headers: { 'x-test': 'yes' },
    body: 'a body',
  });
  assert.deepEqual(answer.json(), {
    url: `${valor.url}/describe?q=1`,
    method: 'POST',
    header: 'yes',
    instances: [true, true],
    body: 'a body',
  });
  assert.equal(answer.headers['content-type'], 'application/json');
});

test('respondWith may be given a promise that settles later', async () => {
  assert.equal((await valor.ask('/service/late')).text, 'late but there');
});

test('an event that nobody responds to, a rejection and a wrong value get an error each, and the next request is fine', async () => {
  assert.ok([404, 500, 502, 504].includes((await valor.ask('/service/unheard')).status));
  assert.equal((await valor.ask('/service/reject')).status, 500);
  await valor.logged(/rejected on purpose/);
  assert.equal((await valor.ask('/service/wrong')).status, 500);
  assert.equal((await valor.ask('/service/late')).status, 200);
});

test('env is the configuration and ctx has waitUntil', async () => {
  assert.deepEqual((await valor.ask('/edge/env')).json(), {
    env: { greeting: 'hi', list: [1] },
    waitUntil: 'function',
  });
});

test('work handed to waitUntil goes on after the answer', async () => {
  assert.equal((await valor.ask('/edge/background')).text, 'answered first');
  await valor.logged(/background work is done/);
});

test('headers, repeated ones and cookies included, go out', async () => {
  const { status, pairs } = await valor.ask('/edge/headers');
  assert.equal(status, 201);
  assert.deepEqual(
    pairs.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
    ['a=1', 'b=2'],
  );
  assert.equal(
    pairs
      .filter(([name]) => name === 'x-one')
      .map(([, value]) => value)
      .join(', '),
    '1, 2',
  );
});

test('a thrown error and no Response get 500 and a log line with the stack in the source', async () => {
  const answer = await valor.ask('/edge/throw');
  assert.equal(answer.status, 500);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.doesNotMatch(answer.text, /edge\.js/, 'the client learns nothing of the source');
  await valor.logged(/edge.*thrown on purpose[\s\S]*edge\.js:\d+:\d+/);
  assert.equal((await valor.ask('/edge/nothing')).status, 500);
});

test('request bodies are echoed as streams, of every size', async () => {
  for (const size of [0, 1, 1000, 65_536, 1_000_000, 5_000_000]) {
    const body = Buffer.alloc(size, 'valor');
    const answer = await valor.ask('/edge/echo', { method: 'POST', body, headers: { 'content-type': 'x/y' } });
    assert.equal(answer.status, 200);
    assert.ok(answer.bytes.equals(body), `${size} bytes came back changed`);
    assert.equal(answer.headers['content-type'], 'x/y');
  }
});

test('an echo streams: the first piece comes back before the last one is sent', () =>
  raw(valor.port, async (connection) => {
    connection.send('POST /edge/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    let seen = '';
    while (!seen.includes('first')) seen += await connection.bytes(1);
    connection.send('4\r\nlast\r\n0\r\n\r\n');
    while (!seen.includes('last')) seen += await connection.bytes(1);
    while (!seen.endsWith('0\r\n\r\n')) seen += await connection.bytes(1);
  }));

test('JSON bodies are parsed, and a broken one is the error of the plug-in', async () => {
  assert.deepEqual((await valor.ask('/edge/json', { method: 'POST', body: '{"a":[1]}' })).json(), { got: { a: [1] } });
  assert.equal((await valor.ask('/edge/json', { method: 'POST', body: '{"a":' })).status, 500);
});

test('a stream is sent as it is made', async () => {
  const connection = await RawConnection.open(valor.port);
  connection.get('/edge/ticks');
  let seen = '';
  while (!seen.includes('tick 1')) seen += await connection.bytes(1);
  assert.ok(!seen.includes('tick 5'));
  while (!seen.endsWith('\r\n0\r\n\r\n')) seen += await connection.bytes(1);
  connection.close();
});

test('a stream that breaks breaks the connection, so that the client notices', () =>
  raw(valor.port, async (connection) => {
    const text = await connection.get('/edge/fails-midway').rest();
    assert.ok(!text.endsWith('0\r\n\r\n'), 'a regular end');
    await valor.logged(/stream broke on purpose/);
    assert.equal((await valor.ask('/edge/')).status, 200);
  }));

test('an app on hono runs unchanged', async () => {
  assert.equal((await valor.ask('/hono/')).text, 'try /books');
  const books = await valor.ask('/hono/books');
  assert.equal(books.headers['x-powered-by'], 'hono');
  assert.equal(books.json().length, 2);
  assert.equal((await valor.ask('/hono/books/2')).json().title, 'Communicating Sequential Processes');
  assert.equal((await valor.ask('/hono/books/7')).status, 404);
  const added = await valor.ask('/hono/books', {
    method: 'POST',
    body: '{"title":"SICP"}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(added.status, 201);
  assert.equal((await valor.ask('/hono/books/3')).json().title, 'SICP');
  assert.equal((await valor.ask('/hono/nowhere')).status, 404);
});

test('slow streams of many clients do not hold each other back', async () => {
  const streams = await Promise.all(Array.from({ length: 30 }, () => valor.ask('/edge/ticks')));
  for (const { text } of streams) assert.match(text, /tick 5\n$/);
  await sleep(1);
});
