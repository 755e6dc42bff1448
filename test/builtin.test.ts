// The built-in plug-ins: health, files, proxy. (The registry has a file of its own.)
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serve, sleep, temporaryFolder, type Valor } from './harness.ts';
import { RawConnection, raw } from './raw.ts';

const folder = temporaryFolder();
mkdirSync(join(folder, 'site/sub'), { recursive: true });
writeFileSync(join(folder, 'secret.txt'), 'secret');
writeFileSync(join(folder, 'site/index.html'), '<h1>home</h1>');
writeFileSync(join(folder, 'site/sub/index.html'), '<h1>sub</h1>');
writeFileSync(join(folder, 'site/data.bin'), Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256)));
writeFileSync(join(folder, 'site/a b.txt'), 'blank');
writeFileSync(join(folder, 'site/app.js'), '1');
writeFileSync(join(folder, 'site/style.css'), 'a{}');
writeFileSync(join(folder, 'site/big.bin'), Buffer.alloc(5_000_000, 'big'));
symlinkSync('../secret.txt', join(folder, 'site/link.txt'));

// What the upstream of the proxy saw last.
let seen: http.IncomingMessage;
const upstream = http.createServer((request, response) => {
  seen = request;
  const { pathname } = new URL(request.url!, 'http://x');
  if (pathname === '/base/echo') {
    response.writeHead(200, {
      'content-type': request.headers['content-type'] ?? 'none',
      connection: 'x-hop',
      'x-hop': '1',
      'x-end': '2',
    });
    request.pipe(response);
  } else if (pathname === '/base/ticks') {
    let n = 0;
    const timer = setInterval(() => {
      response.write(`tick ${++n}\n`);
      if (n === 5) {
        clearInterval(timer);
        response.end();
      }
    }, 5);
  } else if (pathname === '/base/status') {
    response.writeHead(418, { 'set-cookie': ['a=1', 'b=2'], location: '/elsewhere' }).end('short and stout');
  } else if (pathname === '/base/never') {
    // No answer.
  } else if (pathname === '/base/break') {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('part');
    setTimeout(() => response.destroy(), 20);
  } else {
    response.end(pathname);
  }
});
const garbage = createServer((socket) => socket.on('error', () => {}).end('this is no HTTP\r\n\r\n'));
let valor: Valor;

before(async () => {
  await Promise.all(
    [upstream, garbage].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  );
  const url = (server: { address(): unknown }, path = '/') =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const proxy = (name: string, to: string, fields = {}) => ({
    type: 'static',
    builtin: 'proxy',
    name,
    config: { upstream: to },
    ...fields,
  });
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const nobody = url(closed);
  closed.close();
  valor = await serve([
    { type: 'static', builtin: 'files', name: 'site', path: join(folder, 'site') },
    { type: 'static', builtin: 'files', name: 'absent', path: join(folder, 'absent') },
    proxy('api', url(upstream, '/base/')),
    proxy('impatient', url(upstream, '/base/'), { limits: { timeout_ms: 300 } }),
    proxy('nobody', nobody),
    proxy('garbage', url(garbage)),
    { type: 'static', name: 'teapot' },
  ]);
});
after(async () => {
  await valor.stop();
  upstream.close();
  upstream.closeAllConnections();
  garbage.close();
});

test('/_health answers, to GET and HEAD only', async () => {
  const answer = await valor.ask('/_health');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), { status: 'ok' });
  assert.equal((await valor.ask('/_health', { method: 'HEAD' })).status, 200);
  assert.equal((await valor.ask('/_health', { method: 'POST' })).status, 405);
  assert.ok(answer.headers['x-valor-plugin']);
});

test('an unknown built-in and a folder that is not there are reported, answer 502, and the others serve', async () => {
  await valor.logged(/teapot.*health, registry, proxy, files and browser/);
  await valor.logged(/absent/);
  assert.equal((await valor.ask('/teapot')).status, 502);
  assert.equal((await valor.ask('/absent/x')).status, 502);
});

test('files are sent with their type, length and ETag', async () => {
  for (const [path, type] of [
    ['index.html', 'text/html'],
    ['app.js', 'text/javascript'],
    ['style.css', 'text/css'],
    ['a%20b.txt', 'text/plain'],
    ['data.bin', 'application/octet-stream'],
  ] as const) {
    const answer = await valor.ask(`/site/${path}`);
    assert.equal(answer.status, 200, path);
    assert.ok(String(answer.headers['content-type']).startsWith(type), `${path}: ${answer.headers['content-type']}`);
    assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
    assert.match(String(answer.headers.etag), /^(W\/)?".+"$/);
  }
  const big = await valor.ask('/site/big.bin');
  assert.ok(big.bytes.equals(Buffer.alloc(5_000_000, 'big')));
});

test('a folder answers with its index.html, after a redirect to the slash', async () => {
  assert.equal((await valor.ask('/site/')).text, '<h1>home</h1>');
  assert.equal((await valor.ask('/site/sub/')).text, '<h1>sub</h1>');
  const redirect = await valor.ask('/site/sub?x=1');
  assert.equal(redirect.status, 308);
  assert.equal(redirect.headers.location, '/site/sub/?x=1');
});

test('a file that the client has gets 304', async () => {
  const { headers } = await valor.ask('/site/data.bin');
  assert.equal((await valor.ask('/site/data.bin', { headers: { 'if-none-match': String(headers.etag) } })).status, 304);
  assert.equal((await valor.ask('/site/data.bin', { headers: { 'if-none-match': '"other"' } })).status, 200);
  assert.equal(
    (await valor.ask('/site/data.bin', { headers: { 'if-modified-since': String(headers['last-modified']) } })).status,
    304,
  );
});

