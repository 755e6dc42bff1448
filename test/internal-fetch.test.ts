// fetch() of a plug-in of the same server goes through memory: no socket, and all else as from outside.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { deadlineMs, eventually, native, root, serve, sleep, temporaryFolder, web, within } from './harness.ts';

const folder = temporaryFolder();
const script = (name: string, source: string, fields = {}) => {
  const url = join(folder, name);
  writeFileSync(url, source);
  return { type: 'web', name: name.replace(/\.[^.]*$/, ''), url, ...fields };
};

const gzipped = gzipSync('decoded '.repeat(1000)).toString('base64');
const valor = await serve(
  [
    web('fetcher.js'),
    web('fetcher.js', { name: 'fenced', permissions: { net: [] } }),
    web('fetcher.js', { name: 'self-only', permissions: { net: ['self'] } }),
    web('fetcher.js', { name: 'by-address', permissions: { net: ['127.0.0.1'] } }),
    web('fetcher.js', { name: 'public-only', permissions: { net: ['*'] } }),
    web('fetcher.js', { name: 'hasty', limits: { timeout_ms: 700 } }),
    web('fetcher.js', { name: 'elsewhere', location: 'https://example.org/api/elsewhere/' }),
    web('echo.js'),
    web('service.js'),
    web('edge.js', { config: { a: 1 } }),
    web('typed.ts'),
    web('stream.js', { limits: { memory_mb: 32 } }),
    web('counter.js', { name: 'bystander' }),
    web('counter.js', { name: 'lazy', instances: { min: 0, max: 1 } }),
    web('misbehave.js', { limits: { timeout_ms: 500, memory_mb: 32 } }),
    web('misbehave.js', { name: 'hoarder', limits: { timeout_ms: 20_000, memory_mb: 32 } }),
    web('passes-on.js'),
    web('self-message.js', { limits: { timeout_ms: 500 } }),
    web('throws-at-load.js'),
    script(
      'one-place.js',
      `export default { async fetch(request) { await new Promise((done) => setTimeout(done, 300)); return new Response('x'); } };`,
      { limits: { queue: 2 } },
    ),
    script(
      'redirects.js',
      `export default { fetch(request) {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname === '/gzip') {
          return new Response(Uint8Array.fromBase64('${gzipped}'), { headers: { 'content-encoding': 'gzip' } });
        }
        return new Response('moved', { status: 307, headers: { location: searchParams.get('to') } });
      } };`,
    ),
    native('transfer-cpp', { name: 'transfer' }),
    native('with-state-cpp', { name: 'state', config: 'Alice' }),
    { type: 'static', name: 'site', builtin: 'files', path: join(root, 'examples/site') },
  ],
  ['-w'],
);
after(() => valor.stop());

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
async function run(code: string, plugin = 'fetcher', server = valor): Promise<any> {
  const answer = await server.ask(`/${plugin}`, {
    method: 'POST',
    body: `const at = (path) => new URL('/' + path, location); ${code}`,
  });
  assert.equal(answer.status, 200, answer.text);
  const { value, error } = answer.json();
  if (error) throw Object.assign(new Error(`${error.name}: ${error.message}`), { failure: error });
  return value;
}

// biome-ignore lint/suspicious/noExplicitAny: as thrown by a plug-in
async function failure(code: string, plugin = 'fetcher'): Promise<any> {
  try {
    await run(code, plugin);
  } catch (error) {
    return (error as { failure: unknown }).failure;
  }
  throw new Error(`this did not fail: ${code}`);
}

// --- every kind of plug-in ---

