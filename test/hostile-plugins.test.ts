// Plug-ins that do to the engine, to their limits and to their own answers whatever code can do: their requests get the
// right error, the instance goes on or is replaced, the others notice nothing, and nothing remains.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Answer, eventually, serve, temporaryFolder, type Valor, web } from './harness.ts';

const limits = { timeout_ms: 2000, memory_mb: 16 };
const valor = await serve(
  [web('hostile.js', { limits }), web('counter.js', { name: 'bystander' })],
  ['-w', '--no-access-log', '--log-level', 'error'],
);
after(() => valor.stop());

async function fine(server: Valor = valor): Promise<void> {
  await eventually(async () => (await server.ask('/hostile/fine')).text === 'fine', 'a plug-in that answers again');
  assert.equal((await server.ask('/bystander')).status, 200);
}

function isProblem(answer: Answer, status: number, limit?: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers['x-valor-plugin'], 'hostile');
  const problem = answer.json();
  assert.equal(problem.plugin, 'hostile');
  assert.equal(problem.limit, limit);
}

const garbage = `
  status-0 status-99 status-1000 status-65736 status-negative status-fraction status-nan status-infinity status-abc
  status-string status-null status-bigint status-object status-symbol header-newline header-carriage-return header-nul
  header-control header-beyond-latin1 name-newline name-nul name-colon name-blank name-empty name-beyond-ascii name-number
  value-object value-symbol value-missing value-too-many headers-object headers-map headers-string headers-number
  headers-huge headers-holes headers-length-huge
  headers-revoked pair-revoked headers-throw message-revoked message-proxy-throws message-cyclic
  message-function message-symbol message-weak-map message-promise message-deep getter-throws transfer-nonsense
  transfer-twice transfer-detached body-shared-bare body-number body-date message-array`;

for (const kind of garbage.trim().split(/\s+/)) {
  test(`an answer that is garbage (${kind}) gets 500, and the instance goes on`, async () => {
    const before = (await valor.ask('/_plugins/hostile')).json();
    const answer = await valor.ask(`/hostile/${kind}`);
    isProblem(answer, 500);
    assert.equal(answer.headers['x-injected'], undefined);
    assert.equal(answer.headers['x-a'], undefined);
    assert.equal((await valor.ask('/hostile/fine')).text, 'fine');
    assert.equal((await valor.ask('/_plugins/hostile')).json().restarts, before.restarts);
  });
}

const allowed: Record<string, string> = {
  'body-detached': '',
  'body-detached-view': '',
  'body-resized': '',
  'body-grown': '41414141',
  'body-shared': '00000000',
  'body-lone-surrogate': 'efbfbd',
  'headers-length-text': '78',
  'headers-length-negative': '78',
  'headers-length-fraction': '78',
  'headers-length-object': '78',
  'message-proxy': '78',
};
for (const [kind, hex] of Object.entries(allowed)) {
  test(`an answer that is odd and allowed (${kind}) is sent`, async () => {
    const answer = await valor.ask(`/hostile/${kind}`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.bytes.toString('hex'), hex);
  });
}

// What trips for each; "" where the plug-in gets an error of its own.
const endless: Record<string, string[]> = {
  loop: ['timeout_ms'],
  microtasks: ['timeout_ms', 'memory_mb'],
  recursion: [''],
  'recursion-caught': ['timeout_ms', ''],
  'recursion-json': ['', 'memory_mb'],
  heap: ['memory_mb'],
  buffers: ['memory_mb'],
  'buffers-caught': ['memory_mb'],
  strings: ['memory_mb'],
  'string-doubling': ['', 'memory_mb'],
  promises: ['memory_mb'],
  timers: ['memory_mb', 'timeout_ms'],
  listeners: ['memory_mb', 'timeout_ms'],
  map: ['memory_mb', ''],
};
for (const [kind, trips] of Object.entries(endless)) {
  test(`code without end (${kind}) is stopped, and the plug-in comes back`, async () => {
    const answer = await valor.ask(`/hostile/${kind}`);
    const limit = answer.json().limit ?? '';
    assert.ok(trips.includes(limit), answer.text);
    isProblem(answer, limit === '' ? 500 : limit === 'timeout_ms' ? 504 : 502, limit === '' ? undefined : limit);
    await fine();
  });
}

test('a million messages: the first answers, the others reach nobody', async () => {
  const [first, ...others] = await Promise.all([
    valor.ask('/hostile/million-messages'),
    ...Array.from({ length: 20 }, () => valor.ask('/bystander')),
  ]);
  assert.equal(first!.text, 'nobody asked');
  for (const { status } of others) assert.equal(status, 200);
  await fine();
});

