// The message contract of a JavaScript plug-in, to the letter.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';
import { raw } from './raw.ts';

const valor = await serve([
  web('echo.js'),
  web('bodies.js'),
  web('later.js'),
  web('later.js', { name: 'two', instances: { min: 2, max: 2 } }),
  web('config.js', { config: { who: ['Alice', 1, null, true] } }),
  web('config.js', { name: 'unconfigured' }),
  web('counter.js'),
  web('scope.js'),
  web('echo.js', { name: 'deep', prefix: ' /a/b// ' }),
]);
after(() => valor.stop());

test('the request message has url, method, headers and body, and nothing else', async () => {
  const answer = await valor.ask('/echo/some/url?a=1&b=%20', {
    headers: { 'X-Request-Id': '123abc', 'X-Thing': 'One' },
  });
  const seen = answer.json();
  assert.deepEqual(seen.keys.sort(), ['body', 'headers', 'method', 'url']);
  assert.equal(seen.url, 'some/url?a=1&b=%20');
  assert.equal(seen.method, 'GET');
  assert.equal(seen.body, null);
  assert.ok(seen.headersAreArrays);
  assert.deepEqual(
    seen.headers.find(([name]: string[]) => name === 'x-request-id'),
    ['x-request-id', '123abc'],
  );
  assert.deepEqual(
    seen.headers.find(([name]: string[]) => name === 'x-thing'),
    ['x-thing', 'One'],
  );
  assert.equal(seen.event, 'MessageEvent');
  assert.equal(seen.type, 'message');
});

test('url is empty for the mount itself and keeps a query', async () => {
  assert.equal((await valor.ask('/echo')).json().url, '');
  assert.equal((await valor.ask('/echo?x')).json().url, '?x');
  assert.equal((await valor.ask('/echo/')).json().url, '');
});

test('new URL(request.url, location) is the public URL', async () => {
  assert.equal((await valor.ask('/echo/a/b?c')).json().public, `${valor.url}/echo/a/b?c`);
  assert.equal((await valor.ask('/echo')).json().public, `${valor.url}/echo/`);
  assert.equal((await valor.ask('/a/b/c')).json().public, `${valor.url}/a/b/c`);
});

test('slashes and blanks around a prefix are ignored', async () => {
  assert.equal((await valor.ask('/a/b/c?d')).json().url, 'c?d');
  assert.equal((await valor.ask('/a/b')).headers['x-valor-plugin'], 'deep');
});

test('the method arrives as sent, known or not', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
    assert.equal((await valor.ask('/echo', { method })).json().method, method);
  }
});

test('a request body arrives as an ArrayBuffer, byte by byte', async () => {
  const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const seen = (await valor.ask('/echo', { method: 'POST', body })).json();
  assert.equal(seen.body.type, '[object ArrayBuffer]');
  assert.equal(seen.body.hex, Buffer.from(body).toString('hex'));
});

test('a chunked request body arrives whole, and an empty one as null or an empty ArrayBuffer', async () => {
  const chunked = await raw(valor.port, (connection) =>
    connection
      .send(
        'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
        '3\r\nabc\r\n',
        '2;x=y\r\nde\r\n',
        '0\r\n\r\n',
      )
      .response(),
  );
  assert.equal(JSON.parse(chunked.body).body.hex, '6162636465');
  const empty = await raw(valor.port, (connection) =>
    connection.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n').response(),
  );
  assert.equal(JSON.parse(empty.body).body?.hex ?? '', '');
});

test('headers that repeat arrive as pairs, in order', async () => {
  const answer = await raw(valor.port, (connection) =>
    connection.get('/echo', 'X-A: 1', 'x-b: 2', 'X-A: 3').response(),
  );
  const pairs = JSON.parse(answer.body).headers.filter(([name]: string[]) => /^x-[ab]$/.test(name!));
  assert.deepEqual(pairs, [
    ['x-a', '1'],
    ['x-b', '2'],
    ['x-a', '3'],
  ]);
});

test('the response body may be a string, an ArrayBuffer, a view or null', async () => {
  const bytes = async (kind: string) => (await valor.ask(`/bodies/${kind}`)).bytes.toString('hex');
  assert.equal((await valor.ask('/bodies/string')).text, 'grüße');
  assert.equal(await bytes('buffer'), '0102030405');
  assert.equal(await bytes('view'), '020304');
  assert.equal(await bytes('dataview'), '0304');
  assert.equal(await bytes('null'), '');
  assert.equal(await bytes('undefined'), '');
  assert.equal(await bytes('empty'), '');
  assert.equal((await valor.ask('/bodies/bare')).status, 200);
});

