// Heads of responses that follow each other at one instance: what one had must never show in another, although equal
// ones are read only once (plugins/js/header-text.ts, response-parts.h).
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';

const valor = await serve([web('as-told.js'), web('as-told-fetch.js')]);
after(() => valor.stop());

type Pair = [string, string];

const a: Pair = ['x-a', '1'];
const b: Pair = ['x-b', '2'];
const heads: { status?: number; headers: Pair[] }[] = [
  { status: 200, headers: [a] },
  { status: 200, headers: [a] },
  { status: 404, headers: [a] },
  { status: 200, headers: [a] },
  { headers: [a] },
  { status: 200, headers: [b] },
  { status: 200, headers: [a, b] },
  { status: 200, headers: [b, a] },
  { status: 200, headers: [] },
  { status: 200, headers: [['x-a', '12']] },
  { status: 200, headers: [['x-a1', '2']] },
  { status: 200, headers: [a, a] },
  { status: 200, headers: [a] },
  { status: 200, headers: [['x-big', 'b'.repeat(2000)]] },
  { status: 200, headers: [['x-big', 'b'.repeat(2000)]] },
  { status: 200, headers: [a] },
];
const query = (head: unknown): string => `?${encodeURIComponent(JSON.stringify(head))}`;

for (const name of ['as-told', 'as-told-fetch']) {
  test(`${name}: each response has its own status and headers`, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const head of [...heads, ...heads.toReversed()]) {
      const answer = await valor.ask(`/${name}${query(head)}`, { agent });
      assert.equal(answer.status, head.status ?? 200);
      const own = answer.pairs.filter(([header]) => header.startsWith('x-') && !/^x-(correlation|valor)/.test(header));
      const expected = name === 'as-told' ? head.headers : [...new Headers(head.headers)];
      const joined = own.reduce<Record<string, string>>((all, [header, value]) => {
        all[header] = header in all ? `${all[header]}, ${value}` : value;
        return all;
      }, {});
      assert.deepEqual(name === 'as-told' ? own : joined, name === 'as-told' ? expected : Object.fromEntries(expected));
      assert.deepEqual(JSON.parse(answer.text), head.headers);
    }
    agent.destroy();
  });
}

test('a bad head does not spoil the next, nor a good one the next bad one', async () => {
  const good = { status: 200, headers: [a] };
  for (const bad of [
    { status: 99, headers: [a] },
    { status: 200, headers: [['x-a\0', '1']] },
    { status: 200, headers: [['x-a', '1\r\nx-evil: 1']] },
    { status: 200, headers: [['x-a\x001\x00x-b', '2']] },
    { status: 200, headers: [['', '1']] },
  ]) {
    for (const head of [good, bad, bad, good]) {
      const answer = await valor.ask(`/as-told${query(head)}`);
      assert.equal(answer.status, head === good ? 200 : 500, JSON.stringify(head));
      assert.equal(answer.headers['x-evil'], undefined);
    }
  }
});