const page = readFileSync(join(root, 'examples/site/index.html'), 'utf8');
const kinds: [kind: string, path: string, init: string, status: number, text: RegExp | string][] = [
  [
    'a JS message plug-in',
    'echo/a?b=c',
    "{ method: 'PUT', body: 'AB' }",
    200,
    /"url":"a\?b=c","method":"PUT".*"hex":"4142"/,
  ],
  ['a JS module', 'edge', '{}', 200, 'root'],
  ['a JS module that streams', 'edge/ticks', '{}', 200, 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n'],
  ['a JS module that gets a body', 'edge/json', "{ method: 'POST', body: '[1]' }", 200, '{"got":[1]}'],
  ['a service-worker style plug-in', 'service/late', '{}', 200, 'late but there'],
  ['a TypeScript plug-in', 'typed', '{}', 200, 'a shape with 4 sides'],
  ['a plug-in that is not started yet', 'lazy', '{}', 200, /./],
  ['a native plug-in', 'state?who=Bob', '{}', 200, 'Alice says hello Bob!'],
  [
    'a native plug-in that reads a body',
    'transfer/up',
    "{ method: 'PUT', body: 'x'.repeat(1e6) }",
    200,
    '{"bytes":1000000}',
  ],
  ['a native plug-in that streams', 'transfer/echo', "{ method: 'POST', body: 'back' }", 200, 'back'],
  ['built-in files', 'site/index.html', '{}', 200, page],
  ['built-in files, with HEAD', 'site/index.html', "{ method: 'HEAD' }", 200, ''],
  ['built-in health', '_health', '{}', 200, /ok/],
  ['nobody', 'nowhere', '{}', 404, /"no plug-in is mounted at this path"/],
  ['a plug-in that could not be created', 'throws-at-load', '{}', 502, /could not be created/],
  ['a plug-in that throws', 'misbehave/throw', '{}', 500, /"plugin":"misbehave"/],
  ['a plug-in that never answers', 'misbehave/never', '{}', 504, /"limit":"timeout_ms"/],
  ['a plug-in that computes without end', 'misbehave/loop', '{}', 504, /"plugin":"misbehave"/],
  ['a plug-in that fills its memory', 'hoarder/heap', '{}', 502, /"limit":"memory_mb"/],
];
for (const [kind, path, init, status, text] of kinds) {
  test(`${kind} answers as from outside`, async () => {
    const got = await run(`
      const response = await fetch(at('${path}'), ${init});
      return { status: response.status, text: await response.text(), headers: [...response.headers] };`);
    assert.equal(got.status, status, got.text);
    if (typeof text === 'string') assert.equal(got.text.trim(), text.trim());
    else assert.match(got.text, text);
    const headers = new Map<string, string>(got.headers);
    assert.equal(headers.get('server'), 'valor');
    assert.match(headers.get('x-correlation-id')!, /^[0-9a-f]{32}$/);
    assert.equal(headers.get('x-valor-plugin'), status === 404 ? undefined : path.split(/[/?]/)[0]);
    // Nothing of it was a connection: these are refused over the network.
    await eventually(
      () => new RegExp(`/${path.split(/[/?]/)[0]}\\S* ${status} .* from fetcher\n`).test(valor.log),
      'the log line',
    );
  });
}

test('heads are those of the plug-in, with repetitions, and of the request, with its id', async () => {
  const got = await run(`
    const response = await fetch(at('edge/headers'), { headers: { 'x-request-id': 'mine' } });
    const echo = await (await fetch(at('echo'), { headers: { 'X-Own': 'ä', cookie: 'a=b', host: 'other.example' } })).json();
    return { cookies: response.headers.getSetCookie(), one: response.headers.get('x-one'), url: response.url,
             id: response.headers.get('x-correlation-id'), text: response.statusText, type: response.type, echo: echo.headers };`);
  assert.deepEqual(got.cookies, ['a=1', 'b=2']);
  assert.deepEqual([got.one, got.id, got.text, got.type], ['1, 2', 'mine', 'Created', 'basic']);
  assert.equal(got.url, `${valor.url}/edge/headers`);
  const headers = new Map<string, string>(got.echo);
  assert.deepEqual([headers.get('x-own'), headers.get('cookie'), headers.get('host')], ['ä', 'a=b', 'other.example']);
  assert.equal(headers.get('accept-encoding'), undefined);
});

test('redirects are followed inside, and content is decoded', async () => {
  const got = await run(`
    const all = [];
    const response = await fetch(at('redirects?to=/echo/there'), { method: 'POST', body: 'again' });
    all.push(response.redirected, response.url, (await response.json()).body.hex);
    all.push((await fetch(at('redirects?to=/x'), { redirect: 'manual' })).status);
    all.push((await (await fetch(at('redirects/gzip'))).text()).length);
    return all;`);
  assert.deepEqual(got, [true, `${valor.url}/echo/there`, '616761696e', 307, 8000]);
});

// --- streams ---

const mib = 2 ** 20;
for (const [direction, code] of [
  [
    'down from JS',
    `let n = 0; for await (const piece of (await fetch(at('stream/down?bytes=${1024 * mib}'))).body) n += piece.length; return n;`,
  ],
  [
    'down from native code',
    `let n = 0; for await (const piece of (await fetch(at('transfer/down?bytes=${1024 * mib}'))).body) n += piece.length; return n;`,
  ],
  [
    'up to JS',
    `let left = 1024; const piece = new Uint8Array(${mib});
    const body = new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece); else c.close(); } }, { highWaterMark: 0 });
    return (await (await fetch(at('stream/up'), { method: 'POST', body, duplex: 'half' })).json()).bytes;`,
  ],
  [
    'up to native code',
    `let left = 1024; const piece = new Uint8Array(${mib});
    const body = new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece); else c.close(); } }, { highWaterMark: 0 });
    return (await (await fetch(at('transfer/up'), { method: 'POST', body, duplex: 'half' })).json()).bytes;`,
  ],
] as const) {
  test(`a GiB streams ${direction} in bounded memory`, async (t) => {
    await run(`await (await fetch(at('stream/down?bytes=${8 * mib}'))).arrayBuffer();`);
    const before = valor.memoryKib('VmRSS');
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, valor.memoryKib('VmRSS'));
    }, 20);
    try {
      assert.equal(await run(code), 1024 * mib);
    } finally {
      clearInterval(watch);
    }
    t.diagnostic(`${Math.round((most - before) / 1024)} MiB more at most`);
    assert.ok(most - before < 100 * 1024, `${most - before} KiB more`);
  });
}

