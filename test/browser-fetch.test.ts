// A plug-in with "fetch": "browser": what a page at its location may do, against real servers.
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';

interface Seen {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
}

/** Answers with the headers in "?set=" and tells what it was asked. */
async function serveOrigin(): Promise<{ url: string; seen: Seen[]; close(): void }> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    seen.push({ method: request.method!, url: request.url!, headers: request.headers });
    const { searchParams } = new URL(request.url!, 'http://x');
    const headers = JSON.parse(searchParams.get('set') ?? '{}');
    request.resume();
    response.writeHead(Number(searchParams.get('status') ?? 200), headers);
    response.end('content');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close: () => server.close() };
}

const home = await serveOrigin();
const away = await serveOrigin();
const permissions = { net: ['127.0.0.0/8'] };
const valor = await serve([
  web('fetcher.js', { name: 'page', fetch: 'browser', location: `${home.url}/app/`, permissions }),
  web('fetcher.js', { name: 'server', location: `${home.url}/app/`, permissions }),
]);
after(async () => {
  await valor.stop();
  home.close();
  away.close();
});

const at = (origin: string, headers: Record<string, string | string[]>, status = 200): string =>
  `${origin}/?status=${status}&set=${encodeURIComponent(JSON.stringify(headers))}`;

/** Runs code in a plug-in: what it returns, or the code of what it throws. */
// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
async function run(plugin: 'page' | 'server', code: string): Promise<any> {
  home.seen.length = 0;
  away.seen.length = 0;
  const { value, error } = (await valor.ask(`/${plugin}`, { method: 'POST', body: code })).json();
  return error ? (error.cause?.code ?? error.message) : value;
}

test('what a browser would refuse is refused, and the server without the rules gets it', async () => {
  const plain = `return (await fetch('${at(away.url, {})}')).text();`;
  assert.equal(await run('server', plain), 'content');
  assert.equal(away.seen[0]!.headers.origin, undefined);
  assert.equal(await run('page', plain), 'ERR_CORS');
  assert.equal(away.seen[0]!.headers.origin, home.url);
  assert.equal(away.seen[0]!.headers.referer, `${home.url}/`);
});

test('what another origin allows is given, as far as it allows it', async () => {
  const url = at(away.url, { 'access-control-allow-origin': home.url, 'x-hidden': '1' });
  const got = await run(
    'page',
    `const response = await fetch('${url}'); return [response.type, response.headers.get('x-hidden'), await response.text()];`,
  );
  assert.deepEqual(got, ['cors', null, 'content']);
});

test('a preflight comes first where it must', async () => {
  const allowing = at(away.url, { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'x-own' });
  const code = (url: string): string => `return (await fetch('${url}', { headers: { 'x-own': '1' } })).status;`;
  assert.equal(await run('page', code(allowing)), 200);
  assert.deepEqual(
    away.seen.map(({ method }) => method),
    ['OPTIONS', 'GET'],
  );
  assert.equal(await run('page', code(at(away.url, { 'access-control-allow-origin': '*' }))), 'ERR_CORS');
  assert.deepEqual(
    away.seen.map(({ method }) => method),
    ['OPTIONS'],
  );
});

test('cookies stay with their server, and the plug-in neither sees nor sets them', async () => {
  const got = await run(
    'page',
    `const first = await fetch('${at(home.url, { 'set-cookie': ['a=1; HttpOnly', 'b=2'] })}', { headers: { cookie: 'c=3' } });
     await first.text();
     await (await fetch('/', { headers: { cookie: 'c=3' } })).text();
     return first.headers.get('set-cookie');`,
  );
  assert.equal(got, null);
  assert.deepEqual(
    home.seen.map(({ headers }) => headers.cookie),
    [undefined, 'a=1; b=2'],
  );
});

test('a redirect that is not followed is opaque', async () => {
  const url = at(home.url, { location: '/x' }, 302);
  const code = `const { type, status } = await fetch('${url}', { redirect: 'manual' }); return [type, status];`;
  assert.deepEqual(await run('page', code), ['opaqueredirect', 0]);
  assert.deepEqual(await run('server', code), ['basic', 302]);
});

test('a fresh response comes from the cache', async () => {
  const url = at(home.url, { 'cache-control': 'max-age=1000' });
  const code = `for (let i = 0; i < 3; i++) await (await fetch('${url}')).text();`;
  await run('page', code);
  assert.equal(home.seen.length, 1);
  await run('server', code);
  assert.equal(home.seen.length, 3);
});

test('an opaque response cannot be the answer', async () => {
  const opaque = await serve([
    web('fetch-through.js', { fetch: 'browser', config: { to: away.url, init: { mode: 'no-cors' } }, permissions }),
  ]);
  try {
    const answer = await opaque.ask('/fetch-through/');
    assert.equal(answer.status, 500);
    assert.equal(away.seen.at(-1)?.method, 'GET');
    assert.match(answer.json().detail, /no usable Response/);
  } finally {
    await opaque.stop();
  }
});
