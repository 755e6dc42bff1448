// What plug-ins get from fetch(), against real servers.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { eventually, serve, sleep, type Valor, web } from './harness.ts';
import { makeCertificates, serveHttp, serveHttp2, serveTls } from './upstreams.ts';

const certificates = makeCertificates();
const { key, good, elsewhere } = certificates;
const http = await serveHttp();
const other = await serveHttp();
const tls = await serveTls(key, good);
const h2 = await serveHttp2(key, good);
const wrong = await serveTls(key, elsewhere);
const upstreams = [http, other, tls, h2, wrong];

const local = { permissions: { net: ['127.0.0.0/8', '[::1]', 'localhost', 'nowhere.invalid'] } };
const environment = { CURL_CA_BUNDLE: certificates.authority, http_proxy: '', https_proxy: '', all_proxy: '' };
const valor = await serve([web('fetcher.js', local)], [], environment);
after(async () => {
  await valor.stop();
  for (const upstream of upstreams) upstream.close();
});

interface Failure {
  name: string;
  message: string;
  code?: string;
  cause?: Failure;
}

/** Runs code in the plug-in; gives what it returns. */
// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
async function run(code: string, server: Valor = valor, plugin = 'fetcher'): Promise<any> {
  const answer = await server.ask(`/${plugin}`, { method: 'POST', body: code });
  const { value, error } = answer.json();
  if (error) throw Object.assign(new Error(`${error.name}: ${error.message}`), { failure: error });
  return value;
}

/** Runs code that must fail; gives what it threw. */
async function failure(code: string, server: Valor = valor, plugin = 'fetcher'): Promise<Failure> {
  try {
    await run(code, server, plugin);
  } catch (error) {
    return (error as { failure: Failure }).failure;
  }
  throw new Error(`this did not fail: ${code}`);
}

