// "limits" of a definition: time, memory, queue. Each trips for its own plug-in only, names itself, and shows in the registry.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Answer, eventually, serve, web } from './harness.ts';

const limits = { timeout_ms: 500, memory_mb: 32, queue: 1024 };
const valor = await serve(
  [
    web('misbehave.js', { name: 'timed', limits }),
    web('misbehave.js', { name: 'looping', limits }),
    web('misbehave.js', { name: 'hoarding', limits: { ...limits, timeout_ms: 20_000 } }),
    web('misbehave.js', { name: 'full', limits: { ...limits, timeout_ms: 10_000, queue: 2 } }),
    web('misbehave.js', { name: 'sibling' }),
    web('counter.js', { name: 'bystander' }),
    web('misbehave.js', { name: 'pair', limits, instances: { min: 2, max: 2 } }),
    web('counter.js', { name: 'lazy', instances: { min: 0, max: 1 } }),
    web('misbehave.js', { name: 'growing', instances: { min: 1, max: 3 } }),
  ],
  ['-w'],
);
after(() => valor.stop());

async function status(name: string) {
  const answer = await valor.ask(`/_plugins/${name}`);
  assert.equal(answer.status, 200);
  return answer.json();
}

function isProblem(answer: Answer, status: number, plugin: string, limit?: string, value?: number): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers['x-valor-plugin'], plugin);
  const problem = answer.json();
  assert.equal(problem.status, status);
  assert.equal(problem.plugin, plugin);
  assert.equal(problem.request_id, answer.headers['x-correlation-id']);
  if (limit === undefined) return;
  assert.equal(problem.limit, limit);
  assert.equal(problem.limit_value, value);
}

test('defaults are 30 s, 128 MiB, 1024 requests, one instance', async () => {
  const { definition } = await status('sibling');
  assert.deepEqual(definition.limits, { timeout_ms: 30_000, memory_mb: 128, queue: 1024 });
  assert.deepEqual(definition.instances, { min: 1, max: 1 });
});

test('a request that is not answered in time gets 504, and the plug-in goes on', async () => {
  isProblem(await valor.ask('/timed/never'), 504, 'timed', 'timeout_ms', 500);
  assert.equal((await valor.ask('/timed/fine')).text, 'fine');
});

for (const kind of ['loop', 'loop-in-promise', 'loop-in-timer', 'microtasks', 'regex']) {
  test(`an instance stuck in a ${kind} is terminated and replaced`, async () => {
    const answer = await valor.ask(`/looping/${kind}`);
    isProblem(answer, 504, 'looping', 'timeout_ms', 500);
    assert.equal(
      (
        await eventually(async () => {
          const next = await valor.ask('/looping/fine');
          return next.status === 200 && next;
        }, 'an answer of the replacement')
      ).text,
      'fine',
    );
  });
}

test('requests behind a stuck instance are answered or refused, never lost', async () => {
  const stuck = valor.ask('/looping/loop');
  const others = await Promise.all(Array.from({ length: 5 }, () => valor.ask('/looping/fine')));
  assert.equal((await stuck).status, 504);
  for (const { status } of others) assert.ok([200, 502, 504].includes(status), String(status));
});

for (const kind of ['heap', 'strings', 'buffers', 'one-buffer', 'one-array']) {
  test(`memory beyond memory_mb (${kind}) gets 502 or an error of its own, and the plug-in comes back`, async () => {
    const answer = await valor.ask(`/hoarding/${kind}`);
    // One buffer that cannot be had is a RangeError in the plug-in, as in browsers: 500.
    if (kind === 'one-buffer' && answer.status === 500) isProblem(answer, 500, 'hoarding');
    else isProblem(answer, 502, 'hoarding', 'memory_mb', 32);
    await eventually(async () => (await valor.ask('/hoarding/fine')).status === 200, 'an answer of the replacement');
  });
}

test('buffers below memory_mb are fine, however many requests ask for them', async () => {
  assert.equal((await valor.ask('/sibling/keep-buffers?mb=60')).text, 'kept');
  assert.equal((await valor.ask('/sibling/fine')).text, 'fine');
});

test('siblings notice nothing while another plug-in hoards and loops', async () => {
  const before = Number((await valor.ask('/bystander')).text);
  const trouble = [valor.ask('/hoarding/heap'), valor.ask('/looping/loop'), valor.ask('/hoarding/buffers')];
  for (let i = 1; i <= 50; i++) {
    const answer = await valor.ask('/bystander');
    assert.equal(answer.status, 200);
    assert.equal(Number(answer.text), before + i);
  }
  await Promise.all(trouble);
});

test('requests beyond queue get 503 with Retry-After', async () => {
  const waiting = [valor.ask('/full/compute?ms=300'), valor.ask('/full/compute?ms=300')];
  await new Promise((done) => setTimeout(done, 100));
  const answer = await valor.ask('/full/fine');
  isProblem(answer, 503, 'full', 'queue', 2);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  for (const { text } of await Promise.all(waiting)) assert.equal(text, 'computed');
  assert.equal((await valor.ask('/full/fine')).text, 'fine');
});

test('while one of two instances loops the other answers', async () => {
  const stuck = valor.ask('/pair/loop');
  let fine = 0;
  for (let i = 0; i < 10; i++) fine += (await valor.ask('/pair/fine')).status === 200 ? 1 : 0;
  assert.ok(fine >= 5, `${fine} of 10 answered`);
  await stuck;
});

test('with min 0 the first instance starts with the first request', async () => {
  assert.equal((await status('lazy')).instances, 0);
  assert.equal((await valor.ask('/lazy')).text, '1');
  assert.equal((await status('lazy')).instances, 1);
});

test('instances grow to max under load and answer side by side', async () => {
  assert.equal((await status('growing')).instances, 1);
  const computing = Array.from({ length: 12 }, () => valor.ask('/growing/compute?ms=100'));
  for (const { text } of await Promise.all(computing)) assert.equal(text, 'computed');
  const { instances } = await status('growing');
  assert.ok(instances > 1 && instances <= 3, `${instances} instances`);
});

test('a limit that tripped shows in the registry with its value', async () => {
  const timed = await status('timed');
  assert.equal(timed.last_limit.limit, 'timeout_ms');
  assert.equal(timed.last_limit.value, 500);
  assert.ok(timed.last_limit.count >= 1);
  assert.match(timed.last_limit.at, /^\d{4}-\d\d-\d\dT/);
  const hoarding = await status('hoarding');
  assert.equal(hoarding.last_limit.limit, 'memory_mb');
  assert.equal(hoarding.last_limit.value, 32);
  assert.ok(hoarding.restarts >= 1);
  assert.equal((await status('full')).last_limit.limit, 'queue');
  assert.equal((await status('bystander')).last_limit, null);
});