test('a getter that answers while its own message is read cannot answer twice', async () => {
  assert.equal((await valor.ask('/hostile/getter-posts')).text, 'from within');
  await fine();
});

for (const kind of ['million-logs', 'log-huge']) {
  test(`a flood of log lines (${kind}) stops nobody`, async () => {
    const answer = valor.ask(`/hostile/${kind}`);
    for (let i = 0; i < 20; i++) assert.equal((await valor.ask('/bystander')).status, 200);
    assert.ok([200, 504].includes((await answer).status));
    await fine();
  });
}

const atLoad: Record<string, [source: string, words: RegExp]> = {
  throws: ["throw new Error('on purpose');", /on purpose/],
  'throws nothing': ['throw undefined;', /undefined/],
  'throws a proxy': ['throw new Proxy({}, { get() { throw 1; } });', /an object that is no Error was thrown/],
  'throws what throws': ['throw { toString() { throw 1; } };', /an object that is no Error was thrown/],
  loops: ['for (;;);', /timeout_ms/],
  'loops in a microtask': ['const again = () => queueMicrotask(again); again();', /timeout_ms|memory_mb/],
  'waits for ever': ['await new Promise(() => {}); export {};', /timeout_ms/],
  recurses: ['const down = (n) => down(n + 1) + 1; down(0);', /Maximum call stack/],
  'fills the heap': ['const all = []; for (;;) all.push(new Array(1e4).fill({}));', /memory_mb/],
  'fills buffers': ['const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));', /memory_mb|allocation failed/],
  'fills strings': [
    'const all = []; for (let i = 0; ; i++) all.push(String(i).repeat(1e4) + Math.random());',
    /memory_mb/,
  ],
  'fills a promise chain': [
    'const all = []; const more = () => { all.push(new Array(1000).fill(0)); return Promise.resolve().then(more); }; await more();',
    /memory_mb/,
  ],
  'asks for one huge array': ["'x'.repeat(2 ** 28).split('');", /memory_mb|more memory/],
  'posts a million messages': [
    "for (let i = 0; i < 1e6; i++) postMessage({ status: 200, headers: [], body: 'x' });",
    /answers no requests|timeout_ms/,
  ],
  'breaks its globals': [
    'for (const key of Reflect.ownKeys(globalThis)) try { globalThis[key] = undefined; } catch {} Object.prototype.then = 5;',
    /answers no requests|TypeError/,
  ],
};

test('whatever a plug-in does at load: 422 or 502 with the reason, and the others are served', async (t) => {
  const folder = temporaryFolder();
  const send = (method: string, path: string, body = '') =>
    valor.ask(path, { method, body, headers: { 'content-type': 'application/json' } });
  for (const [what, [source, words]] of Object.entries(atLoad)) {
    await t.test(`a plug-in that ${what}`, async () => {
      const url = join(folder, `${what.replaceAll(' ', '-')}.js`);
      writeFileSync(url, source);
      const adding = send('POST', '/_plugins', JSON.stringify({ type: 'web', name: 'loads', url, limits }));
      assert.equal((await valor.ask('/bystander')).status, 200);
      const answer = await adding;
      assert.equal(answer.status, 422, answer.text);
      assert.match(answer.json().detail, words);
      assert.equal((await valor.ask('/loads')).status, 404);
    });
  }
  await fine();
});

test('nothing of all that remains', async (t) => {
  // Each of these ends an instance, in another way.
  const kinds = ['loop', 'heap', 'buffers-caught', 'promises', 'strings'];
  const threads = (): number => readdirSync(`/proc/${valor.process.pid}/task`).length;
  const rounds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await valor.ask(`/hostile/${kinds[i % kinds.length]}`);
      await fine();
    }
  };
  await rounds(5);
  const before = { threads: threads(), files: valor.openFiles(), memory: valor.memoryKib('VmRSS') };
  await rounds(20);
  await eventually(() => threads() <= before.threads, `the end of threads (${threads()}, ${before.threads})`);
  await eventually(() => valor.openFiles() <= before.files, `closed files (${valor.openFiles()}, ${before.files})`);
  const grown = Math.round((valor.memoryKib('VmRSS') - before.memory) / 1024);
  t.diagnostic(`${grown} MiB more after 20 instances of 16 MiB`);
  assert.ok(grown < 40, `${grown} MiB more after 20 instances of 16 MiB`);
  assert.equal(valor.process.exitCode, null);
});
