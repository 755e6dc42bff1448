// What a guest waits for: each operation ends once, or not at all when it was cancelled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Exchange, Operations } from './operations.ts';

function operations() {
  const delivered: string[] = [];
  const due: (() => void)[] = [];
  const all = new Operations(
    (work) => due.push(work),
    (operation, status, data) => delivered.push(`${operation} ${status}${data ? ` ${data.length}` : ''}`),
  );
  const run = (): string[] => {
    for (const work of due.splice(0)) work();
    return delivered.splice(0);
  };
  return { all, run };
}

const exchange = (): Exchange => ({ waiting: {} });
const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

test('an operation is delivered once, later, with its data', () => {
  const { all, run } = operations();
  const one = exchange();
  all.wait(one, 'body', 7n);
  assert.notEqual(all.refusal(7n), '');
  all.complete(one, 'room', 0);
  all.complete(one, 'body', 0, new Uint8Array(3));
  all.complete(one, 'body', 0);
  assert.notEqual(all.refusal(7n), '', 'in use until it is delivered');
  assert.deepEqual(run(), ['7 0 3']);
  assert.equal(all.refusal(7n), '');
});

test('the end of an exchange completes what waits there', () => {
  const { all, run } = operations();
  const [one, other] = [exchange(), exchange()];
  all.wait(one, 'body', 1n);
  all.wait(one, 'room', 2n);
  all.wait(other, 'body', 3n);
  all.end(one);
  assert.deepEqual(run(), ['1 -2', '2 -2']);
});

test('what is cancelled or forgotten is not delivered, also when it is complete', async () => {
  const { all, run } = operations();
  const one = exchange();
  all.wait(one, 'body', 1n);
  assert.equal(all.cancel(1n)?.waitsFor, 'body');
  assert.equal(all.cancel(1n), undefined);
  all.wait(one, 'body', 1n);
  all.complete(one, 'body', 0);
  assert.equal(all.cancel(1n)?.waitsFor, 'body');
  // The number is used again before the first use of it would have been delivered.
  all.wait(one, 'room', 1n);
  assert.deepEqual(run(), []);
  all.complete(one, 'room', 0);
  all.wait(one, 'head', 2n);
  all.forget(one);
  assert.deepEqual(run(), []);
  assert.equal(all.refusal(1n), '');
  all.sleep(5n, 3n);
  all.sleep(0n, 4n);
  all.cancel(3n);
  all.cancel(4n);
  all.sleep(1000n, 3n);
  await wait(30);
  assert.deepEqual(run(), []);
  all.clear();
});

test('timers end in their order, and none before its time', async () => {
  const { all, run } = operations();
  const start = performance.now();
  all.sleep(30n, 1n);
  all.sleep(0n, 2n);
  all.sleep(2n ** 64n - 1n, 3n);
  await wait(10);
  assert.deepEqual(run(), ['2 0']);
  let ended: string[] = [];
  while (ended.length === 0) {
    await wait(1);
    ended = run();
  }
  assert.deepEqual(ended, ['1 0']);
  assert.ok(performance.now() - start >= 30);
  all.clear();
});
