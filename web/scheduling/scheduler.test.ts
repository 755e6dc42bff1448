import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('tasks run by priority, then in the order in which they were posted, one a turn', async () => {
  const { run, advance, loaded } = createPlatform();
  assert.deepEqual(loaded, []);
  run(`
    globalThis.seen = [];
    for (const priority of ['background', 'user-visible', 'user-blocking', 'background']) {
      scheduler.postTask(() => seen.push(priority) && Promise.resolve().then(() => seen.push('micro')), { priority });
    }
    scheduler.postTask(() => seen.push('plain'));`);
  assert.equal(run('seen.length'), 0);
  await advance(1);
  assert.equal(run('seen.join()'), 'user-blocking,micro,user-visible,micro,plain,background,micro,background,micro');
});

test('what a task gives or throws settles its promise; a delay is waited for', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    scheduler.postTask(() => 7).then((value) => seen.push(value));
    scheduler.postTask(async () => { throw 'wrong'; }).catch((error) => seen.push(error));
    scheduler.postTask(() => seen.push('late'), { delay: 10 });`);
  await advance(5);
  assert.equal(run('seen.join()'), '7,wrong');
  await advance(5);
  assert.equal(run('seen.join()'), '7,wrong,late');
});

test('a controller aborts tasks and changes their priority', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    const first = new TaskController({ priority: 'background' });
    const second = new TaskController();
    first.signal.onprioritychange = (event) => seen.push(event.previousPriority + '>' + event.target.priority);
    scheduler.postTask(() => seen.push('second'), { signal: second.signal });
    scheduler.postTask(() => seen.push('first'), { signal: first.signal });
    const gone = new TaskController();
    scheduler.postTask(() => seen.push('never'), { signal: gone.signal }).catch((error) => seen.push(error.name));
    const follower = TaskSignal.any([gone.signal], { priority: first.signal });
    first.setPriority('user-blocking');
    gone.abort();
    seen.push(follower.priority, follower.aborted);`);
  await advance(1);
  assert.equal(run('seen.join()'), 'background>user-blocking,user-blocking,true,AbortError,first,second');
});

test('a task that aborts its own signal rejects, and so does its yield()', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    const controller = new TaskController();
    const { signal } = controller;
    scheduler.postTask(() => {
      controller.abort();
      scheduler.yield().catch((error) => seen.push('yield', error.name));
    }, { signal }).catch((error) => seen.push('task', error.name));`);
  await advance(1);
  assert.equal(run('seen.join()'), 'task,AbortError,yield,AbortError');
});

test('yield() continues with the priority of its task, before other tasks of that priority', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    scheduler.postTask(async () => {
      seen.push('begun');
      await scheduler.yield();
      seen.push('went on');
    }, { priority: 'background' });
    scheduler.postTask(() => seen.push('background'), { priority: 'background' });
    scheduler.postTask(() => seen.push('visible'));`);
  await advance(1);
  assert.equal(run('seen.join()'), 'visible,begun,went on,background');
});

test('many tasks take their turns in order', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    for (let i = 0; i < 500; i++) scheduler.postTask(() => seen.push(i));`);
  await advance(1);
  assert.equal(run('seen.length === 500 && seen.every((value, at) => value === at)'), true);
});

test('interfaces cannot be misused', () => {
  const { run } = createPlatform();
  for (const [code, message] of [
    ['new Scheduler()', /Illegal constructor/],
    ['new TaskSignal()', /Illegal constructor/],
    ["new TaskController({ priority: 'urgent' })", /urgent/],
    ['scheduler.postTask.call({}, () => {}).catch((error) => { globalThis.caught = error })', undefined],
    ['AbortController.prototype.abort.call({})', /./],
  ] as const) {
    if (message) assert.throws(() => run(code), message, code);
    else run(code);
  }
  assert.equal(run('new AbortController(1, { aborted: true }).signal.aborted'), false);
});
