import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, createPlatform, type Platform, type SentRequest } from '../test/platform.ts';

const page = 'http://127.0.0.1:8080/hi/?q#f';
const other = 'https://other.example';

function createPage(server: (request: SentRequest) => Answer = () => ({})): Platform {
  const platform = createPlatform(page.replace('#f', ''));
  platform.glue.useBrowserFetch();
  platform.server = server;
  return platform;
}

/** Methods and paths that were asked for, in order. */
const asked = ({ sent }: Platform): string[] => sent.map(({ method, url }) => `${method} ${new URL(url).pathname}`);

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.equal((error as Error).name, 'TypeError');
    return ((error as Error).cause as { code: string }).code;
  }
  return 'it did not fail';
}

test('without the rules of pages nothing of them is loaded', async () => {
  const platform = createPlatform();
  platform.server = () => ({ headers: [['set-cookie', 'a=b']] });
  const { headers } = await platform.runAsync(`return fetch('${other}/', { headers: { cookie: 'x', origin: 'y' } });`);
  assert.equal(headers.get('set-cookie'), 'a=b');
  assert.equal(platform.sent[0]!.headers.get('cookie'), 'x');
  assert.ok(!platform.loaded.includes('page-fetch'));
});

test('forbidden headers are left out, of requests and of responses', async () => {
  const { runAsync, sent } = createPage(() => ({
    headers: [
      ['set-cookie', 'a=b'],
      ['x-a', '1'],
    ],
  }));
  const seen = await runAsync(`
    const request = new Request('/', { headers: { cookie: 'x', 'x-own': '1', 'sec-a': '2', 'x-http-method': 'GET, TRACE' } });
    request.headers.append('host', 'elsewhere');
    request.headers.set('x-method-override', 'PUT');
    const response = await fetch(request);
    const own = new Response(null, { headers: { 'set-cookie': 'c=d', 'x-b': '2' } });
    own.headers.append('set-cookie2', 'e');
    return [[...request.headers], [...response.headers], [...own.headers]].join(' ');`);
  assert.equal(seen, 'x-method-override,PUT,x-own,1 x-a,1 x-b,2');
  assert.equal(sent[0]!.headers.get('x-own'), '1');
});

test('another origin has to allow it', async () => {
  const allow =
    (value: string, ...more: [string, string][]) =>
    (): Answer => ({
      headers: [['access-control-allow-origin', value], ...more],
    });
  const origin = 'http://127.0.0.1:8080';
  const ask = (server: (request: SentRequest) => Answer, init = '{}'): Promise<{ type: string }> =>
    createPage(server).runAsync(`return fetch('${other}/', ${init});`);
  for (const value of ['*', origin]) assert.equal((await ask(allow(value))).type, 'cors');
  for (const server of [() => ({}), allow('http://127.0.0.1'), allow('null'), allow(`${origin}, ${origin}`)]) {
    assert.equal(await code(ask(server)), 'ERR_CORS');
  }
  const included = "{ credentials: 'include' }";
  assert.equal(await code(ask(allow('*'), included)), 'ERR_CORS');
  assert.equal(await code(ask(allow(origin), included)), 'ERR_CORS');
  assert.equal((await ask(allow(origin, ['access-control-allow-credentials', 'true']), included)).type, 'cors');
  assert.equal(await code(ask(allow('*'), "{ mode: 'same-origin' }")), 'ERR_ORIGIN');
});

test('a refusal says what the response lacks', async () => {
  const { runAsync } = createPage();
  await assert.rejects(runAsync(`await fetch('${other}/');`), {
    message: /does not allow it to http:\/\/127\.0\.0\.1:8080: the response has no 'access-control-allow-origin'/,
  });
});

