// A message plug-in that posts its answers later and does not name their requests: where the engine can tell on whose
// behalf the code runs, each finds its own, however many are under way and in whatever order they end.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Definition, serve, sleep, temporaryFolder } from './harness.ts';
import { serveHttp } from './upstreams.ts';

const upstream = await serveHttp();
after(() => upstream.close());

// Each is the body of `async (ms, post) => {...}`: waits in its own way, longer for larger `ms`, and calls post().
const carriers: Record<string, string> = {
  'a timer': 'setTimeout(post, ms)',
  'an interval': 'let n = 0; const timer = setInterval(() => { if (++n === 3) { clearInterval(timer); post(); } }, ms)',
  'a timer in a timer': 'setTimeout(() => setTimeout(post, ms), ms)',
  'an await': 'await new Promise((done) => setTimeout(done, ms)); post()',
  'many awaits':
    'for (let i = 0; i < 50 + ms; i++) await null; await pause(ms); for (let i = 0; i < 50; i++) await null; post()',
  'a promise that others settle': 'await turn(ms); post()',
  'then, catch and finally': 'pause(ms).then(() => { throw 1; }).catch(() => {}).finally(() => post())',
  'Promise.all': 'await Promise.all([pause(ms), pause(0), crypto.subtle.digest("SHA-256", new Uint8Array(9))]); post()',
  'an async generator': 'for await (const _ of (async function* () { yield await pause(ms); yield 2; })()); post()',
  'a microtask': 'setTimeout(() => queueMicrotask(post), ms)',
  'a microtask of the handler': 'queueMicrotask(() => queueMicrotask(post))',
  fetch: "await (await fetch(upstream + '/echo')).text(); await pause(ms); post()",
  'fetch with a callback': "fetch(upstream + '/echo').then(() => setTimeout(post, ms))",
  'fetch from the same server': "await (await fetch(new URL('/_health', location))).text(); await pause(ms); post()",
  crypto: 'await pause(ms); await crypto.subtle.digest("SHA-256", new Uint8Array(ms + 1)); post()',
  'a generated key':
    'await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]); await pause(ms); post()',
  'reads of a stream': `
    const stream = new ReadableStream({ async pull(c) { await pause(ms / 2); c.enqueue(1); this.n = (this.n ?? 0) + 1; if (this.n === 2) c.close(); } });
    const reader = stream.getReader();
    while (!(await reader.read()).done);
    post()`,
  'a stream through a stream': `
    const stream = new Blob(['x'.repeat(ms + 1)]).stream().pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'));
    for await (const _ of stream) await pause(ms);
    post()`,
  'a transform': `
    const { readable, writable } = new TransformStream({ async transform(piece, c) { await pause(ms); c.enqueue(piece); } });
    const writer = writable.getWriter(); writer.write(1); writer.close();
    for await (const _ of readable);
    post()`,
  'the body of a response': 'await pause(ms); await new Response("text").text(); post()',
  'an event listener':
    'const target = new EventTarget(); target.addEventListener("x", post); setTimeout(() => target.dispatchEvent(new Event("x")), ms)',
  'an aborted signal': 'const c = new AbortController(); c.signal.onabort = post; setTimeout(() => c.abort(), ms)',
  'a signal that times out': 'AbortSignal.timeout(ms).addEventListener("abort", post)',
  'a port':
    'const { port1, port2 } = new MessageChannel(); port2.onmessage = () => { port2.close(); post(); }; setTimeout(() => port1.postMessage(1), ms)',
  'a port, there and back':
    'const { port1, port2 } = new MessageChannel(); port2.onmessage = () => port2.postMessage(2); port1.onmessage = () => { port1.close(); setTimeout(post, ms); }; port1.postMessage(1)',
  'a FileReader':
    'const reader = new FileReader(); reader.onload = post; setTimeout(() => reader.readAsText(new Blob(["x"])), ms)',
  'a task': 'scheduler.postTask(post, { delay: ms })',
  'a task of low priority': 'await scheduler.postTask(() => pause(ms), { priority: "background" }); post()',
  'a yield': 'await pause(ms); await scheduler.yield(); post()',
  'an observed mark':
    'const observer = new PerformanceObserver(() => { observer.disconnect(); post(); }); await pause(ms); observer.observe({ entryTypes: ["mark"] }); performance.mark("m")',
  'compiled WebAssembly':
    'await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); await pause(ms); post()',
};

