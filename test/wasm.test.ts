// WASM plug-ins in the real server: what happens to requests, siblings and the operator when they behave and when they do
// not. What the host refuses call by call is tested in plugins/wasm.
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Answer, build, type Definition, eventually, pluginPath, serve, temporaryFolder, web } from './harness.ts';

function wasm(name: string, fields: Definition = {}): Definition {
  return { type: 'web', name, url: join(build, `plugins/wasm/test-plugins/${name}.wasm`), ...fields };
}

const limits = { timeout_ms: 1000, memory_mb: 16 };
const valor = await serve(
  [
    wasm('behaviours', { limits }),
    wasm('behaviours', { name: 'sibling', config: 'a' }),
    wasm('behaviours', { name: 'three', instances: { min: 3, max: 3 }, limits }),
    web('counter.js', { name: 'bystander' }),
  ],
  ['-w', '--no-access-log'],
);
after(() => valor.stop());

async function othersAnswer(): Promise<void> {
  assert.equal((await valor.ask('/sibling')).text, 'fine');
  assert.equal((await valor.ask('/bystander')).status, 200);
}

async function recovered(): Promise<void> {
  await eventually(async () => (await valor.ask('/behaviours')).text === 'fine', 'a plug-in that answers again');
  await othersAnswer();
}

function isProblem(answer: Answer, status: number): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.json().plugin, 'behaviours');
}

test('a WASM plug-in answers, with body, state and timers', async () => {
  assert.equal((await valor.ask('/behaviours')).text, 'fine');
  assert.equal((await valor.ask('/behaviours/sleep/20')).text, 'slept');
  const body = Buffer.alloc(3_000_000, 'abcdefg');
  const echoed = await valor.ask('/behaviours/echo', { method: 'POST', body });
  assert.ok(echoed.bytes.equals(body));
  assert.match((await valor.ask('/behaviours/state')).text, /^\d$/);
  assert.equal((await valor.ask('/behaviours/fail')).status, 500);
  assert.equal((await valor.ask('/sibling/words')).text, `sibling "a" ${valor.url}/sibling/`);
});

test('several instances have a memory each', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => valor.ask('/three/state')));
  for (const answer of answers) assert.equal(answer.status, 200);
  assert.equal((await valor.ask('/_plugins/three')).json().instances, 3);
});

for (const [deed, message] of [
  ['trap', 'unreachable'],
  ['out-of-bounds', 'memory access out of bounds'],
  ['stack', 'Maximum call stack size exceeded'],
  ['hoard', 'unreachable'],
]) {
  test(`a trap (${deed}) answers 502 with its stack, and a new instance takes over`, async () => {
    const before = (await valor.ask('/_plugins/behaviours')).json().restarts;
    const waiting = valor.ask('/behaviours/sleep/100000');
    await eventually(
      async () => (await valor.ask('/_plugins/behaviours')).json().in_flight > 0,
      'a request that waits',
    );
    const answer = await valor.ask(`/behaviours/${deed}`);
    isProblem(answer, 502);
    assert.match(answer.json().detail, new RegExp(`^The plug-in trapped: ${message} \\(at `));
    assert.match(answer.json().stack, /^at \w+ \(behaviours\.wasm:wasm-function\[\d+\]:0x[0-9a-f]+\)$/m);
    isProblem(await waiting, 502);
    await recovered();
    assert.equal((await valor.ask('/_plugins/behaviours')).json().restarts, before + 1);
    await valor.logged(
      new RegExp(`\\[behaviours\\] The plug-in trapped: ${message}[\\s\\S]*behaviours\\.wasm:wasm-function`),
    );
  });
}

test('abort() answers 502 with the words of the plug-in', async () => {
  const answer = await valor.ask('/behaviours/abort');
  isProblem(answer, 502);
  assert.equal(answer.json().detail, 'The plug-in gave up: I cannot go on');
  assert.match(answer.json().stack, /misbehave/);
  await recovered();
});

for (const deed of ['loop', 'log-for-ever', 'sleep-for-ever']) {
  test(`code that does not end (${deed}) is stopped at timeout_ms, and holds back nobody else`, async () => {
    const asked = valor.ask(`/behaviours/${deed}`);
    for (let i = 0; i < 5; i++) await othersAnswer();
    const answer = await asked;
    isProblem(answer, 504);
    assert.equal(answer.json().limit, 'timeout_ms');
    await recovered();
    assert.equal((await valor.ask('/_plugins/behaviours')).json().last_limit.limit, 'timeout_ms');
  });
}

test('memory.grow fails at the limit, exactly, and the plug-in goes on', async () => {
  assert.equal((await valor.ask('/behaviours/grow')).text, '256');
  await recovered();
});

test('the plug-in is told when a client leaves a stream, and nothing more is written', async () => {
  const before = Number((await valor.ask('/sibling/dropped')).text);
  await new Promise<void>((done, failed) => {
    const request = http.get(`${valor.url}/sibling/endless`, (response) => {
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > 1_000_000) response.destroy();
      });
      response.on('close', done);
    });
    request.on('error', failed);
  });
  await eventually(async () => Number((await valor.ask('/sibling/dropped')).text) === before + 10, 'the news');
});