test('ranges are sent with 206, one that cannot be gets 416', async () => {
  const part = await valor.ask('/site/data.bin', { headers: { range: 'bytes=10-19' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers['content-range'], 'bytes 10-19/1000');
  assert.deepEqual([...part.bytes], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.equal((await valor.ask('/site/data.bin', { headers: { range: 'bytes=-5' } })).bytes.length, 5);
  assert.equal((await valor.ask('/site/data.bin', { headers: { range: 'bytes=990-' } })).bytes.length, 10);
  const beyond = await valor.ask('/site/data.bin', { headers: { range: 'bytes=1000-' } });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers['content-range'], 'bytes */1000');
});

test('HEAD gets the head of a file', () =>
  raw(valor.port, async (connection) => {
    const answer = await connection.send('HEAD /site/data.bin HTTP/1.1\r\nhost: x\r\n\r\n').response(true);
    assert.equal(answer.headers['content-length'], '1000');
    assert.equal((await connection.get('/site/app.js').response()).body, '1');
  }));

test('nothing leads out of the folder', async () => {
  for (const path of [
    '/site/../secret.txt',
    '/site/%2e%2e/secret.txt',
    '/site/..%2fsecret.txt',
    '/site/%2e%2e%2fsecret.txt',
    '/site/sub/../../secret.txt',
    '/site//etc/passwd',
    '/site/%2fetc%2fpasswd',
    '/site/..%5csecret.txt',
    '/site/..%00/secret.txt',
    '/site/link.txt',
    '/site/%252e%252e/secret.txt',
  ]) {
    const answer = await valor.ask(path);
    assert.ok(answer.status >= 400, `${path}: ${answer.status}`);
    assert.doesNotMatch(answer.text, /^secret|root:/, path);
  }
});

test('the proxy forwards path, query, method, headers and body, and the answer', async () => {
  const answer = await valor.ask('/api/echo?q=1', {
    method: 'POST',
    body: 'hello',
    headers: { 'content-type': 'x/y', 'x-mine': 'z', 'x-request-id': 'through' },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, 'hello');
  assert.equal(answer.headers['content-type'], 'x/y');
  assert.equal(answer.headers['x-valor-plugin'], 'api');
  assert.equal(answer.headers['x-correlation-id'], 'through');
  assert.equal(seen.url, '/base/echo?q=1');
  assert.equal(seen.headers['x-mine'], 'z');
  assert.equal(seen.headers['x-request-id'], 'through');
});

test('the proxy passes status, cookies and redirects on', async () => {
  const answer = await valor.ask('/api/status');
  assert.equal(answer.status, 418);
  assert.equal(answer.text, 'short and stout');
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
});

test('the proxy drops hop-by-hop headers in both directions', async () => {
  const answer = await valor.ask('/api/echo', {
    method: 'POST',
    body: 'x',
    headers: {
      connection: 'x-private, close',
      'x-private': '1',
      'keep-alive': 'timeout=9',
      te: 'trailers',
      'proxy-authorization': 'x',
      upgrade: 'h2c',
      'x-stays': '1',
    },
  });
  assert.equal(answer.headers['x-hop'], undefined);
  assert.equal(answer.headers['x-end'], '2');
  for (const name of ['x-private', 'keep-alive', 'te', 'proxy-authorization', 'upgrade'])
    assert.equal(seen.headers[name], undefined, name);
  assert.equal(seen.headers['x-stays'], '1');
});

test('the proxy cannot be led out of its upstream path', async () => {
  await valor.ask('/api/../x');
  await valor.ask('/api/%2e%2e/%2e%2e/x');
  assert.ok(seen.url?.startsWith('/base/'), String(seen.url));
  await valor.ask('/api//evil.example/x');
  assert.ok(seen.url?.startsWith('/base/'), String(seen.url));
});

test('the proxy streams both ways', async () => {
  const connection = await RawConnection.open(valor.port);
  connection.send('POST /api/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  let text = '';
  while (!text.includes('first')) text += await connection.bytes(1);
  connection.send('4\r\nlast\r\n0\r\n\r\n');
  while (!text.endsWith('\r\n0\r\n\r\n')) text += await connection.bytes(1);
  connection.close();
  assert.match(text, /last/);
  assert.equal((await valor.ask('/api/ticks')).text, 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n');
  const body = Buffer.alloc(3_000_000, 'proxied');
  assert.ok((await valor.ask('/api/echo', { method: 'PUT', body })).bytes.equals(body));
});

test('an upstream that is not there, or speaks no HTTP, gets 502', async () => {
  for (const name of ['nobody', 'garbage']) {
    const answer = await valor.ask(`/${name}/x`);
    assert.equal(answer.status, 502, name);
    assert.equal(answer.json().plugin, name);
  }
});

test('an upstream that does not answer in time gets 504', async () => {
  assert.equal((await valor.ask('/impatient/never')).status, 504);
  assert.equal((await valor.ask('/impatient/other')).text, '/base/other');
});

test('an upstream that breaks off breaks the answer off', () =>
  raw(valor.port, async (connection) => {
    const text = await connection.get('/api/break').rest();
    assert.match(text, /^HTTP\/1\.1 200[\s\S]*part$/);
    await sleep(1);
    assert.equal((await valor.ask('/api/fine')).text, '/base/fine');
  }));