test('what is not simple is asked for beforehand, once for as long as the answer holds', async () => {
  const platform = createPage(({ method }) => ({
    headers: [
      ['access-control-allow-origin', '*'],
      ['access-control-allow-methods', 'PUT'],
      ['access-control-allow-headers', 'X-Own'],
      ...(method === 'OPTIONS' ? [['access-control-max-age', '100'] as [string, string]] : []),
    ],
  }));
  const put = (headers: string): Promise<unknown> =>
    platform.runAsync(`return fetch('${other}/a', { method: 'PUT', body: 'x', headers: ${headers} });`);
  await put("{ 'X-Own': '1' }");
  assert.deepEqual(asked(platform), ['OPTIONS /a', 'PUT /a']);
  const { headers } = platform.sent[0]!;
  assert.equal(headers.get('access-control-request-method'), 'PUT');
  assert.equal(headers.get('access-control-request-headers'), 'x-own');
  assert.equal(headers.get('origin'), 'http://127.0.0.1:8080');
  await put("{ 'X-Own': '2' }");
  assert.deepEqual(asked(platform).slice(2), ['PUT /a']);
  await platform.advance(100_001);
  await put("{ 'X-Own': '3' }");
  assert.deepEqual(asked(platform).slice(3), ['OPTIONS /a', 'PUT /a']);
  assert.equal(await code(put("{ 'X-Else': '1' }")), 'ERR_CORS');
  const remove = platform.runAsync(`await fetch('${other}/a', { method: 'DELETE' });`);
  assert.equal(await code(remove), 'ERR_CORS');
  platform.sent.length = 0;
  await platform.runAsync(`await fetch('${other}/a', { method: 'POST', body: 'x' });`);
  assert.deepEqual(asked(platform), ['POST /a']);
});

test('the wildcard of a preflight covers neither authorization nor requests with credentials', async () => {
  const platform = createPage(({ headers }) => ({
    headers: [
      ['access-control-allow-origin', headers.get('origin') ?? '*'],
      ['access-control-allow-credentials', 'true'],
      ['access-control-allow-headers', '*'],
      ['access-control-allow-methods', '*'],
    ],
  }));
  const ask = (init: string): Promise<unknown> => platform.runAsync(`await fetch('${other}/', ${init});`);
  await ask("{ headers: { 'x-own': '1' }, method: 'PUT' }");
  assert.equal(await code(ask("{ headers: { authorization: '1' } }")), 'ERR_CORS');
  assert.equal(await code(ask("{ headers: { 'x-own': '1' }, credentials: 'include' }")), 'ERR_CORS');
  assert.equal(await code(ask("{ method: 'PUT', credentials: 'include' }")), 'ERR_CORS');
});

test('responses show what their kind shows', async () => {
  const headers: [string, string][] = [
    ...([
      ['content-type', 'a/b'],
      ['x-a', '1'],
      ['x-b', '2'],
    ] as [string, string][]),
    ...([
      ['access-control-allow-origin', '*'],
      ['access-control-expose-headers', 'X-A'],
    ] as [string, string][]),
  ];
  const show = (url: string, init: string, status = 200): Promise<string> =>
    createPage(() => ({ status, body: 'text', headers: [...headers, ['location', '/x']] })).runAsync(`
      const response = await fetch('${url}', ${init});
      return [response.type, response.status, response.url, [...response.headers.keys()], await response.text()].join(' ');`);
  const all = 'access-control-allow-origin,access-control-expose-headers,content-type,location,x-a,x-b';
  assert.equal(await show('/a', '{}'), `basic 200 http://127.0.0.1:8080/a ${all} text`);
  assert.equal(await show(`${other}/a`, '{}'), `cors 200 ${other}/a content-type,x-a text`);
  assert.equal(await show(`${other}/a`, "{ mode: 'no-cors' }"), 'opaque 0   ');
  assert.equal(await show('/a', "{ redirect: 'manual' }", 302), 'opaqueredirect 0 http://127.0.0.1:8080/a  ');
});

test('a detour over another origin ends in the origin null', async () => {
  const platform = createPage(({ url }) => ({
    status: url.startsWith('https:') ? 302 : 200,
    headers: [
      ['access-control-allow-origin', '*'],
      ['location', 'http://third.example/'],
    ],
  }));
  await platform.runAsync(`await fetch('${other}/');`);
  assert.deepEqual(
    platform.sent.map(({ headers }) => headers.get('origin')),
    ['http://127.0.0.1:8080', 'null'],
  );
});

