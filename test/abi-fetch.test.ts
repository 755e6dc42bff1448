// fetch() of the plug-in ABI, against real servers: plugins/native/test-plugins/fetching.c passes requests on, as a native
// library and as a WASM module.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type Answer,
  type AskOptions,
  ask,
  build,
  eventually,
  root,
  serve,
  sleep,
  temporaryFolder,
  web,
  within,
} from './harness.ts';
import { makeCertificates, serveHttp, serveHttp2, serveTls } from './upstreams.ts';

const certificates = makeCertificates();
const { key, good, elsewhere } = certificates;
const http = await serveHttp();
const other = await serveHttp();
const tls = await serveTls(key, good);
const h2 = await serveHttp2(key, good);
const wrong = await serveTls(key, elsewhere);

const path = join(build, 'plugins/native/test-plugins/fetching.so');
const url = join(temporaryFolder(), 'fetching.wasm');
execFileSync('clang-19', [
  ...['--target=wasm32-wasi', '-mexec-model=reactor', '-O2', '-I', join(root, 'abi')],
  ...[join(root, 'plugins/native/test-plugins/fetching.c'), '-o', url],
]);
const net = ['127.0.0.0/8', 'localhost', 'nowhere.invalid'];
const fetching = (name: string, fields = {}) => [
  { type: 'native', name: `${name}-native`, path, permissions: { net }, ...fields },
  { type: 'web', name: `${name}-wasm`, url, permissions: { net }, ...fields },
];
const valor = await serve(
  [
    ...fetching('fetching'),
    ...fetching('fenced', { permissions: { net: [] } }),
    ...fetching('inside', { permissions: { net: ['self'] } }),
    ...fetching('hasty', { limits: { timeout_ms: 500 } }),
    web('echo.js'),
    web('stream.js'),
  ],
  [],
  { CURL_CA_BUNDLE: certificates.authority, http_proxy: '', https_proxy: '', all_proxy: '' },
);
after(async () => {
  await valor.stop();
  for (const upstream of [http, other, tls, h2, wrong]) upstream.close();
});

// The kind that is being tested.
let kind = '';
function both(name: string, run: () => Promise<void>): void {
  for (const one of ['native', 'wasm']) {
    test(`${one}: ${name}`, () => {
      kind = one;
      return run();
    });
  }
}

const withBody = 1;
const manual = 2;

interface Options extends AskOptions {
  flags?: number;
  plugin?: string;
  mode?: string;
  headers?: OutgoingHttpHeaders;
}

function pass(to: string, { flags = 0, plugin = 'fetching', mode = '', headers = {}, ...options }: Options = {}) {
  const all = { 'x-to': to, 'x-flags': flags, ...headers };
  return ask(valor.port, `/${plugin}-${kind}${mode ? `/${mode}` : ''}`, { ...options, headers: all });
}

const failed = (answer: Answer): string => {
  assert.equal(answer.status, 599, answer.text);
  return answer.text;
};

both('method, headers and body arrive, and head and body come back', async () => {
  const answer = await pass(`${http.url}/echo/a?b=c#fragment`, {
    method: 'PATCH',
    body: 'körper',
    flags: withBody,
    headers: {
      'x-send-x-own': 'yes',
      'x-send-cookie': 'a=b',
      'x-send-connection': 'close',
      'x-send-content-length': 3,
    },
  });
  assert.equal(answer.status, 200);
  const echo = answer.json();
  assert.equal(echo.method, 'PATCH');
  assert.equal(echo.url, '/echo/a?b=c');
  assert.equal(echo.body, 'körper');
  assert.equal(echo.headers['x-own'], 'yes');
  assert.equal(echo.headers.cookie, 'a=b');
  assert.notEqual(echo.headers['content-length'], '3');
  assert.equal(echo.headers['transfer-encoding'], 'chunked');
  assert.equal(echo.headers['user-agent'], 'Valor/0.1.0');
  assert.equal(echo.headers.accept, '*/*');
  assert.equal(answer.headers['x-from'], `${http.url}/echo/a?b=c`);
  assert.equal(answer.headers['x-got-content-type'], 'application/json');
  assert.equal(answer.headers['x-flags'], '0');
});

both('a body of known length is announced, one of another length fails', async () => {
  const upload = (length: number) =>
    pass(`${http.url}/echo`, { method: 'POST', body: '12345', flags: withBody, headers: { 'x-length': length } });
  const echo = (await upload(5)).json();
  assert.equal(echo.headers['content-length'], '5');
  assert.equal(echo.body, '12345');
  assert.match(failed(await upload(4)), /more bytes than it had announced/);
  assert.match(failed(await upload(6)), /fewer bytes than it had announced/);
  assert.equal((await pass(`${http.url}/echo`, { method: 'POST' })).json().headers['content-length'], '0');
});

