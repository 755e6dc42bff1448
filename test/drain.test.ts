// Signals: the first finishes what runs, the second stops at once.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { ask, eventually, serve, sleep, web } from './harness.ts';
import { RawConnection } from './raw.ts';

const plugins = [web('later.js'), web('edge.js'), web('misbehave.js', { name: 'busy' })];

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} finishes what runs, accepts nothing new, and ends with exit code 0`, async () => {
    const valor = await serve(plugins);
    const running = [valor.ask('/later?ms=400&text=a'), valor.ask('/edge/ticks'), valor.ask('/busy/compute?ms=300')];
    await sleep(100);
    valor.signal(signal);
    await eventually(
      () =>
        ask(valor.port, '/edge/').then(
          () => false,
          () => true,
        ),
      'the end of accepting',
    );
    const answers = await Promise.all(running);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.deepEqual(await valor.exited(), { code: 0, signal: null });
  });
}

test('while draining a kept-alive connection is told to close', async () => {
  const valor = await serve(plugins);
  const idle = await RawConnection.open(valor.port);
  assert.equal((await idle.get('/edge/').response()).status, 200);
  const running = await RawConnection.open(valor.port);
  running.get('/later?ms=300&text=a');
  await sleep(100);
  valor.signal('SIGTERM');
  await idle.closed();
  const answer = await running.response();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.connection, 'close');
  await running.closed();
  assert.equal((await valor.exited()).code, 0);
});

test('an idle server ends at once on SIGTERM', async () => {
  const valor = await serve(plugins, ['--drain-timeout', '86400']);
  valor.signal('SIGTERM');
  assert.deepEqual(await valor.exited(), { code: 0, signal: null });
});

test('what runs longer than --drain-timeout is cut off, exit code 0', async () => {
  const valor = await serve(plugins, ['--drain-timeout', '0.3']);
  const cut = valor.ask('/later?ms=20000').then(
    ({ status }) => status,
    () => 'cut off',
  );
  await sleep(100);
  valor.signal('SIGTERM');
  assert.deepEqual(await valor.exited(), { code: 0, signal: null });
  assert.ok(['cut off', 502, 503, 504].includes(await cut));
});

test('a plug-in that computes does not hold up the end of the drain', async () => {
  const valor = await serve(
    [web('misbehave.js', { name: 'busy', limits: { timeout_ms: 60_000 } })],
    ['--drain-timeout', '0.3'],
  );
  const request = http.get(`${valor.url}/busy/loop`).on('error', () => {});
  await sleep(200);
  valor.signal('SIGTERM');
  assert.deepEqual(await valor.exited(), { code: 0, signal: null });
  request.destroy();
});

test('a second signal stops at once with exit code 1', async () => {
  const valor = await serve(plugins, ['--drain-timeout', '600']);
  const cut = valor.ask('/later?ms=600000').then(
    ({ status }) => status,
    () => 'cut off',
  );
  await sleep(100);
  valor.signal('SIGTERM');
  await sleep(100);
  assert.equal(valor.process.exitCode, null, 'still draining');
  valor.signal('SIGTERM');
  assert.deepEqual(await valor.exited(), { code: 1, signal: null });
  assert.ok(['cut off', 503].includes(await cut));
});