test('an answer that nobody reads makes its plug-in wait', async () => {
  const before = valor.memoryKib('VmRSS');
  const got = await run(`
    const responses = [];
    for (let i = 0; i < 20; i++) responses.push(await fetch(at('transfer/down?bytes=${1024 * mib}')));
    await new Promise((done) => setTimeout(done, 500));
    await Promise.all(responses.map((response) => response.body.cancel()));
    return responses.length;`);
  assert.equal(got, 20);
  assert.ok(valor.memoryKib('VmRSS') - before < 64 * 1024, `${valor.memoryKib('VmRSS') - before} KiB more`);
});

test('an answer that breaks off fails the body, after what came before', async () => {
  const got = await run(`
    let n = 0;
    const response = await fetch(at('edge/fails-midway'));
    try { for await (const piece of response.body) n += piece.length; } catch (error) { return [n, error.name, error.cause.code]; }`);
  assert.deepEqual(got, [3000, 'TypeError', 'ECONNRESET']);
});

// --- aborting ---

for (const [when, code, told] of [
  ['before it begins', "await fetch(at('edge'), { signal: AbortSignal.abort('why') });", null],
  [
    'right after it began',
    "const c = new AbortController(); const p = fetch(at('edge/aborted'), { signal: c.signal }); c.abort('why'); await p;",
    null,
  ],
  [
    'while it waits',
    "const c = new AbortController(); setTimeout(() => c.abort('why'), 50); await fetch(at('edge/aborted'), { signal: c.signal });",
    /signal aborted by the client/g,
  ],
  [
    'in the middle of the body',
    `const c = new AbortController(); const response = await fetch(at('edge/cancelled'), { signal: c.signal });
    setTimeout(() => c.abort('why'), 50); await response.text();`,
    /stream cancelled by the client/g,
  ],
  [
    'in the middle of an upload',
    `const c = new AbortController(); setTimeout(() => c.abort('why'), 50);
    const body = new ReadableStream({ pull() { return new Promise(() => {}); } });
    await fetch(at('transfer/up'), { method: 'POST', body, duplex: 'half', signal: c.signal });`,
    /PUT|POST \/transfer\/up 499/g,
  ],
] as const) {
  test(`an abort ${when} rejects with the signal's reason, and the other side hears of it`, async () => {
    const before = told === null ? 0 : (valor.log.match(told) ?? []).length;
    assert.equal(await failure(code), 'why');
    if (told !== null) await eventually(() => (valor.log.match(told) ?? []).length > before, 'the other side');
  });
}

test('a client that leaves ends what was fetched for it', async () => {
  const told = /stream cancelled by the client/g;
  const before = (valor.log.match(told) ?? []).length;
  const code = "for await (const _ of (await fetch(new URL('/edge/cancelled', location))).body);";
  const socket = net.connect(valor.port, '127.0.0.1');
  socket.write(`POST /fetcher HTTP/1.1\r\nhost: x\r\ncontent-length: ${code.length}\r\n\r\n${code}`);
  await sleep(200);
  socket.destroy();
  await eventually(() => (valor.log.match(told) ?? []).length > before, 'the end of the inner request');
});

// --- limits and circles ---

test('a full queue answers 503, and a flood waits for its turn', async () => {
  const statuses = await run(`
    return Promise.all(Array.from({ length: 5 }, async () => (await fetch(at('one-place'))).status));`);
  assert.deepEqual(statuses.sort(), [200, 200, 503, 503, 503]);
  assert.equal(
    await run(`
      const all = await Promise.all(Array.from({ length: 10_000 }, async () => (await fetch(at('edge'))).text()));
      return all.every((text) => text === 'root');`),
    true,
  );
});

