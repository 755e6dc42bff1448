import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('listeners run in the order they were added, each once', () => {
  const { run } = createPlatform();
  const order = run(`
    const seen = [];
    const target = new EventTarget();
    const twice = () => seen.push('twice');
    target.addEventListener('a', () => seen.push(1));
    target.addEventListener('a', twice);
    target.addEventListener('a', twice);
    target.addEventListener('a', { handleEvent(event) { seen.push(this !== target, event.type); } });
    target.addEventListener('b', () => seen.push('b'));
    target.dispatchEvent(new Event('a'));
    seen.join()`);
  assert.equal(order, '1,twice,true,a');
});

test('once, removal during dispatch, and listeners added during dispatch', () => {
  const { run } = createPlatform();
  const order = run(`
    const seen = [];
    const target = new EventTarget();
    const late = () => seen.push('late');
    const removed = () => seen.push('removed');
    target.addEventListener('a', () => { seen.push('once'); target.removeEventListener('a', removed);
                                         target.addEventListener('a', late); }, { once: true });
    target.addEventListener('a', removed);
    target.dispatchEvent(new Event('a'));
    target.dispatchEvent(new Event('a'));
    seen.join()`);
  assert.equal(order, 'once,late');
});

test('capturing listeners come first at the target, and stopPropagation keeps the event from the others', () => {
  const { run } = createPlatform();
  const order = run(`
    const seen = [];
    const target = new EventTarget();
    target.addEventListener('a', () => seen.push('plain'));
    target.addEventListener('a', (event) => { seen.push('capture'); if (stop) event.stopPropagation(); }, true);
    let stop = false;
    target.dispatchEvent(new Event('a'));
    stop = true;
    target.dispatchEvent(new Event('a'));
    seen.join()`);
  assert.equal(order, 'capture,plain,capture');
});

test('stopImmediatePropagation ends the dispatch', () => {
  const { run } = createPlatform();
  const order = run(`
    const seen = [];
    const target = new EventTarget();
    target.addEventListener('a', (event) => { seen.push(1); event.stopImmediatePropagation(); });
    target.addEventListener('a', () => seen.push(2));
    target.dispatchEvent(new Event('a'));
    seen.join()`);
  assert.equal(order, '1');
});

test('preventDefault works on cancelable events only, and not in passive listeners', () => {
  const { run } = createPlatform();
  const results = run(`
    const target = new EventTarget();
    let passive = false;
    const results = [];
    const go = (cancelable, options) => {
      const listener = (event) => event.preventDefault();
      target.addEventListener('a', listener, options);
      const event = new Event('a', { cancelable });
      results.push(target.dispatchEvent(event), event.defaultPrevented);
      target.removeEventListener('a', listener);
    };
    go(true); go(false); go(true, { passive: true });
    results.join()`);
  assert.equal(results, 'false,true,true,false,true,false');
});

test('an event knows its target while it is dispatched, and cannot be dispatched twice at once', () => {
  const { run } = createPlatform();
  const results = run(`
    const target = new EventTarget();
    const event = new Event('a');
    const results = [event.eventPhase, event.currentTarget];
    target.addEventListener('a', () => {
      results.push(event.eventPhase === Event.AT_TARGET, event.currentTarget === target,
                   event.composedPath()[0] === target);
      try { target.dispatchEvent(event); } catch (error) { results.push(error.name); }
    });
    target.dispatchEvent(event);
    results.push(event.eventPhase, event.currentTarget, event.target === target, event.composedPath().length);
    JSON.stringify(results)`);
  assert.equal(results, '[0,null,true,true,true,"InvalidStateError",0,null,true,0]');
});

test('an exception in a listener is reported and the next listener runs', () => {
  const { run, uncaught } = createPlatform();
  assert.equal(
    run(`
    let second = false;
    const target = new EventTarget();
    target.addEventListener('a', () => { throw new Error('first'); });
    target.addEventListener('a', () => { second = true; });
    target.dispatchEvent(new Event('a')) && second`),
    true,
  );
  assert.equal((uncaught[0] as Error).message, 'first');
});

test('missing arguments and wrong receivers throw a TypeError', () => {
  const { run } = createPlatform();
  for (const code of [
    'new Event()',
    "new EventTarget().addEventListener('a')",
    "EventTarget.prototype.addEventListener.call({}, 'a', null)",
    "new EventTarget().addEventListener('a', 1)",
    'new EventTarget().dispatchEvent({})',
    "new Event('a', 1)",
    'Event.prototype.type',
    'new AbortSignal()',
  ]) {
    assert.throws(() => run(code), { name: 'TypeError' }, code);
  }
  assert.equal(run("new Event(undefined).type + new EventTarget().addEventListener('a', null)"), 'undefinedundefined');
});

