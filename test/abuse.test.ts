// What plug-in code can use up, a case each: it works, or it ends with a clear error; the process stays within bounds, a
// neighbour is answered all the while, and the plug-in is back for the next request. hostile-plugins.test.ts and
// fetch-client.test.ts have further ones.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { eventually, serve, sleep, web } from './harness.ts';
import { makeCertificates, serveHttp, serveTls } from './upstreams.ts';

const { key, authority, elsewhere, expired, selfSigned } = makeCertificates();
const http = await serveHttp();
const tls = {
  elsewhere: await serveTls(key, elsewhere),
  expired: await serveTls(key, expired),
  self: await serveTls(key, selfSigned),
};

const limits = { timeout_ms: 4000, memory_mb: 64 };
const valor = await serve(
  [
    web('fetcher.js', { name: 'abuser', limits, permissions: { net: ['127.0.0.1', 'localhost', 'self'] } }),
    web('counter.js', { name: 'neighbour' }),
  ],
  ['--no-access-log', '--log-level', 'error'],
  { CURL_CA_BUNDLE: authority, http_proxy: '', https_proxy: '', all_proxy: '' },
);
// Nobody here reads the log, which gets hundreds of MB.
const forgetting = setInterval(() => {
  valor.log = '';
}, 20);
after(async () => {
  clearInterval(forgetting);
  await valor.stop();
  for (const upstream of [http, ...Object.values(tls)]) upstream.close();
});

// How it may end: with this value, with an error that matches, or because a limit trips. Which limit comes first depends on
// the machine.
const memory = Symbol('memory_mb');
const time = Symbol('timeout_ms');
type End = typeof memory | typeof time | RegExp | number | string | boolean;

const tooDeep = /RangeError: Maximum call stack size exceeded/;
const tooLong = /RangeError: (Invalid string length|Invalid array length|Array buffer allocation failed)/;
const million = (what: string) => `for (let i = 0; i < 1e6; i++) { ${what}; } return 'done';`;