test('the limits for heads and bodies hold', async () => {
  const strict = await serve([web('fetcher.js'), web('stream.js')], ['--max-headers', '2000', '--max-body', '100000']);
  try {
    const got = await run(
      `const status = async (path, init) => (await fetch(at(path), init)).status;
      const body = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(50_000)); } });
      return [await status('stream', { headers: { 'x-a': 'a'.repeat(2000) } }),
              await status('stream/up', { method: 'POST', body: new Uint8Array(100_001) }),
              await status('stream/up', { method: 'POST', body, duplex: 'half' }),
              await status('stream/up', { method: 'POST', body: new Uint8Array(100_000) })];`,
      'fetcher',
      strict,
    );
    assert.deepEqual(got, [431, 413, 413, 200]);
  } finally {
    await strict.stop();
  }
});

test('a plug-in may fetch itself, but not for ever', async () => {
  assert.equal((await valor.ask('/passes-on?depth=10')).text, 'the bottom');
  const endless = await valor.ask('/passes-on');
  assert.equal(endless.status, 508);
  assert.match(endless.json().detail, /passed on from plug-in to plug-in more than 16 times/);
  assert.equal((await valor.ask('/passes-on?depth=1')).text, 'the bottom');
});

test('a plug-in that waits for itself ends with its time', async () => {
  // Every request works as long as the answers can be told apart; what cannot be is held back.
  const answers = await Promise.all(Array.from({ length: 3 }, () => valor.ask('/self-message')));
  for (const { status } of answers) assert.ok([200, 504].includes(status), String(status));
  const stuck = await valor.ask('/hasty', {
    method: 'POST',
    body: "await fetch(location, { method: 'POST', body: 'await new Promise(() => {})' });",
  });
  assert.equal(stuck.status, 504);
  assert.equal(stuck.json().limit, 'timeout_ms');
});

// --- whose URLs, and who may ---

test('location of a definition is a public URL of the plug-in, and what is beside it is not', async () => {
  assert.equal((await run(`return location.href;`, 'elsewhere')) as string, 'https://example.org/api/elsewhere/');
  const text = `return (await (await fetch(new URL('?x', location), { method: 'POST', body: 'return 5' })).json()).value;`;
  assert.equal(await run(text, 'elsewhere'), 5);
  assert.equal(await run(text.replace('location', "'https://example.org/api/elsewhere/'")), 5);
  const beside = await failure(`await fetch('https://example.org:1/api/elsewhere/');`);
  assert.equal(beside.cause.code, 'ERR_BAD_PORT');
});

test('the names of this machine that certainly lead here', async () => {
  assert.equal(await run(`return (await fetch('http://localhost:${valor.port}/edge')).text();`), 'root');
  for (const host of ['127.0.0.2', '[::1]', '0.0.0.0']) {
    const { cause } = await failure(`await fetch('http://${host}:${valor.port}/edge');`);
    assert.equal(cause.code, 'ERR_PERMISSION', host);
  }
  // A Host header is the client's to choose, and says nothing.
  const answer = await valor.ask('/fetcher', {
    method: 'POST',
    headers: { host: '127.0.0.1:1' },
    body: "await fetch(new URL('/edge', request.url));",
  });
  assert.equal(answer.json().error.cause.code, 'ERR_BAD_PORT');
});

test('permissions: a list that does not say "self" leaves the other plug-ins out', async () => {
  const fetchEdge = `return (await fetch(at('edge'))).text();`;
  assert.equal(await run(fetchEdge, 'self-only'), 'root');
  assert.equal(await run(fetchEdge, 'by-address'), 'root');
  await valor.logged(/GET \/edge 200 .* from by-address/);
  for (const plugin of ['fenced', 'public-only']) {
    const { name, cause } = await failure(fetchEdge, plugin);
    assert.deepEqual([name, cause.code], ['TypeError', 'ERR_PERMISSION']);
    assert.match(cause.message, /"self" is enough/);
  }
  const { cause } = await failure(`await fetch('http://127.0.0.2/');`, 'self-only');
  assert.equal(cause.code, 'ERR_PERMISSION');
});