test('a transferred body is sent and leaves an empty buffer behind', async () => {
  assert.equal((await valor.ask('/bodies/transfer')).bytes.toString('hex'), '0102030405');
  await valor.logged(/transferred, 0 left/);
});

test('response headers go out as pairs, repetitions included', async () => {
  const { pairs } = await valor.ask('/bodies/string');
  assert.deepEqual(
    pairs.filter(([name]) => name === 'x-many' || name === 'set-cookie'),
    [
      ['x-many', 'one'],
      ['x-many', 'two'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ],
  );
});

test('every status from 200 to 599 goes out as given', async () => {
  for (const status of [200, 201, 204, 205, 299, 304, 404, 418, 500, 599]) {
    assert.equal((await valor.ask(`/bodies/null?status=${status}`)).status, status);
  }
});

test('a request without x-request-id gets a fresh one, which comes back as x-correlation-id', async () => {
  const first = await valor.ask('/echo');
  const second = await valor.ask('/echo');
  const id = first.json().headers.find(([name]: string[]) => name === 'x-request-id')[1];
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(first.headers['x-correlation-id'], id);
  assert.notEqual(second.headers['x-correlation-id'], id);
});

test("a client's x-request-id comes back as x-correlation-id, and the plug-in is named", async () => {
  const answer = await valor.ask('/later?ms=1&text=hi', { headers: { 'x-request-id': 'my-id' } });
  assert.equal(answer.headers['x-correlation-id'], 'my-id');
  assert.equal(answer.headers['x-valor-plugin'], 'later');
  assert.equal(answer.text, 'hi my-id');
  assert.deepEqual(answer.pairs.filter(([name]) => name === 'x-correlation-id' || name === 'x-valor-plugin').length, 2);
});

test('two requests at once with the same id of a client get each their own answer', async () => {
  const headers = { 'x-request-id': 'same' };
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => valor.ask(`/later?ms=${60 - i * 6}&text=number-${i}`, { headers })),
  );
  answers.forEach((answer, i) => {
    assert.match(answer.text, new RegExp(`^number-${i} `));
    assert.equal(answer.headers['x-correlation-id'], 'same');
  });
  const seen = new Set(answers.map(({ text }) => text.split(' ')[1]));
  assert.equal(seen.size, 10, 'the plug-in saw different ids');
});

test('answers that come late and in another order find their requests by x-correlation-id', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => valor.ask(`/later?ms=${(i * 7) % 50}&text=${i}`)),
  );
  for (const [i, answer] of answers.entries()) assert.match(answer.text, new RegExp(`^${i} `));
});

test('a plug-in that answers late without naming the request still answers everyone correctly', async () => {
  assert.match((await valor.ask('/two?ms=5&unnamed&text=alone')).text, /^alone /);
  const own = await serve([web('later.js')]);
  try {
    // The first late unnamed answer teaches Valor to hand this plug-in one request at a time.
    assert.match((await own.ask('/later?ms=5&unnamed&text=first')).text, /^first /);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => own.ask(`/later?ms=${12 - i}&unnamed&text=${i}`)),
    );
    for (const [i, answer] of answers.entries()) assert.match(answer.text, new RegExp(`^${i} `));
  } finally {
    await own.stop();
  }
});

test('an answer to a client that left reaches nobody else', async () => {
  const gone = http.request({
    port: valor.port,
    host: '127.0.0.1',
    path: '/later?ms=100&text=gone',
    headers: { 'x-request-id': 'shared' },
  });
  gone.on('error', () => {});
  gone.end();
  await new Promise((done) => setTimeout(done, 30));
  gone.destroy();
  const answer = await valor.ask('/later?ms=150&text=here', { headers: { 'x-request-id': 'shared' } });
  assert.match(answer.text, /^here /);
});

test('config reaches the plug-in as self.valor.config, null where there is none', async () => {
  assert.deepEqual((await valor.ask('/config')).json(), { config: { who: ['Alice', 1, null, true] } });
  assert.deepEqual((await valor.ask('/unconfigured')).json(), { config: null });
});

test('state lives as long as the instance', async () => {
  assert.equal((await valor.ask('/counter')).text, '1');
  assert.equal((await valor.ask('/counter')).text, '2');
});

test('a plug-in sees Web APIs and nothing of Node', async () => {
  assert.deepEqual((await valor.ask('/scope')).json(), { wrong: [], selfIsGlobal: true });
});