const folder = temporaryFolder();
const plugins: Definition[] = Object.entries(carriers).map(([, code], i) => {
  const url = join(folder, `carrier-${i}.js`);
  writeFileSync(
    url,
    `const upstream = '${upstream.url}';
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    // Settled by whoever comes last, for all.
    let waiting = [];
    const turn = (ms) => new Promise((done) => {
      waiting.push(done);
      setTimeout(() => { const all = waiting; waiting = []; for (const one of all.reverse()) one(); }, 40 + ms);
    });
    async function wait(ms, post) { ${code} }
    onmessage = ({ data: { url } }) => {
      const [, name, ms] = url.split('/');
      wait(Number(ms), () => postMessage({ status: 200, headers: [], body: name }));
    };`,
  );
  const permissions = { net: ['127.0.0.1', 'self'] };
  return { type: 'web', name: `carrier-${i}`, url, permissions, limits: { timeout_ms: 5000 } };
});

const valor = await serve(plugins, ['--log-level', 'warn']);
after(() => valor.stop());

for (const [i, what] of Object.keys(carriers).entries()) {
  test(`answers after ${what} find their requests`, async () => {
    const ask = (n: number) => valor.ask(`/carrier-${i}/x/${i}-${n}/${(n * 37) % 100}`);
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(n)));
    for (const [n, answer] of answers.entries()) assert.equal(answer.text, `${i}-${n}`);
    assert.doesNotMatch(valor.log, new RegExp(`carrier-${i}\\] posted a response that belongs to no request`));
  });
}

// --- where it cannot tell ---

const other = async (source: string, body: (port: (path: string) => Promise<string>) => Promise<void>) => {
  const url = join(folder, `other-${Math.random()}.js`);
  writeFileSync(url, source);
  const server = await serve([{ type: 'web', name: 'other', url, limits: { timeout_ms: 1000 } }]);
  try {
    await body(async (path) => {
      const answer = await server.ask(`/other/${path}`);
      return answer.status === 200 ? answer.text : String(answer.status);
    });
  } finally {
    await server.stop();
  }
};

test('a loop that was started at load answers one request at a time', () =>
  other(
    `let wake; let queue = [];
    (async () => {
      for (;;) {
        while (queue.length === 0) await new Promise((done) => { wake = done; });
        const { url } = queue.shift();
        await new Promise((done) => setTimeout(done, 10));
        postMessage({ status: 200, headers: [], body: url });
      }
    })();
    onmessage = ({ data }) => { queue.push(data); wake?.(); };`,
    async (ask) => {
      assert.equal(await ask('first'), 'first');
      const all = await Promise.all(['a', 'b', 'c', 'd'].map(ask));
      assert.deepEqual(all, ['a', 'b', 'c', 'd']);
    },
  ));

test('a loop that the first request started goes on to answer others, one at a time', () =>
  other(
    `let wake; let queue = []; let running = false;
    const loop = async () => {
      running = true;
      for (;;) {
        while (queue.length === 0) await new Promise((done) => { wake = done; });
        const { url } = queue.shift();
        await new Promise((done) => setTimeout(done, 10));
        postMessage({ status: 200, headers: [], body: url });
      }
    };
    onmessage = ({ data }) => { queue.push(data); wake?.(); if (!running) loop(); };`,
    async (ask) => {
      assert.equal(await ask('first'), 'first');
      assert.equal(await ask('second'), 'second');
      const all = await Promise.all(['a', 'b', 'c', 'd'].map(ask));
      assert.deepEqual(all, ['a', 'b', 'c', 'd']);
    },
  ));

test('an answer whose client has left reaches nobody, and the others get theirs', () =>
  other(
    `onmessage = async ({ data: { url } }) => {
      await new Promise((done) => setTimeout(done, url === 'gone' ? 300 : 600));
      postMessage({ status: 200, headers: [], body: url });
    };`,
    async (ask) => {
      assert.equal(await ask('warm'), 'warm');
      const gone = ask('gone').catch(() => 'gone');
      await sleep(20);
      assert.deepEqual(await Promise.all(['a', 'b'].map(ask)), ['a', 'b']);
      await gone;
    },
  ));