test('method, headers and body arrive, and head and body come back', async () => {
  const echo = await run(`
    const response = await fetch('${http.url}/echo/a?b=c#fragment', { method: 'PATCH', body: 'körper',
      headers: { 'X-Own': 'ä', cookie: 'a=b', connection: 'close', 'content-length': '3' } });
    return { ...await response.json(), url: response.url, type: response.type, redirected: response.redirected,
             statusText: response.statusText, ok: response.ok };`);
  assert.equal(echo.method, 'PATCH');
  assert.equal(echo.body, 'körper');
  assert.equal(echo.headers['x-own'], 'ä');
  assert.equal(echo.headers.cookie, 'a=b');
  assert.equal(echo.headers['content-length'], '7');
  assert.equal(echo.headers['content-type'], 'text/plain;charset=UTF-8');
  assert.equal(echo.headers.accept, '*/*');
  assert.match(echo.headers['user-agent'], /^Valor\//);
  assert.match(echo.headers['accept-encoding'], /gzip/);
  assert.equal(echo.headers.expect, undefined);
  assert.deepEqual([echo.url, echo.type, echo.redirected], [`${http.url}/echo/a?b=c`, 'basic', false]);
  assert.deepEqual([echo.statusText, echo.ok], ['OK', true]);
});

test('a GET has no body, an empty POST says so', async () => {
  const headers = await run(`
    const get = await (await fetch('${http.url}/echo')).json();
    const post = await (await fetch('${http.url}/echo', { method: 'POST' })).json();
    return [get.headers, post.headers];`);
  assert.equal(headers[0]['content-length'], undefined);
  assert.equal(headers[0]['transfer-encoding'], undefined);
  assert.equal(headers[1]['content-length'], '0');
});

test('statuses without a body have none, and headers keep their repetitions', async () => {
  const got = await run(`
    const none = await fetch('${http.url}/status/204');
    const head = await fetch('${http.url}/status/200', { method: 'HEAD' });
    const error = await fetch('${http.url}/status/503');
    return [none.body, head.body, head.headers.get('x-a'), error.ok, error.status, await error.text(),
            error.headers.getSetCookie()];`);
  assert.deepEqual(got, [null, null, '1', false, 503, 'body', ['a=b']]);
});

for (const encoding of ['gzip', 'deflate', 'br', 'zstd']) {
  test(`content in ${encoding} is decoded`, async () => {
    const got = await run(`
      const response = await fetch('${http.url}/encoded/${encoding}');
      return [await response.text(), response.headers.get('content-encoding')];`);
    assert.deepEqual(got, ['decoded '.repeat(1000), encoding]);
  });
}

test('connections are used again', async () => {
  const before = tls.connections;
  await run(`for (let i = 0; i < 20; i++) await (await fetch('${tls.url}/echo')).text();`);
  assert.ok(tls.connections - before <= 1);
});

test('HTTP/2 is spoken where the server does', async () => {
  const before = h2.connections;
  const versions = await run(`
    const all = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const response = await fetch('${h2.url}/echo', { method: 'POST', body: 'x'.repeat(i * 1000) });
      const { httpVersion, body } = await response.json();
      return httpVersion + body.length / i;
    }));
    return [...new Set(all.slice(1))];`);
  assert.deepEqual(versions, ['2.01000']);
  assert.ok(h2.connections - before <= 1, `${h2.connections - before} connections`);
});

test('a body over HTTP/2 that nobody reads does not hold up the others', async () => {
  h2.sent = 0;
  const got = await run(`
    const unread = await fetch('${h2.url}/big/256');
    await new Promise((done) => setTimeout(done, 500));
    const texts = [];
    for (let i = 0; i < 5; i++) texts.push((await (await fetch('${h2.url}/echo')).json()).method);
    await unread.body.cancel();
    return texts;`);
  assert.deepEqual(got, ['GET', 'GET', 'GET', 'GET', 'GET']);
  assert.ok(h2.sent < 64 << 20, `${h2.sent} bytes were sent`);
});

test('IPv6', async (t) => {
  const six = await serveHttp('::1').catch(() => null);
  if (six === null) return t.skip('this machine has no IPv6');
  upstreams.push(six);
  assert.equal(await run(`return (await (await fetch('${six.url}/echo')).json()).headers.host;`), six.url.slice(7));
});

// --- redirects ---

for (const [status, method, becomes, body] of [
  [301, 'GET', 'GET', ''],
  [301, 'POST', 'GET', ''],
  [302, 'POST', 'GET', ''],
  [302, 'PUT', 'PUT', 'body'],
  [303, 'POST', 'GET', ''],
  [303, 'PUT', 'GET', ''],
  [303, 'HEAD', 'HEAD', ''],
  [307, 'POST', 'POST', 'body'],
  [308, 'PUT', 'PUT', 'body'],
] as const) {
  test(`a redirect with ${status} makes ${method} ${becomes}`, async () => {
    const withBody = method === 'GET' || method === 'HEAD' ? '' : ", body: 'body'";
    const got = await run(`
      const response = await fetch('${http.url}/redirect/${status}?to=/echo', { method: '${method}'${withBody} });
      const text = await response.text();
      return { url: response.url, redirected: response.redirected, status: response.status,
               ...(text ? JSON.parse(text) : { method: 'HEAD', body: '', headers: {} }), final: response.url };`);
    assert.deepEqual([got.method, got.body, got.redirected, got.status], [becomes, body, true, 200]);
    assert.equal(got.final, `${http.url}/echo`);
    if (becomes === 'GET') assert.equal(got.headers['content-type'], undefined);
  });
}

test('a redirect to another origin leaves secrets behind, one within it does not', async () => {
  const headers = "{ authorization: 'a', cookie: 'b', 'x-own': 'c' }";
  const ask = (to: string) =>
    run(
      `return (await (await fetch('${http.url}/redirect/307?to=${to}/echo', { headers: ${headers} })).json()).headers;`,
    );
  const same = await ask('');
  assert.deepEqual([same.authorization, same.cookie, same['x-own']], ['a', 'b', 'c']);
  const cross = await ask(encodeURIComponent(other.url));
  assert.deepEqual([cross.authorization, cross.cookie, cross['x-own']], [undefined, undefined, 'c']);
});

test('redirect modes', async () => {
  const got = await run(`
    const response = await fetch('${http.url}/redirect/302?to=/echo', { redirect: 'manual' });
    return [response.status, response.headers.get('location'), response.redirected, await response.text()];`);
  assert.deepEqual(got, [302, '/echo', false, 'moved']);
  const { cause } = await failure(`await fetch('${http.url}/redirect/302?to=/echo', { redirect: 'error' });`);
  assert.equal(cause?.code, 'ERR_REDIRECT');
});

test('twenty redirects are followed and no more', async () => {
  assert.equal(await run(`return (await fetch('${http.url}/times/20')).text();`), 'there');
  const { name, cause } = await failure(`await fetch('${http.url}/times/21');`);
  assert.deepEqual([name, cause?.code], ['TypeError', 'ERR_REDIRECT']);
});

test('a stream is not sent twice, and redirects lead to http: and https: only', async () => {
  const stream = 'new ReadableStream({ start(c) { c.enqueue(new Uint8Array(3)); c.close(); } })';
  const streamed = await failure(
    `await fetch('${http.url}/redirect/307?to=/echo', { method: 'POST', body: ${stream}, duplex: 'half' });`,
  );
  assert.match(streamed.cause!.message, /stream/);
  for (const to of ['data:,x', 'file:///etc/passwd', 'http://a:b@127.0.0.1/', 'http://[']) {
    const { cause } = await failure(`await fetch('${http.url}/redirect/302?to=${encodeURIComponent(to)}');`);
    assert.equal(cause?.code, 'ERR_REDIRECT', to);
  }
});

// --- failures ---

const closedPort = await new Promise<number>((done) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as net.AddressInfo;
    server.close(() => done(port));
  });
});