for (const [policy, same, cross] of [
  ['', 'full', 'origin'],
  ['no-referrer', null, null],
  ['no-referrer-when-downgrade', 'full', 'full'],
  ['same-origin', 'full', null],
  ['origin', 'origin', 'origin'],
  ['strict-origin', 'origin', 'origin'],
  ['origin-when-cross-origin', 'full', 'origin'],
  ['strict-origin-when-cross-origin', 'full', 'origin'],
  ['unsafe-url', 'full', 'full'],
] as const) {
  test(`the referrer policy '${policy}'`, async () => {
    const platform = createPage(() => ({ headers: [['access-control-allow-origin', '*']] }));
    const values = { full: 'http://127.0.0.1:8080/hi/?q', origin: 'http://127.0.0.1:8080/' };
    await platform.runAsync(`
      await fetch('/', { referrerPolicy: '${policy}' });
      await fetch('${other}/', { referrerPolicy: '${policy}' });
      await fetch('/', { referrerPolicy: '${policy}', referrer: '' });`);
    const sent = platform.sent.map(({ headers }) => headers.get('referer'));
    assert.deepEqual(sent, [same && values[same], cross && values[cross], null]);
  });
}

test('the strict policies tell an insecure server nothing of a page that is none', async () => {
  const platform = createPage(() => ({ headers: [['access-control-allow-origin', '*']] }));
  for (const policy of ['', 'strict-origin', 'no-referrer-when-downgrade', 'origin']) {
    await platform.runAsync(`await fetch('http://plain.example/', { referrerPolicy: '${policy}' });`);
  }
  assert.deepEqual(
    platform.sent.map(({ headers }) => headers.get('referer')),
    [null, null, null, 'http://127.0.0.1:8080/'],
  );
});

test('a page that came over https: fetches nothing over http:, but from its own machine', async () => {
  const platform = createPlatform('https://secure.example/a');
  platform.glue.useBrowserFetch();
  platform.server = () => ({ headers: [['access-control-allow-origin', '*']] });
  assert.equal(await code(platform.runAsync("await fetch('http://plain.example/');")), 'ERR_MIXED_CONTENT');
  await platform.runAsync("await fetch('http://localhost/');");
  assert.equal(platform.sent.length, 1);
});

test('a redirect may bring a referrer policy', async () => {
  const platform = createPage(({ url }) =>
    url.endsWith('/one')
      ? {
          status: 302,
          headers: [
            ['location', '/two'],
            ['referrer-policy', 'origin, unknown'],
          ],
        }
      : {},
  );
  await platform.runAsync("await fetch('/one');");
  assert.deepEqual(
    platform.sent.map(({ headers }) => headers.get('referer')),
    ['http://127.0.0.1:8080/hi/?q', 'http://127.0.0.1:8080/'],
  );
});