test('modules are added, replaced and removed while the server runs', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'late.wasm');
  const module = (name: string): string => join(build, `plugins/wasm/test-plugins/${name}.wasm`);
  const definition = (fields: Definition = {}): string =>
    JSON.stringify({ type: 'web', name: 'late', url: file, ...fields });
  const send = (method: string, body: string): Promise<Answer> =>
    valor.ask(method === 'POST' ? '/_plugins' : '/_plugins/late', {
      method,
      headers: { 'content-type': 'application/json' },
      body,
    });

  writeFileSync(file, 'onmessage = null');
  const refused = await send('POST', definition());
  assert.equal(refused.status, 422);
  assert.match(refused.json().detail, /late\.wasm: the file is no WebAssembly module/);

  copyFileSync(module('initialise-traps'), file);
  const trapped = await send('POST', definition());
  assert.equal(trapped.status, 422);
  assert.match(trapped.json().detail, /The plug-in trapped: unreachable \(at boom/);

  copyFileSync(module('liar'), file);
  assert.equal((await send('POST', definition({ config: '' }))).status, 201);
  assert.equal((await valor.ask('/late')).text, '1');

  copyFileSync(module('behaviours'), file);
  for (const [deed, words] of [
    ['fails', /the config is wrong/],
    ['loop', /did not finish loading within timeout_ms/],
    ['never-done', /did not finish loading within timeout_ms/],
    ['stack', /Maximum call stack size/],
  ] as const) {
    const answer = await send('PUT', definition({ config: deed, limits: { timeout_ms: 500 } }));
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.json().detail, words);
    assert.equal((await valor.ask('/late')).text, '1');
  }
  assert.equal((await send('PUT', definition({ config: 'good' }))).status, 200);
  assert.equal((await valor.ask('/late')).text, 'fine');
  assert.equal((await valor.ask('/_plugins/late', { method: 'DELETE' })).status, 204);
  assert.equal((await valor.ask('/late')).status, 404);
});

test('a guest that lies about its memory is found out', async () => {
  for (const [mode, words] of [
    ['zero', /has no memory left/],
    ['far', /not within its memory/],
    ['odd', /not aligned to 8 bytes/],
    ['trap', /trapped: unreachable/],
  ] as const) {
    const server = await serve([wasm('liar', { config: mode })], ['--no-access-log', '--log-level', 'off']);
    const answer = await server.ask('/liar');
    assert.equal(answer.status, 502, answer.text);
    assert.match(answer.json().detail, words);
    await server.stop();
  }
});

test('a server that drains lets WASM plug-ins finish', async () => {
  const server = await serve([wasm('behaviours')], ['--no-access-log']);
  const answer = server.ask('/behaviours/sleep/300');
  await new Promise((done) => setTimeout(done, 100));
  server.signal('SIGTERM');
  assert.equal((await answer).text, 'slept');
  assert.equal((await server.exited()).code, 0);
});

test('nothing of broken instances remains', async (t) => {
  const threads = (): number => readdirSync(`/proc/${valor.process.pid}/task`).length;
  const rounds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await valor.ask(`/behaviours/${['trap', 'hoard', 'grow', 'abort'][i % 4]}`);
      await recovered();
    }
  };
  await rounds(8);
  const before = { threads: threads(), memory: valor.memoryKib('VmRSS') };
  await rounds(32);
  await eventually(() => threads() <= before.threads, 'the end of threads');
  const grown = Math.round((valor.memoryKib('VmRSS') - before.memory) / 1024);
  t.diagnostic(`${grown} MiB more after 24 instances of 16 MiB`);
  assert.ok(grown < 40, `${grown} MiB more`);
});

test('a module of wasm-bindgen runs as a JavaScript plug-in, with its glue', async () => {
  const folder = temporaryFolder();
  for (const file of ['plugin.js', 'greeter.js']) copyFileSync(pluginPath(`wasm-bindgen/${file}`), join(folder, file));
  copyFileSync(join(build, 'plugins/wasm/test-plugins/greeter_bg.wasm'), join(folder, 'greeter_bg.wasm'));
  const server = await serve([
    { type: 'web', name: 'greeter', url: join(folder, 'plugin.js') },
    { type: 'web', name: 'bare', url: join(folder, 'greeter_bg.wasm') },
  ]);
  assert.equal((await server.ask('/greeter?name=Alice')).text, 'Hello, Alice');
  assert.equal((await server.ask('/greeter?name=J%C3%B6rg%20%F0%9F%91%8B')).text, 'Hello, Jörg 👋');
  assert.equal((await server.ask('/greeter')).status, 500);
  assert.equal((await server.ask('/greeter?describe=[1,2]')).text, 'It is 1,2');
  const failed = await server.ask('/greeter?describe=[]');
  assert.equal(failed.text, 'failed: it says nothing');
  for (let i = 0; i < 300; i++) assert.equal((await server.ask('/greeter?describe={}')).text, 'It is [object Object]');
  // Without its glue it is told what it is.
  assert.match((await server.ask('/bare')).json().detail, /wasm-bindgen[\s\S]*--target web/);
  assert.match(server.log, /Alice/);
  await server.stop();
});

test('a module is known by its first bytes where its name says nothing', async () => {
  const file = join(temporaryFolder(), 'plugin');
  writeFileSync(file, readFileSync(join(build, 'plugins/wasm/test-plugins/behaviours.wasm')));
  const server = await serve([{ type: 'web', name: 'plain', url: file }]);
  assert.equal((await server.ask('/plain')).text, 'fine');
  await server.stop();
});
