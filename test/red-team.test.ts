// What plug-in code may try to get at the host, at other plug-ins or at the inside of the platform. Each attempt runs in a plug-in
// (test/plugins/red-team/attacks.js) beside a victim, and finds nothing or is refused.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';
import { serveHttp } from './upstreams.ts';

// What else this machine serves. The server itself is reached in memory, which leads nowhere but to its plug-ins.
const other = await serveHttp();

const valor = await serve(
  [
    web('red-team/main.js', { name: 'attacker', instances: { min: 1, max: 1 } }),
    web('red-team/victim.js', { name: 'victim', instances: { min: 1, max: 1 } }),
    web('echo.js', { name: 'bystander' }),
  ],
  ['-w'],
  { VALOR_RED_TEAM: 'a-secret-of-the-environment' },
);
after(async () => {
  await valor.stop();
  other.close();
});

const attacks: string[] = (await valor.ask('/attacker')).json();
const victim = (await valor.ask('/victim/url')).text;
assert.ok(victim.startsWith('blob:'));

test('there are at least forty attempts', () => assert.ok(attacks.length >= 40, `${attacks.length}`));

for (const attack of attacks) {
  test(`red team: ${attack}`, async () => {
    const query = new URLSearchParams({ attack, port: new URL(other.url).port, victim });
    const answer = await valor.ask(`/attacker?${query}`);
    assert.equal(answer.status, 200, answer.text);
    const { got } = answer.json();
    assert.equal(got, undefined);
  });
}

test('the victim notices nothing', async () => {
  const answer = await valor.ask('/victim');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), []);
});

test('nothing was forged in the log, and nothing in it is secret', async () => {
  await valor.logged(/forged/);
  const lines = valor.log.split('\n').filter((line) => line.includes('/forged'));
  assert.ok(lines.length > 0);
  // The lines of a message that has several are set in.
  for (const line of lines) assert.match(line, /^ {4}/);
  assert.ok(!valor.log.includes('\x1b'));
  assert.ok(!valor.log.split('\n').some((line) => line.startsWith('2026-01-01T00:00:00.000Z')));
  assert.ok(!valor.log.includes('a-secret-of-the-environment'));
});