test('cookies are kept and sent where they belong, and with credentials only', async () => {
  const platform = createPage(({ url }) => ({
    headers: url.endsWith('/set')
      ? [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2; Path=/deep/'],
          ['set-cookie', 'c=3; Max-Age=0'],
          ['set-cookie', 'd=4; Domain=elsewhere.example'],
          ['set-cookie', 'e=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
        ]
      : [],
  }));
  const sends = async (path: string, init = '{}'): Promise<string | null> => {
    await platform.runAsync(`await fetch('${path}', ${init});`);
    return platform.sent.at(-1)!.headers.get('cookie');
  };
  assert.equal(await sends('/set', "{ credentials: 'omit' }"), null);
  assert.equal(await sends('/a'), null);
  assert.equal(await sends('/set'), null);
  assert.equal(await sends('/a'), 'a=1');
  assert.equal(await sends('/deep/a'), 'b=2; a=1');
  assert.equal(await sends('/deep/a', "{ credentials: 'omit' }"), null);
});

test('the cache has what is fresh, asks about what is not, and does as it is told', async () => {
  let version = 1;
  const platform = createPage(({ headers }) => {
    const tag = `"${version}"`;
    if (headers.get('if-none-match') === tag) return { status: 304, headers: [['x-checked', 'yes']] };
    return {
      body: `v${version}`,
      headers: [
        ['etag', tag],
        ['cache-control', 'max-age=100'],
      ],
    };
  });
  const get = (cache: string, init = ''): Promise<string> =>
    platform.runAsync(`
      const response = await fetch('/a', { cache: '${cache}'${init} });
      return await response.text() + (response.headers.get('x-checked') ?? '');`);
  assert.equal(await get('default'), 'v1');
  assert.equal(await get('default'), 'v1');
  assert.equal(await get('force-cache'), 'v1');
  assert.equal(await get('only-if-cached', ", mode: 'same-origin'"), 'v1');
  assert.equal(platform.sent.length, 1);
  assert.equal(await get('no-cache'), 'v1yes');
  assert.equal(platform.sent.length, 2);
  assert.equal(platform.sent[1]!.headers.get('cache-control'), 'max-age=0');
  version = 2;
  assert.equal(await get('default'), 'v1yes');
  assert.equal(await get('no-store'), 'v2');
  assert.equal(await get('default'), 'v1yes');
  assert.equal(await get('reload'), 'v2');
  assert.equal(platform.sent.at(-1)!.headers.get('pragma'), 'no-cache');
  assert.equal(await get('default'), 'v2');
  version = 3;
  await platform.runAsync("await fetch('/a', { method: 'POST' });");
  assert.equal(await get('default'), 'v3');
  assert.equal(
    await code(platform.runAsync("await fetch('/b', { cache: 'only-if-cached', mode: 'same-origin' });")),
    'ERR_CACHE',
  );
});

for (const [what, headers] of [
  [
    'that is old',
    [
      ['cache-control', 'max-age=10'],
      ['age', '11'],
    ],
  ],
  ['that has expired', [['expires', 'Thu, 01 Jan 1970 00:00:00 GMT']]],
  ['that is to be asked about', [['cache-control', 'no-cache, max-age=100']]],
  ['that says nothing about it', []],
] as [string, [string, string][]][]) {
  test(`a copy ${what} is not used without asking`, async () => {
    const platform = createPage(() => ({ body: 'x', headers: [['etag', '"1"'], ...headers] }));
    for (let i = 0; i < 2; i++) await platform.runAsync("await (await fetch('/a')).text();");
    assert.deepEqual(
      platform.sent.map((request) => request.headers.get('if-none-match')),
      [null, '"1"'],
    );
  });
}

test('what must not be stored is not', async () => {
  const platform = createPage(() => ({
    body: 'x',
    headers: [
      ['etag', '"1"'],
      ['cache-control', 'no-store'],
    ],
  }));
  for (let i = 0; i < 2; i++) await platform.runAsync("await (await fetch('/a')).text();");
  assert.equal(platform.sent[1]!.headers.get('if-none-match'), null);
});

test('a copy in the cache sets no cookie again', async () => {
  const platform = createPage(({ url }) => ({
    headers: [
      ['set-cookie', url.endsWith('/a') ? 'a=1' : 'a=2'],
      ['cache-control', 'max-age=100'],
    ],
  }));
  for (const path of ['/a', '/b', '/a', '/c']) await platform.runAsync(`await (await fetch('${path}')).text();`);
  assert.deepEqual(asked(platform), ['GET /a', 'GET /b', 'GET /c']);
  assert.equal(platform.sent.at(-1)!.headers.get('cookie'), 'a=2');
});

test('a body that may outlive its page is small', async () => {
  const platform = createPage();
  const send = (body: string): Promise<unknown> =>
    platform.runAsync(`await fetch('/', { method: 'POST', keepalive: true, body: ${body} });`);
  await send("'x'.repeat(64 * 1024)");
  assert.equal(await code(send("'x'.repeat(64 * 1024 + 1)")), 'ERR_BODY');
  assert.equal(await code(send("new Blob(['x'.repeat(64 * 1024 + 1)])")), 'ERR_BODY');
});

test('the cache tells apart what its responses vary by', async () => {
  const platform = createPage(({ headers }) => ({
    body: headers.get('x-a') ?? '',
    headers: [
      ['vary', 'X-A'],
      ['expires', new Date(Date.now() + 1e6).toUTCString()],
    ],
  }));
  const get = (value: string): Promise<string> =>
    platform.runAsync(`return (await fetch('/a', { headers: { 'x-a': '${value}' } })).text();`);
  assert.deepEqual([await get('1'), await get('1'), await get('2')], ['1', '1', '2']);
  assert.equal(platform.sent.length, 2);
});
