// Plug-ins that do everything wrong: their own requests get the right error, everyone else is answered as if they were not
// there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, serve, type Valor, web } from './harness.ts';

const limits = { timeout_ms: 700, memory_mb: 32 };
let valor: Valor;

before(async () => {
  valor = await serve([
    web('counter.js', { name: 'bystander' }),
    web('misbehave.js', { limits }),
    web('misbehave.js', { name: 'busy', instances: { min: 1, max: 1 } }),
    web('throws-at-load.js', { limits }),
    web('loops-at-load.js', { limits }),
    web('hoards-at-load.js', { limits }),
    web('never-ready.js', { limits }),
    web('silent.js', { limits }),
  ]);
});
after(() => valor.stop());

async function bystanderAnswers(times = 5): Promise<void> {
  for (let i = 0; i < times; i++) assert.equal((await valor.ask('/bystander')).status, 200);
}

test('plug-ins that throw, loop, hoard, wait for ever or listen to nothing at load are reported, answer 502, and the others serve', async () => {
  for (const name of ['throws-at-load', 'loops-at-load', 'hoards-at-load', 'never-ready', 'silent']) {
    await eventually(() => new RegExp(name).test(valor.log), `a word about ${name}`);
    const answer = await valor.ask(`/${name}`);
    assert.equal(answer.status, 502, name);
    assert.equal(answer.json().plugin, name);
  }
  await bystanderAnswers();
});

test('a plug-in that never answers gets 504', async () => {
  assert.equal((await valor.ask('/misbehave/never')).status, 504);
  await bystanderAnswers();
});

test('a second answer is dropped and reaches nobody', async () => {
  for (let i = 0; i < 3; i++) {
    assert.equal((await valor.ask('/misbehave/twice')).text, 'first');
    assert.equal((await valor.ask('/misbehave/fine')).text, 'fine');
  }
  assert.equal((await valor.ask('/misbehave/twice-late')).text, 'first');
  await new Promise((done) => setTimeout(done, 50));
  assert.equal((await valor.ask('/misbehave/fine')).text, 'fine');
  await bystanderAnswers();
});

const garbage = [
  'status-99',
  'status-600',
  'status-text',
  'status-101',
  'newline',
  'header-name',
  'header-nul',
  'header-shape',
  'bare-string',
  'bare-null',
  'bare-nothing',
  'body-object',
  'not-cloneable',
  'getter',
];

for (const kind of garbage) {
  test(`an answer that is garbage (${kind}) gets 500, and nothing of it goes out`, async () => {
    const answer = await valor.ask(`/misbehave/${kind}`);
    assert.equal(answer.status, 500, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.headers['x-injected'], undefined);
    assert.equal((await valor.ask('/misbehave/fine')).text, 'fine');
  });
}

test('an answer to a request that does not exist is logged, and its request ends with 504', async () => {
  assert.equal((await valor.ask('/misbehave/unknown-id')).status, 504);
  await valor.logged(/misbehave\] posted a response that belongs to no request: it names a request/);
});

test('endless recursion gets 500 and the instance goes on', async () => {
  assert.equal((await valor.ask('/misbehave/recurse')).status, 500);
  assert.equal((await valor.ask('/misbehave/fine')).text, 'fine');
});

test('while one plug-in computes for seconds every other request is answered meanwhile', async () => {
  let done = false;
  const computing = valor.ask('/busy/compute?ms=2000').then((answer) => {
    done = true;
    return answer;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  let answered = 0;
  while (!done && answered < 200) {
    assert.equal((await valor.ask('/bystander')).status, 200);
    answered++;
  }
  assert.equal(answered, 200, 'answered before the computation was done');
  assert.equal((await computing).text, 'computed');
});

test('a kept-alive connection that last talked to a plug-in that now computes is served by the others', async () => {
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    assert.equal((await valor.ask('/busy/fine', { agent })).text, 'fine');
    let done = false;
    const computing = valor.ask('/busy/compute?ms=2000').finally(() => {
      done = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let i = 0; i < 20; i++) assert.equal((await valor.ask('/bystander', { agent })).status, 200);
    assert.equal(done, false, 'answered before the computation was done');
    await computing;
  } finally {
    agent.destroy();
  }
});

test('trouble all at once: everyone gets their own answer', async () => {
  const kinds = ['never', 'twice', 'throw', 'newline', 'loop', 'fine', 'heap', 'unknown-id', 'fine', 'reject'];
  const trouble = Promise.all(kinds.map((kind) => valor.ask(`/misbehave/${kind}`)));
  await bystanderAnswers(50);
  for (const { status } of await trouble) assert.ok([200, 500, 502, 504].includes(status), String(status));
  await eventually(async () => (await valor.ask('/misbehave/fine')).status === 200, 'recovery');
  assert.equal(valor.process.exitCode, null);
});