for (const [what, url, code] of [
  ['nobody listens', `http://127.0.0.1:${closedPort}/`, 'ECONNREFUSED'],
  ['the name does not exist', 'http://nowhere.invalid/', 'ENOTFOUND'],
  ['the certificate is for another host', `${wrong.url}/echo`, 'ERR_TLS'],
  ['the server does not speak TLS', `${http.url.replace('http:', 'https:')}/echo`, 'ERR_TLS'],
  ['the server closes in the middle of the head', `${http.url}/half-head`, 'ECONNRESET'],
  ['the server closes in the middle of a chunk', `${http.url}/mid-chunk`, 'ECONNRESET'],
  ['the server closes before the declared length', `${http.url}/short`, 'ECONNRESET'],
  ['the server speaks another protocol', `${http.url}/nonsense`, 'ERR_HTTP'],
  ['the port is blocked', 'http://127.0.0.1:25/', 'ERR_BAD_PORT'],
  ['the scheme is unknown', 'ftp://127.0.0.1/', 'ERR_UNSUPPORTED_SCHEME'],
] as const) {
  test(`it fails when ${what}`, async () => {
    const { name, message, cause } = await failure(`await (await fetch('${url}')).text();`);
    assert.equal(name, 'TypeError');
    assert.equal(cause?.code, code, JSON.stringify(cause));
    assert.ok(message.startsWith(`Cannot fetch ${url}: `), message);
  });
}

test('what was received before the end broke off can be read', async () => {
  const got = await run(`
    const reader = (await fetch('${http.url}/mid-chunk')).body.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    return [first, await reader.read().catch((error) => error.cause.code)];`);
  assert.deepEqual(got, ['only this', 'ECONNRESET']);
});

test('a certificate of an unknown authority is refused', async () => {
  const strict = await serve([web('fetcher.js', local)], [], { ...environment, SSL_CERT_FILE: '', CURL_CA_BUNDLE: '' });
  try {
    const { cause } = await failure(`await fetch('${tls.url}/echo');`, strict);
    assert.equal(cause?.code, 'ERR_TLS');
  } finally {
    await strict.stop();
  }
});

// --- aborting ---