test('without a token the registry answers no plug-in, with one those that know it', async () => {
  const list = `const response = await fetch(at('_plugins'), init); return [response.status, await response.text()];`;
  const [status, text] = await run(`const init = {}; ${list}`);
  assert.equal(status, 403);
  assert.match(text, /answers no plug-in/);
  const guarded = await serve([web('fetcher.js')], ['-w'], { VALOR_ADMIN_TOKEN: 'secret' });
  try {
    assert.equal((await run(`const init = {}; ${list}`, 'fetcher', guarded))[0], 401);
    const init = "const init = { headers: { authorization: 'Bearer secret' } };";
    assert.equal((await run(`${init} ${list}`, 'fetcher', guarded))[0], 200);
  } finally {
    await guarded.stop();
  }
});

// --- the target goes away meanwhile ---

const admin = (method: string, name: string, body = '') =>
  valor.ask(`/_plugins${method === 'POST' ? '' : `/${name}`}`, {
    method,
    body,
    headers: { 'content-type': 'application/json' },
  });
const slow = (version: string) =>
  JSON.stringify(
    script(
      `slow-${version}.js`,
      `export default { async fetch() {
        let n = 0;
        return new Response(new ReadableStream({ async pull(c) {
          await new Promise((done) => setTimeout(done, 20));
          c.enqueue(new TextEncoder().encode('${version}'));
          if (++n === 20) c.close();
        } }));
      } };`,
      { name: 'slow' },
    ),
  );

test('a target that is replaced or removed finishes what it has, and the next request finds what is there then', async () => {
  assert.equal((await admin('POST', 'slow', slow('a'))).status, 201);
  const running = run(`return (await fetch(at('slow'))).text();`);
  await sleep(100);
  assert.equal((await admin('PUT', 'slow', slow('b'))).status, 200);
  const next = run(`return (await fetch(at('slow'))).text();`);
  assert.equal(await running, 'a'.repeat(20));
  await sleep(50);
  const gone = admin('DELETE', 'slow');
  assert.equal(await next, 'b'.repeat(20));
  assert.equal((await gone).status, 204);
  assert.equal(await run(`return (await fetch(at('slow'))).status;`), 404);
});

test('while a target is replaced again and again, no fetch fails', async () => {
  const quick = (n: number) =>
    JSON.stringify(script(`quick-${n}.js`, `export default { fetch: () => new Response('${n}') };`, { name: 'quick' }));
  assert.equal((await admin('POST', 'quick', quick(0))).status, 201);
  let over = false;
  const fetching = run(`
    const end = Date.now() + 3000;
    const failed = [];
    let n = 0;
    while (Date.now() < end) {
      await Promise.all(Array.from({ length: 16 }, async () => {
        const response = await fetch(at('quick'));
        n++;
        if (response.status !== 200) failed.push(await response.text());
        else await response.text();
      }));
    }
    return { n, failed };`).finally(() => {
    over = true;
  });
  let versions = 0;
  while (!over) assert.equal((await admin('PUT', 'quick', quick(++versions))).status, 200);
  const { n, failed } = await fetching;
  assert.deepEqual(failed, []);
  assert.ok(n > 100 && versions > 3, `${n} fetches, ${versions} versions`);
  await admin('DELETE', 'quick');
});

test('a target that crashes fails its own requests, and is back for the next', async () => {
  const got = await run(`
    const crash = fetch(at('hoarder/heap')).then((response) => response.status);
    const status = await crash;
    for (;;) {
      const response = await fetch(at('hoarder/fine'));
      if (response.status === 200) return [status, await response.text()];
      await response.text();
      await new Promise((done) => setTimeout(done, 20));
    }`);
  assert.deepEqual(got, [502, 'fine']);
});

test('a caller that crashes lets go of what it fetched', async () => {
  const told = /stream cancelled by the client/g;
  const before = (valor.log.match(told) ?? []).length;
  const answer = await valor.ask('/hasty', {
    method: 'POST',
    body: "const response = await fetch(new URL('/edge/cancelled', location)); await response.body.getReader().read(); for (;;);",
  });
  assert.ok([502, 504].includes(answer.status), answer.text);
  await eventually(() => (valor.log.match(told) ?? []).length > before, 'the end of the inner request');
  await eventually(
    async () => (await valor.ask('/hasty', { method: 'POST', body: 'return 1' })).status === 200,
    'a new one',
  );
});

test('nothing remains of all that', async () => {
  const inFlight = async (): Promise<number> =>
    (await valor.ask('/_plugins'))
      .json()
      .plugins.reduce((sum: number, plugin: { in_flight: number }) => sum + plugin.in_flight, 0);
  // The listing is one itself.
  await within(
    eventually(async () => (await inFlight()) <= 1, 'the end of all requests'),
    'quiet',
    deadlineMs,
  );
  assert.equal((await valor.ask('/bystander')).status, 200);
});