both('large bodies stream both ways', async () => {
  http.received = 0;
  const body = Buffer.alloc(8 << 20, 'z');
  const sent = await pass(`${http.url}/slow-upload`, { method: 'POST', body, flags: withBody });
  assert.equal(sent.text, `${body.length}`);
  const got = await pass(`${http.url}/big/16`);
  assert.equal(got.bytes.length, 16 << 20);
});

both('a response that is not read makes the server wait, and is there in the end', async () => {
  http.sent = 0;
  const answer = pass(`${http.url}/big/64`, { mode: 'count-later' });
  await eventually(() => http.sent > 0, 'the first bytes');
  await sleep(500);
  assert.ok(http.sent < 32 << 20, `${http.sent} bytes were sent`);
  assert.equal((await answer).text, `${64 << 20}`);
});

both('a plug-in that sends without waiting ends its fetch, not the server', async () => {
  const before = valor.memoryKib('VmRSS');
  const answer = await pass(`${http.url}/never`, { method: 'POST', flags: withBody, mode: 'flood' });
  const pieces = Number(answer.text);
  assert.ok(pieces >= 200 && pieces <= 300, answer.text);
  assert.ok(valor.memoryKib('VmHWM') - before < 400 * 1024);
});

both('redirects are followed as browsers do', async () => {
  const there = await pass(`${http.url}/times/20`);
  assert.equal(there.text, 'there');
  assert.equal(there.headers['x-from'], `${http.url}/times/0`);
  // Redirected, and of known length.
  assert.equal(there.headers['x-flags'], '3');
  assert.match(failed(await pass(`${http.url}/times/21`)), /redirects more than 20 times/);
  assert.match(failed(await pass(`${http.url}/circle/A`)), /redirects more than 20 times/);

  const redirect = (status: number, to: string, options: Options = {}) =>
    pass(`${http.url}/redirect/${status}?to=${encodeURIComponent(to)}`, options);
  const post = { method: 'POST', body: 'text', flags: withBody, headers: { 'x-send-content-type': 'text/x' } };
  for (const status of [301, 302, 303]) {
    const echo = (await redirect(status, '/echo', post)).json();
    assert.deepEqual([echo.method, echo.body, echo.headers['content-type']], ['GET', '', undefined], `${status}`);
  }
  assert.equal((await redirect(303, '/echo', { ...post, method: 'PUT' })).json().method, 'GET');
  assert.equal((await redirect(307, '/echo', { method: 'POST' })).json().method, 'POST');
  for (const status of [307, 308]) {
    assert.match(failed(await redirect(status, '/echo', post)), /cannot be sent again/);
  }
  assert.match(failed(await redirect(302, 'ftp://127.0.0.1/x')), /neither http: nor https:/);
  assert.match(failed(await redirect(302, 'http://a:b@127.0.0.1/x')), /credentials/);
  assert.match(failed(await redirect(302, 'http://127.0.0.1:25/')), /port 25 is blocked/);
  assert.match(failed(await redirect(302, 'http://[')), /is no URL/);
  // A location is bytes; node sends this one as Latin-1.
  assert.equal((await redirect(302, '/echo/ä')).json().url, '/echo/%E4');
});

both('secrets stay with their origin', async () => {
  const headers = { 'x-send-authorization': 'secret', 'x-send-cookie': 'a=b', 'x-send-x-plain': 'p' };
  const to = (origin: string) =>
    pass(`${http.url}/redirect/302?to=${encodeURIComponent(`${origin}/echo`)}`, { headers });
  const same = (await to(http.url)).json().headers;
  assert.deepEqual([same.authorization, same.cookie, same['x-plain']], ['secret', 'a=b', 'p']);
  const foreign = (await to(other.url)).json().headers;
  assert.deepEqual([foreign.authorization, foreign.cookie, foreign['x-plain']], [undefined, undefined, 'p']);
});

both('a redirect is a response like any other where the plug-in wants it so', async () => {
  const answer = await pass(`${http.url}/redirect/302?to=/echo`, { flags: manual });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers['x-got-location'], '/echo');
  assert.equal(answer.text, 'moved');
});