for (const [when, code] of [
  ['before it begins', `await fetch('${http.url}/echo', { signal: AbortSignal.abort('why') });`],
  [
    'while it waits',
    `const c = new AbortController(); setTimeout(() => c.abort('why'), 50);
      await fetch('${http.url}/never', { signal: c.signal });`,
  ],
  [
    'right after it began',
    `const c = new AbortController(); const p = fetch('${http.url}/never', { signal: c.signal });
      c.abort('why'); await p;`,
  ],
  [
    'in the middle of the body',
    `const c = new AbortController();
      const response = await fetch('${http.url}/drip', { signal: c.signal });
      setTimeout(() => c.abort('why'), 50); await response.text();`,
  ],
  [
    'in the middle of an upload',
    `const c = new AbortController(); setTimeout(() => c.abort('why'), 50);
      const body = new ReadableStream({ pull() { return new Promise(() => {}); }, cancel(reason) { globalThis.r = reason; } });
      await fetch('${http.url}/upload', { method: 'POST', body, duplex: 'half', signal: c.signal });`,
  ],
] as const) {
  test(`an abort ${when} rejects with the signal's reason`, async () => {
    assert.equal(await failure(code), 'why');
  });
}

test('a fetch that waits holds up no other one to the same server', async () => {
  const fresh = await serveHttp();
  try {
    const method = await run(`
      const end = new AbortController();
      const waiting = fetch('${fresh.url}/never', { signal: end.signal }).catch(() => {});
      const { method } = await (await fetch('${fresh.url}/echo')).json();
      end.abort();
      await waiting;
      return method;`);
    assert.equal(method, 'GET');
  } finally {
    fresh.close();
  }
});

test('an abort closes the connection', async () => {
  await eventually(() => http.open.size < 50, 'idle connections');
  const before = http.aborted;
  await failure(`await fetch('${http.url}/never', { signal: AbortSignal.timeout(50) });`);
  await eventually(() => http.aborted > before, 'the end of the request');
});

test('the fetches of a client that leaves end with it', async () => {
  const before = http.aborted;
  const leaving = valor.ask('/fetcher', { method: 'POST', body: `await fetch('${http.url}/never');`, patientMs: 300 });
  await leaving.catch(() => {});
  // The client of the test goes on to wait; one that is closed does not.
  const socket = net.connect(valor.port, '127.0.0.1');
  const code = `await fetch('${http.url}/never');`;
  socket.write(`POST /fetcher HTTP/1.1\r\nhost: x\r\ncontent-length: ${code.length}\r\n\r\n${code}`);
  await sleep(200);
  socket.destroy();
  await eventually(() => http.aborted > before, 'the end of the request');
});

test('the fetches of a request that timed out end with it', async () => {
  const hasty = await serve([web('fetcher.js', { ...local, limits: { timeout_ms: 300 } })], [], environment);
  try {
    const before = http.aborted;
    const answer = await hasty.ask('/fetcher', { method: 'POST', body: `await fetch('${http.url}/never');` });
    assert.equal(answer.status, 504);
    await eventually(() => http.aborted > before, 'the end of the request');
  } finally {
    await hasty.stop();
  }
});

// --- bodies that stream ---

test('a response that nobody reads makes the server wait', async () => {
  http.sent = 0;
  const got = await run(`
    const response = await fetch('${http.url}/big/256');
    await new Promise((done) => setTimeout(done, 1000));
    const reader = response.body.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return value.length;`);
  assert.ok(got > 0 && got <= 1 << 20);
  assert.ok(http.sent < 32 << 20, `${http.sent} bytes were sent`);
});

