import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('marks and measures are kept in the order of their times', async () => {
  const { run, advance } = createPlatform();
  assert.equal(run('performance.getEntries().length'), 0);
  run("performance.mark('a', { detail: { n: 1 } })");
  await advance(10);
  run("performance.mark('early', { startTime: 3 }); performance.measure('m', 'a')");
  assert.equal(
    run(
      "performance.getEntries().map((entry) => [entry.name, entry.entryType, entry.startTime, entry.duration].join(':')).join()",
    ),
    'a:mark:0:0,m:measure:0:10,early:mark:3:0',
  );
  assert.equal(run("performance.getEntriesByName('a', 'mark')[0].detail.n"), 1);
  assert.equal(JSON.parse(run("JSON.stringify(performance.getEntriesByName('m')[0])")).duration, 10);
  run("performance.clearMarks('a')");
  assert.equal(run('performance.getEntriesByType("mark").length'), 1);
  assert.throws(() => run("performance.measure('x', 'gone')"), { name: 'SyntaxError' });
  assert.throws(() => run("performance.mark('x', { startTime: -1 })"), { name: 'TypeError' });
});

test('observers hear of entries, of earlier ones too when they ask', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    performance.mark('before');
    new PerformanceObserver((list) => seen.push(list.getEntries().map(({ name }) => name).join('+')))
      .observe({ type: 'mark', buffered: true });
    performance.mark('after');`);
  await advance(5);
  assert.equal(run('seen.join()'), 'before+after');
  assert.throws(() => run('new PerformanceObserver(() => {}).observe({})'), { name: 'TypeError' });
});