both('content is decoded', async () => {
  for (const coding of ['gzip', 'deflate', 'br']) {
    const answer = await pass(`${http.url}/encoded/${coding}`);
    assert.equal(answer.text, 'decoded '.repeat(1000));
    assert.equal(answer.headers['x-got-content-encoding'], coding);
  }
});

both('TLS and HTTP/2, with certificates that are checked', async () => {
  assert.equal((await pass(`${tls.url}/echo`)).json().httpVersion, '1.1');
  assert.equal((await pass(`${h2.url}/echo`)).json().httpVersion, '2.0');
  assert.match(failed(await pass(`${wrong.url}/echo`)), /cannot fetch https:.*certificate/);
});

both('what gives no response is a failure that says why', async () => {
  assert.match(failed(await pass('http://nowhere.invalid/')), /nowhere\.invalid.*ENOTFOUND/);
  assert.match(failed(await pass('http://127.0.0.1:1023/')), /ECONNREFUSED/);
  assert.match(failed(await pass(`${http.url}/half-head`)), /cannot fetch/);
  assert.match(failed(await pass(`${http.url}/nonsense`)), /cannot fetch/);
  assert.match(failed(await pass(`${http.url}/echo`, { plugin: 'fenced' })), /permissions/);
});

both('a response that breaks off fails the read', async () => {
  for (const what of ['short', 'mid-chunk']) {
    await assert.rejects(pass(`${http.url}/${what}`), /aborted|socket hang up/);
  }
  await valor.logged(new RegExp(`\\[fetching-${kind}\\] cannot fetch .*/short`));
});

both('what no request can be made of is refused, and the log says why', async () => {
  const refused = async (to: string, pattern: RegExp, options: Options = {}): Promise<void> => {
    const answer = await pass(to, options);
    assert.equal(`${answer.status} ${answer.text}`, '400 3');
    await valor.logged(pattern);
  };
  await refused('http://[', /fetch\(\): 'http:\/\/\[' is no URL/);
  await refused('ftp://127.0.0.1/', /fetch\(\): 'ftp:.* is neither http: nor https:/);
  await refused('data:text/plain,x', /fetch\(\): 'data:.* is neither http: nor https:/);
  await refused('http://a:b@127.0.0.1/', /fetch\(\): there are credentials in the URL/);
  await refused('http://127.0.0.1:25/', /fetch\(\): port 25 is blocked/);
  await refused(http.url, /fetch\(\): GET has no body/, { flags: withBody });
  await refused(http.url, /fetch\(\): there is a flag of no meaning/, { flags: 4 });
});

both('a relative URL is one of the plug-in', async () => {
  const answer = await pass('status?x', { plugin: 'inside', headers: { 'x-send-x-to': `${http.url}/echo` } });
  // It asked itself, which may not go on to the outside.
  assert.equal(answer.status, 599);
  assert.equal(answer.headers['x-from'], `${valor.url}/inside-${kind}/status?x`);
});

both('plug-ins of the same server are reached in memory', async () => {
  const answer = await pass('/echo/a', { plugin: 'inside', method: 'POST', body: 'in memory', flags: withBody });
  assert.equal(answer.status, 200);
  assert.equal(Buffer.from(answer.json().body.hex, 'hex').toString(), 'in memory');
  assert.equal(answer.headers['x-from'], `${valor.url}/echo/a`);
  await valor.logged(new RegExp(`POST /echo/a 200 echo \\S+ \\S+ from inside-${kind}`));
});

both('rules about numbers and order hold', async () => {
  const mode = async (name: string): Promise<string> => (await pass(`${http.url}/never`, { mode: name })).text;
  assert.equal(await mode('cancel-head'), '032');
  assert.equal(await mode('rude'), '323332');
  assert.equal((await pass(`${http.url}/drip`, { mode: 'cancel-after-head' })).text, '022');
  assert.equal(await mode('too-late'), 'early');
  await valor.logged(/too late to fetch/);
});

both('a fetch ends with its request, unless it is on behalf of none', async () => {
  const aborted = http.aborted;
  const answer = await pass(`${http.url}/never`, { plugin: 'hasty' });
  assert.equal(answer.status, 504);
  await eventually(() => http.aborted > aborted, 'the end of the fetch');
  assert.equal((await pass(`${http.url}/echo`, { mode: 'orphan' })).text, 'gone ahead');
  await valor.logged(/the orphan has its response/);
});

both('hundreds of fetches at a time all end', async () => {
  const all = Array.from({ length: 300 }, (_, i) => pass(`${http.url}/echo/${i}`, { mode: 'status' }));
  for (const answer of await within(Promise.all(all), 'all answers')) assert.equal(answer.status, 200);
});