test('responses that are dropped unread give connections and memory back, and stall nobody', async () => {
  const dropper = await serve([web('fetcher.js', local)], [], environment);
  try {
    await run('globalThis.kept = []; return 1;', dropper);
    const files = dropper.openFiles();
    const before = dropper.memoryKib('VmRSS');
    const connections = http.open.size;
    // More than there may be connections, by a plug-in with so much in memory that V8 has no other reason to look.
    const got = await run(
      `globalThis.kept = Array.from({ length: 400_000 }, (_, i) => ({ i, text: 'x' + i }));
       for (let i = 0; i < 600; i++) await fetch('${http.url}/big/16');
       return (await (await fetch('${http.url}/echo')).json()).method;`,
      dropper,
    );
    assert.equal(got, 'GET');
    await eventually(async () => {
      // Something to do lets V8 look again.
      await run("for (let i = 0; i < 50; i++) new Array(100_000).fill('x').join(); return 1;", dropper);
      return http.open.size <= connections + 192 && dropper.openFiles() <= files + 192;
    }, 'the end of the connections');
    const grown = dropper.memoryKib('VmRSS') - before;
    assert.ok(grown < 128 * 1024, `${grown} KiB more`);
  } finally {
    await dropper.stop();
  }
});

test('a response of 512 MiB streams through with flat memory', async () => {
  await run(`await (await fetch('${http.url}/big/8')).arrayBuffer();`);
  const before = valor.memoryKib('VmRSS');
  const length = await run(`
    let length = 0;
    for await (const piece of (await fetch('${http.url}/big/512')).body) length += piece.length;
    return length;`);
  assert.equal(length, 512 << 20);
  const grown = valor.memoryKib('VmHWM') - before;
  assert.ok(grown < 96 * 1024, `${grown} KiB more`);
});

test('a request of 256 MiB streams up with flat memory, as slowly as the server reads', async () => {
  http.received = 0;
  const before = valor.memoryKib('VmRSS');
  const got = await run(`
    let pulled = 0, early = 0;
    const piece = new Uint8Array(1 << 20);
    const body = new ReadableStream({
      pull(controller) { if (pulled++ < 256) controller.enqueue(piece); else controller.close(); },
    });
    setTimeout(() => { early = pulled; }, 500);
    const response = await fetch('${http.url}/slow-upload', { method: 'POST', body, duplex: 'half' });
    return [await response.text(), early];`);
  assert.equal(got[0], `${256 << 20}`);
  assert.ok(got[1] < 64, `${got[1]} MiB were pulled before the server read`);
  const grown = valor.memoryKib('VmHWM') - before;
  assert.ok(grown < 128 * 1024, `${grown} KiB more`);
});

test('a streamed request is chunked over HTTP/1.1, and its failure ends the fetch', async () => {
  const echo = await run(`
    const body = new ReadableStream({ start(c) { for (const t of ['a', '', 'b']) c.enqueue(new TextEncoder().encode(t)); c.close(); } });
    return (await fetch('${http.url}/echo', { method: 'POST', body, duplex: 'half' })).json();`);
  assert.deepEqual([echo.body, echo.headers['transfer-encoding']], ['ab', 'chunked']);
  const { name, cause } = await failure(`
    const body = new ReadableStream({ pull(c) { c.error(new RangeError('mine')); } });
    await fetch('${http.url}/echo', { method: 'POST', body, duplex: 'half' });`);
  assert.deepEqual([name, cause?.code, cause?.cause?.message], ['TypeError', 'ERR_BODY', 'mine']);
});

test('a fetched response can be the answer, and streams through', async () => {
  const through = await serve([web('fetch-through.js', { ...local, config: { to: http.url } })], [], environment);
  try {
    const answer = await through.ask('/fetch-through/big/64');
    assert.equal(answer.bytes.length, 64 << 20);
  } finally {
    await through.stop();
  }
});

test('1,000 fetches at the same time', async () => {
  const before = valor.openFiles();
  const got = await run(`
    const all = await Promise.all(Array.from({ length: 1000 }, async (_, i) =>
      (await (await fetch('${http.url}/echo?' + i)).json()).url));
    return all.every((url, i) => url === '/echo?' + i);`);
  assert.equal(got, true);
  assert.ok(valor.openFiles() - before < 300);
});

// --- permissions ---

