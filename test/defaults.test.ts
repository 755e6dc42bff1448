// The defaults that a user meets without having set anything, each tripped. They are long, so all wait at once.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Answer, ask, serve, web } from './harness.ts';
import { raw } from './raw.ts';

const patientMs = 90_000;

const valor = await serve([
  web('misbehave.js', { name: 'silent' }),
  web('misbehave.js', { name: 'hoarding' }),
  web('later.js', { name: 'crowded' }),
]);
after(() => valor.stop());

function isLimit(answer: Answer, status: number, limit: string, value: number): void {
  assert.equal(answer.status, status);
  assert.equal(answer.json().limit, limit);
  assert.equal(answer.json().limit_value, value);
}

describe('by default', { concurrency: true }, () => {
  test('a request has 30 s', async () => {
    isLimit(await ask(valor.port, '/silent/never', { patientMs }), 504, 'timeout_ms', 30_000);
  });

  test('an instance has 128 MiB', async () => {
    assert.equal((await valor.ask('/hoarding/keep-buffers?mb=90')).text, 'kept');
    isLimit(await ask(valor.port, '/hoarding/buffers', { patientMs }), 502, 'memory_mb', 128);
  });

  test('1024 requests may wait at an instance', async () => {
    const answers = await Promise.all(
      Array.from({ length: 1100 }, () => ask(valor.port, '/crowded?ms=4000', { patientMs })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    assert.equal(answers.length - refused.length, 1024);
    for (const answer of refused) isLimit(answer, 503, 'queue', 1024);
  });

  test('headers have 15 s', () =>
    raw(valor.port, async (connection) => {
      connection.send('GET /silent/fine HTTP/1.1\r\n');
      assert.equal((await connection.response()).status, 408);
    }));

  test('a body may stop for 30 s', async () => {
    const own = await serve([web('echo.js', { limits: { timeout_ms: 600_000 } })]);
    await raw(own.port, async (connection) => {
      connection.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
      assert.equal((await connection.response(false, patientMs)).status, 408);
    });
    await own.stop();
  });

  test('a drain lasts 30 s', async () => {
    const own = await serve([web('later.js', { limits: { timeout_ms: 600_000 } })]);
    const cut = ask(own.port, '/later?ms=600000', { patientMs }).catch(() => 'cut off');
    await new Promise((done) => setTimeout(done, 200));
    const started = performance.now();
    own.signal('SIGTERM');
    assert.deepEqual(await own.exited('the end of the drain', patientMs), { code: 0, signal: null });
    assert.ok(performance.now() - started > 29_000, 'it waited');
    await cut;
  });
});