const cases: Record<string, [code: string, ...ends: End[]]> = {
  // --- a million of everything ---
  'a million timers': [million('setTimeout(() => {}, 1e6)'), memory, time, 'done'],
  'a million timers that are due': [million('setTimeout(() => {})'), memory, time, 'done'],
  'a million timers that are cleared': [million('clearTimeout(setTimeout(() => {}, 1e6))'), 'done', time],
  'a million tasks': [million('scheduler.postTask(() => {})'), memory, time, 'done'],
  'a million microtasks': [million('queueMicrotask(() => {})'), memory, time, 'done'],
  'a million rejections': [million('Promise.reject(new Error(i))'), memory, time, 'done'],
  'rejections that are handled in the end': [
    `const all = []; for (let i = 0; i < 2e5; i++) all.push(Promise.reject(i));
    for (const one of all.reverse()) one.catch(() => {});
    return 'done'`,
    'done',
  ],
  'a million reported errors': [million('reportError(i)'), 'done', time, memory],
  'a million channels': [million('new MessageChannel()'), 'done', memory, time],
  'a million messages that nobody takes': [
    `const { port1 } = new MessageChannel(); ${million('port1.postMessage(i)')}`,
    memory,
    time,
    'done',
  ],
  'a million broadcast channels': [million('new BroadcastChannel("x")'), memory, time, 'done'],
  'broadcasts to thousands': [
    `const all = Array.from({ length: 3000 }, () => new BroadcastChannel('x'));
    for (const one of all) one.postMessage(1); return 'done'`,
    memory,
    time,
    'done',
  ],
  'a million signals that time out': [million('AbortSignal.timeout(1e6)'), memory, time, 'done'],
  'signals of one signal': [
    `const { signal } = new AbortController(); for (let i = 0; i < 1e5; i++) AbortSignal.any([signal]); return 'done'`,
    'done',
    memory,
  ],
  'a million marks': [
    `${million('performance.mark("m" + i)').replace("'done'", 'performance.getEntries().length')}`,
    100_000,
    memory,
    time,
  ],
  'a million blob: URLs': [million('URL.createObjectURL(new Blob(["x"]))'), memory, time, 'done'],
  'a million symbols': [million('Symbol.for("s" + i)'), memory, time, 'done'],
  'a million finalizers': [
    `const registry = new FinalizationRegistry(() => {}); ${million('registry.register({}, i)')}`,
    memory,
    time,
    'done',
  ],
  'compression streams without end': [million('new CompressionStream("gzip")'), memory, time],
  'formatters without end': [`const all = []; ${million('all.push(new Intl.DateTimeFormat("de"))')}`, memory, time],
  'regular expressions without end': [
    `const all = []; ${million('const r = new RegExp("a" + i); r.test("b"); all.push(r)')}`,
    memory,
    time,
  ],

  // --- in one piece ---
  'a string of 1 GiB': ['return "x".repeat(2 ** 30).length', tooLong],
  'a string of 1 GiB from pieces': ['return new Array(2 ** 20).fill("x".repeat(1024)).join("").length', tooLong],
  'a string that is replaced by squares': ['return "x".repeat(1e6).replace(/x/g, "$`").length', tooLong, memory],
  'buffers of 1 GiB that grow': [
    `const all = [];
    for (let i = 0; i < 100; i++) {
      const buffer = new ArrayBuffer(1, { maxByteLength: 2 ** 30 });
      for (let size = 2 ** 23; size <= 2 ** 30; size += 2 ** 23) { buffer.resize(size); new Uint8Array(buffer, size - 2 ** 23).fill(1); }
      all.push(buffer);
    }`,
    memory,
  ],
  'a Blob of 10 GB': [
    'const b = new Uint8Array(1e6); return new Blob(Array.from({ length: 1e4 }, () => b)).size',
    memory,
  ],
  'a Blob of Blobs': [
    'let b = new Blob(["x".repeat(1000)]); for (let i = 0; i < 30; i++) b = new Blob([b, b]); return b.size',
    memory,
    time,
    /RangeError/,
  ],
  'a form with a million fields': [
    `const form = new FormData(); for (let i = 0; i < 1e6; i++) form.append('a' + i, 'b');
    return (await new Response(form).text()).length`,
    memory,
    time,
  ],
  'a form with a million parts': [
    `const body = '--x\\r\\ncontent-disposition: form-data; name="a"\\r\\n\\r\\n\\r\\n'.repeat(3e5) + '--x--';
    return [...await new Response(body, { headers: { 'content-type': 'multipart/form-data; boundary=x' } }).formData()].length`,
    memory,
    time,
    300_000,
  ],
  'a URL of a million dots': ['return new URL("http://a/" + "a/../".repeat(4e5)).href', 'http://a/'],
  'a bomb of compressed zeros': [
    `const source = new ReadableStream({ pull(c) { this.n = (this.n ?? 0) + 1; if (this.n > 512) c.close(); else c.enqueue(new Uint8Array(1 << 20)); } }, { highWaterMark: 0 });
    const small = await new Response(source.pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
    return (await new Response(new Blob([small]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()).byteLength`,
    memory,
    time,
  ],

  // --- depth ---
  'deep recursion': ['const down = (n) => down(n + 1) + 1; return down(0)', tooDeep],
  'deep recursion of async functions': [
    'const f = async (n) => n === 0 ? 0 : 1 + await f(n - 1); return await f(1e6)',
    tooDeep,
  ],
  'deep recursion of generators': ['function* g() { yield* g(); } return [...g()]', tooDeep],
  'JSON that nests a million times': [
    'const n = 1e6; JSON.parse("[".repeat(n) + "]".repeat(n)); return "done"',
    'done',
    memory,
    tooDeep,
  ],
  'an array that nests a million times, as JSON': [
    'let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return JSON.stringify(a).length',
    2_000_002,
    tooDeep,
    memory,
  ],
  'an array that nests a million times, cloned': [
    'let a = []; for (let i = 0; i < 1e6; i++) a = [a]; structuredClone(a)',
    tooDeep,
    memory,
  ],
  'an array that nests a million times, logged': [
    'let a = []; for (let i = 0; i < 1e6; i++) a = [a]; console.error(a); return "done"',
    'done',
    memory,
  ],
  'a regular expression that nests': [
    'new RegExp("(".repeat(1e6) + ")".repeat(1e6))',
    /SyntaxError: Invalid regular expression/,
  ],
  'a regular expression that tries all ways': ['return /(x+x+)+y/.test("x".repeat(40))', time],
  'source code that nests': ['return (0, eval)("(".repeat(1e6) + ")".repeat(1e6))', tooDeep, /SyntaxError/],
  'a chain of proxies': ['let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x', tooDeep],
  'a chain of prototypes': [
    'let p = {}; for (let i = 0; i < 1e5; i++) p = Object.create(p); return String(p.x)',
    'undefined',
    memory,
  ],
  'a chain of promises': [
    'let p = Promise.resolve("done"); for (let i = 0; i < 1e5; i++) p = p.then((x) => x); return await p',
    'done',
  ],
  'promises that are settled with promises': [
    'let p = Promise.resolve("done"); for (let i = 0; i < 1e5; i++) { const q = p; p = new Promise((d) => d(q)); } return await p',
    'done',
  ],
  'a thenable that gives itself': ['const t = { then(done) { done(t); } }; return await t', time, memory],
  'errors that cause each other': [
    'let e; for (let i = 0; i < 1e5; i++) e = new Error("x", { cause: e }); reportError(e); return "done"',
    'done',
    memory,
  ],
  'a chain of signals': [
    'let s = new AbortController().signal; for (let i = 0; i < 1e5; i++) s = AbortSignal.any([s]); return "done"',
    'done',
    memory,
  ],
  'an event within an event': [
    `const t = new EventTarget(); let n = 0;
    t.addEventListener('x', () => { n++; t.dispatchEvent(new Event('x')); }); t.dispatchEvent(new Event('x')); return n > 100`,
    true,
  ],
  'a stream through a thousand streams': [
    'let s = new Blob(["done"]).stream(); for (let i = 0; i < 1000; i++) s = s.pipeThrough(new TransformStream()); return await new Response(s).text()',
    'done',
    time,
  ],

  // --- streams ---
  'a stream that nobody reads': [
    'for (let i = 0; i < 1e4; i++) new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1e3)); } }); await new Promise((d) => setTimeout(d, 300)); return "done"',
    'done',
    memory,
  ],
  'a stream that is filled without end': [
    'new ReadableStream({ start(c) { for (;;) c.enqueue(new Uint8Array(1e5)); } })',
    memory,
  ],
  'a transform that grows': [
    `const { writable } = new TransformStream({ transform(piece, c) { for (let i = 0; i < 1000; i++) c.enqueue(piece.slice()); } }, undefined, { highWaterMark: Infinity });
    const writer = writable.getWriter(); for (;;) await writer.write(new Uint8Array(1e4));`,
    memory,
    time,
  ],
  'writes that nobody waits for': [
    'const writer = new TransformStream().writable.getWriter(); for (;;) writer.write(new Uint8Array(1e5));',
    memory,
  ],

  // --- the console ---
  'console output without end': ['for (;;) console.error("x".repeat(1000))', time],
  'a console line of 100 MB': ['console.error("x".repeat(1e8)); return "done"', 'done', memory],
  'a table of a hundred thousand columns': [
    'console.table(Array.from({ length: 1e5 }, (_, i) => ({ ["c" + i]: i }))); return "done"',
    'done',
    memory,
    time,
  ],

  // --- fetch ---
  '10,000 fetches at once': [
    `const all = await Promise.allSettled(Array.from({ length: 10_000 }, async (_, i) => (await fetch('${http.url}/echo?' + i)).json()));
    return all.every(({ value }, i) => value?.url === '/echo?' + i)`,
    true,
    time,
  ],
  '10,000 fetches that nobody answers': [
    `const all = Array.from({ length: 10_000 }, () => fetch('${http.url}/never', { signal: AbortSignal.timeout(1000) }));
    return (await Promise.allSettled(all)).every(({ reason }) => reason?.name === 'TimeoutError')`,
    true,
    time,
  ],
  'fetches without end': [`for (;;) fetch('${http.url}/never')`, memory, time],
  'fetches of itself without end': ['for (;;) fetch(location)', memory, time],
  'a server that never answers': [`await fetch('${http.url}/never')`, time],
  'a server that closes in the middle of a chunk': [
    `await (await fetch('${http.url}/mid-chunk')).text()`,
    /TypeError: Cannot fetch .*ECONNRESET/,
  ],
  'a server that sends headers without end': [
    `await fetch('${http.url}/header-flood')`,
    /TypeError: Cannot fetch .*head/,
  ],
  'a request of a hundred thousand headers': [
    `const headers = Array.from({ length: 1e5 }, (_, i) => ['x-' + i, 'y']); await fetch('${http.url}/echo', { headers })`,
    /TypeError: Cannot fetch .*larger than 256 KiB.*ERR_HEADERS/,
  ],
  'redirects in a circle': [`await fetch('${http.url}/circle/A')`, /TypeError: Cannot fetch .*ERR_REDIRECT/],
  'a body of 512 MiB in one piece': [`await (await fetch('${http.url}/big/512')).arrayBuffer()`, memory],
  'an upload without end that nobody reads': [
    `const body = new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1e6)); } });
    await fetch('${http.url}/never', { method: 'POST', body, duplex: 'half', signal: AbortSignal.timeout(1000) })`,
    /TimeoutError/,
  ],
  'an expired certificate': [`await fetch('${tls.expired.url}/echo')`, /TypeError: Cannot fetch .*ERR_TLS/],
  'a certificate that signs itself': [`await fetch('${tls.self.url}/echo')`, /TypeError: Cannot fetch .*ERR_TLS/],
  'a certificate for another host': [`await fetch('${tls.elsewhere.url}/echo')`, /TypeError: Cannot fetch .*ERR_TLS/],
};