test('without permissions only public addresses are reached', async () => {
  const fenced = await serve([web('fetcher.js')], [], environment);
  try {
    const port = new URL(http.url).port;
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '10.0.0.1',
      '169.254.169.254',
    ]) {
      const { name, cause } = await failure(`await fetch('http://${host}:${port}/echo');`, fenced);
      assert.deepEqual([name, cause?.code], ['TypeError', 'ERR_PERMISSION'], host);
      assert.match(cause!.message, /only public addresses are allowed; to allow it, add/);
    }
    assert.match((await fenced.ask('/_plugins')).text, /./);
  } finally {
    await fenced.stop();
  }
});

test('permissions hold for redirects too', async () => {
  const port = new URL(http.url).port;
  const narrow = await serve([web('fetcher.js', { permissions: { net: [`127.0.0.1:${port}`] } })], [], environment);
  try {
    assert.equal(await run(`return (await fetch('${http.url}/redirect/302?to=/status/200')).status;`, narrow), 200);
    const to = encodeURIComponent(`${other.url}/echo`);
    const { cause } = await failure(`await fetch('${http.url}/redirect/302?to=${to}');`, narrow);
    assert.equal(cause?.code, 'ERR_PERMISSION');
    assert.match(cause!.message, new RegExp(`"net" allows "127\\.0\\.0\\.1:${port}"`));
  } finally {
    await narrow.stop();
  }
});

test('proxies of the environment are used, and permissions hold there', async () => {
  const seen: string[] = [];
  const proxy = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      seen.push(data.toString().split('\r\n')[0]!);
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nproxied!\n');
    });
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const { port } = proxy.address() as net.AddressInfo;
  const behind = await serve([web('fetcher.js')], [], { http_proxy: `http://127.0.0.1:${port}`, no_proxy: '' });
  try {
    assert.equal(await run(`return (await fetch('http://api.example/x')).text();`, behind), 'proxied!\n');
    assert.deepEqual(seen, ['GET http://api.example/x HTTP/1.1']);
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const { cause } = await failure(`await fetch('http://${host}/');`, behind);
      assert.equal(cause?.code, 'ERR_PERMISSION', host);
    }
  } finally {
    await behind.stop();
    proxy.close();
  }
});

// --- data: URLs ---

test('data: URLs', async () => {
  const got = await run(`
    const all = [];
    for (const url of ['data:,a%20b%zz', 'data:text/html;charset=utf-8;base64,PGI%2BPC9iPg==', 'data:;x=y,1',
                       'data:nonsense,2', 'data:Image/PNG;A="b c",3#f']) {
      const response = await fetch(url);
      all.push([response.headers.get('content-type'), await response.text(), response.status]);
    }
    return all;`);
  assert.deepEqual(got, [
    ['text/plain;charset=US-ASCII', 'a b%zz', 200],
    ['text/html;charset=utf-8', '<b></b>', 200],
    ['text/plain;x=y', '1', 200],
    ['text/plain;charset=US-ASCII', '2', 200],
    ['image/png;a="b c"', '3', 200],
  ]);
  for (const bad of ['data:text/plain', 'data:;base64,a']) {
    assert.equal((await failure(`await fetch('${bad}');`)).cause?.code, 'ERR_INVALID_URL');
  }
});

test('blob: URLs', async () => {
  const got = await run(`
    const url = URL.createObjectURL(new Blob(['ab', 'c'], { type: 'text/x' }));
    const response = await fetch(url + '#part');
    const all = [response.headers.get('content-type'), response.headers.get('content-length'), await response.text()];
    URL.revokeObjectURL(url);
    return [...all, await fetch(url).catch((error) => error.cause.code)];`);
  assert.deepEqual(got, ['text/x', '3', 'abc', 'ERR_INVALID_URL']);
});

test('wrong arguments reject', async () => {
  for (const code of ['fetch()', "fetch('http://[')", "fetch('http://a:b@127.0.0.1/')", "fetch('/', { body: 'x' })"]) {
    assert.equal((await failure(`await ${code};`)).name, 'TypeError', code);
  }
});