test('the global is an event target, also for functions called without receiver', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const seen = [];
    addEventListener('thing', (event) => seen.push(event.target === self, event.detail));
    dispatchEvent(new CustomEvent('thing', { detail: 7 }));
    self instanceof EventTarget && seen.join()`),
    'true,7',
  );
});

test('an event handler attribute keeps its place, can be replaced and removed', () => {
  const { run } = createPlatform();
  const order = run(`
    const seen = [];
    const go = () => dispatchEvent(new MessageEvent('message', { data: 1, cancelable: true }));
    onmessage = () => seen.push('first');
    addEventListener('message', () => seen.push('listener'));
    go();
    onmessage = () => { seen.push('second'); return false; };
    seen.push(go());
    onmessage = 5;
    seen.push(onmessage);
    go();
    onmessage = () => seen.push('third');
    go();
    seen.join()`);
  assert.equal(order, 'first,listener,second,listener,false,,listener,listener,third');
});

test('uncaught errors go to onerror first; true means handled', () => {
  const { run, uncaught } = createPlatform();
  const seen = run(`
    const seen = [];
    onerror = (message, file, line, column, error) => { seen.push(message, file, line, error.message); return true; };
    reportError(new Error('bad'));
    onerror = null;
    reportError(new RangeError('worse'));
    seen.join()`);
  assert.equal(seen, 'Uncaught Error: bad,plugin.js,4,bad');
  assert.equal(uncaught.length, 1);
});

test('an unhandled rejection can be taken by a listener', () => {
  const { run, glue } = createPlatform();
  assert.equal(glue.fireUnhandledRejection(Promise.resolve(), 1), false);
  run(
    "let reason; addEventListener('unhandledrejection', (event) => { reason = event.reason; event.preventDefault(); })",
  );
  assert.equal(glue.fireUnhandledRejection(Promise.resolve(), 'why'), true);
  assert.equal(run('reason'), 'why');
});

test('the observer of a dispatch sees what listeners return and throw', () => {
  const { run, glue, uncaught } = createPlatform();
  const seen: unknown[] = [];
  run("onmessage = ({ data }) => { if (data === 2) throw 'no'; return data; }");
  const observer = { returned: (value: unknown) => seen.push(value), threw: (error: unknown) => seen.push(error) };
  glue.dispatch(run('globalThis'), glue.createMessageEvent(1), observer);
  glue.dispatch(run('globalThis'), glue.createMessageEvent(2), observer);
  assert.deepEqual(seen, [1, 'no']);
  assert.equal(uncaught.length, 0);
});

test('an abort signal fires once, with the reason', () => {
  const { run } = createPlatform();
  const seen = run(`
    const seen = [];
    const controller = new AbortController();
    const { signal } = controller;
    signal.onabort = (event) => seen.push(event.isTrusted, signal.aborted, signal.reason);
    controller.abort('why');
    controller.abort('again');
    try { signal.throwIfAborted(); } catch (error) { seen.push(error); }
    const standard = AbortSignal.abort().reason;
    seen.push(standard.name, standard.code, standard instanceof DOMException);
    seen.join()`);
  assert.equal(seen, 'true,true,why,why,AbortError,20,true');
});

test('a listener with a signal is removed by it', () => {
  const { run } = createPlatform();
  const count = run(`
    let count = 0;
    const controller = new AbortController();
    const target = new EventTarget();
    target.addEventListener('a', () => count++, { signal: controller.signal });
    target.dispatchEvent(new Event('a'));
    controller.abort();
    target.dispatchEvent(new Event('a'));
    target.addEventListener('a', () => count++, { signal: controller.signal });
    target.dispatchEvent(new Event('a'));
    count`);
  assert.equal(count, 1);
});

test('AbortSignal.any follows its sources, also through other dependent signals, before any event fires', () => {
  const { run } = createPlatform();
  const seen = run(`
    const seen = [];
    const one = new AbortController();
    const two = new AbortController();
    const first = AbortSignal.any([one.signal, two.signal]);
    const second = AbortSignal.any([first]);
    one.signal.addEventListener('abort', () => seen.push('source', first.aborted, second.aborted));
    first.addEventListener('abort', () => seen.push('first', first.reason));
    second.addEventListener('abort', () => seen.push('second', second.reason));
    one.abort('x');
    two.abort('y');
    seen.push(AbortSignal.any([two.signal]).reason, AbortSignal.any([]).aborted);
    seen.join()`);
  assert.equal(seen, 'source,true,true,first,x,second,x,y,false');
});

test('AbortSignal.timeout aborts with a TimeoutError', async () => {
  const { run, advance } = createPlatform();
  run('const signal = AbortSignal.timeout(100)');
  await advance(99);
  assert.equal(run('signal.aborted'), false);
  await advance(1);
  assert.equal(run('signal.reason.name'), 'TimeoutError');
  assert.throws(() => run('AbortSignal.timeout(-1)'), { name: 'TypeError' });
});

test('a DOMException is an error with a stack, a code and read-only attributes', () => {
  const { run } = createPlatform();
  const seen = run(`
    const error = new DOMException('gone', 'NotFoundError');
    [error.name, error.message, error.code, DOMException.NOT_FOUND_ERR, error instanceof Error, Error.isError(error),
     String(error), error.stack.split('\\n')[0], Object.getPrototypeOf(DOMException) === Function.prototype,
     Object.keys(error).length, Object.prototype.toString.call(error)].join('|')`);
  assert.equal(
    seen,
    'NotFoundError|gone|8|8|true|true|NotFoundError: gone|NotFoundError: gone|true|0|[object DOMException]',
  );
  assert.throws(() => run('DOMException.prototype.name'), { name: 'TypeError' });
});