// Beyond limits.memory_mb: what V8 takes in one piece before anybody is asked, twice the heap while it is copied, what an
// instance leaves to the allocator, and its successor.
const boundMib = 320;

async function answersAllTheWhile(until: Promise<unknown>): Promise<number> {
  let over = false;
  until.finally(() => {
    over = true;
  });
  let count = 0;
  while (!over) {
    const answer = await valor.ask('/neighbour');
    assert.equal(answer.status, 200, answer.text);
    count++;
    await sleep(5);
  }
  return count;
}

for (const [what, [code, ...ends]] of Object.entries(cases)) {
  test(what, async (t) => {
    writeFileSync(`/proc/${valor.process.pid}/clear_refs`, '5'); // the highest size so far begins anew
    const before = valor.memoryKib('VmRSS');
    const asking = valor.ask('/abuser', { method: 'POST', body: code });
    const [answer] = await Promise.all([asking, answersAllTheWhile(asking)]);
    const { value, error, limit, detail } = answer.json();
    if (answer.status === 200 && error) {
      const cause = error.cause ? ` ${error.cause.code}: ${error.cause.message}` : '';
      const text = `${error.name}: ${error.message}${cause}`;
      const expected = ends.some((end) => end instanceof RegExp && end.test(text));
      assert.ok(expected, text);
    } else if (answer.status === 200) {
      assert.ok(ends.includes(value), `it worked: ${JSON.stringify(value)}`);
    } else {
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.ok(detail.length > 10, answer.text);
      assert.ok(
        ends.some((end) => typeof end === 'symbol' && end.description === limit),
        answer.text,
      );
    }
    await eventually(
      async () => (await valor.ask('/abuser', { method: 'POST', body: 'return 1' })).status === 200,
      'a plug-in that answers again',
    );
    const grown = Math.round((valor.memoryKib('VmHWM') - before) / 1024);
    t.diagnostic(`${answer.status} ${limit ?? ''}, ${grown} MiB more at most`);
    assert.ok(grown < boundMib, `${grown} MiB more`);
    assert.equal(valor.process.exitCode, null);
  });
}
