import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('timers run in the order they come due, with their arguments', async () => {
  const { run, advance } = createPlatform();
  run(`const seen = [];
    setTimeout((a, b) => seen.push(a + b), 20, 'c', 'd');
    setTimeout(() => seen.push('a'), 10);
    setTimeout(() => seen.push('b'), 10);
    setTimeout(() => seen.push('0'));`);
  await advance(15);
  assert.equal(run('seen.join()'), '0,a,b');
  await advance(5);
  assert.equal(run('seen.join()'), '0,a,b,cd');
});

test('an interval repeats until it is cleared, also from within', async () => {
  const { run, advance } = createPlatform();
  run('let count = 0; const id = setInterval(() => { if (++count === 3) clearTimeout(id); }, 10)');
  await advance(100);
  assert.equal(run('count'), 3);
});

test('timers that start each other too deeply wait at least 4 milliseconds', async () => {
  const { run, advance, delays } = createPlatform();
  run('(function again() { setTimeout(again, 0); })()');
  await advance(8);
  assert.deepEqual(delays.slice(0, 8), [0, 0, 0, 0, 0, 0, 4, 4]);
});

test('odd delays count as zero, and text is compiled', async () => {
  const { run, delays, advance } = createPlatform();
  run(
    "setTimeout(() => {}, -5); setTimeout(() => {}, 'x'); setTimeout(() => {}, 2 ** 32 + 7); setTimeout(() => {}, Infinity)",
  );
  assert.deepEqual(delays, [0, 0, 7, 0]);
  run("setTimeout('globalThis.compiled = 1 + 1')");
  await advance(0);
  assert.equal(run('compiled'), 2);
  assert.throws(() => run('setTimeout()'), { name: 'TypeError' });
  assert.equal(run('clearTimeout(); clearTimeout(99); setTimeout.length'), 1);
});

test('what a timer or a microtask throws is reported', async () => {
  const { run, advance, uncaught } = createPlatform();
  run("setTimeout(() => { throw 'timer' }); queueMicrotask(() => { throw 'microtask' })");
  await advance(0);
  assert.deepEqual(uncaught, ['microtask', 'timer']);
  assert.throws(() => run('queueMicrotask(1)'), { name: 'TypeError' });
});

test('structuredClone copies what JavaScript has', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const original = { map: new Map([[{ a: 1 }, new Set([2])]]), date: new Date(5), re: /x/gi, big: 3n, hole: [, 1],
                       bytes: new Uint8Array([1, 2, 3]).subarray(1), text: 'e\\u0301\\ud800', error: new RangeError('r') };
    original.self = original;
    const copy = structuredClone(original);
    [copy !== original, copy.self === copy, [...copy.map][0][0].a, [...copy.map][0][1].has(2), copy.date.getTime(),
     String(copy.re), copy.big, 0 in copy.hole, copy.bytes.join(), copy.text === original.text,
     copy.error instanceof RangeError, copy.error.message, structuredClone('x'), structuredClone(null)].join('|')`),
    'true|true|1|true|5|/x/gi|3|false|2,3|true|true|r|x|',
  );
});

test('structuredClone copies no shared buffer where nothing is cross-origin isolated', () => {
  const { run } = createPlatform();
  assert.equal(run('crossOriginIsolated'), false);
  for (const value of [
    'new SharedArrayBuffer(4)',
    '{ deep: [new Uint8Array(new SharedArrayBuffer(4))] }',
    'new SharedArrayBuffer(4, { maxByteLength: 8 })',
    'new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })',
  ]) {
    assert.throws(() => run(`structuredClone(${value})`), { name: 'DataCloneError' }, value);
  }
});

test('a WebAssembly module is cloned', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    const copy = structuredClone({ module }).module;
    [copy !== module, copy instanceof WebAssembly.Module, new WebAssembly.Instance(copy) instanceof WebAssembly.Instance].join()`),
    'true,true,true',
  );
});

test('structuredClone moves buffers of the transfer list', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const copy = structuredClone({ buffer }, { transfer: [buffer] });
    [buffer.detached, buffer.byteLength, new Uint8Array(copy.buffer).join()].join('|')`),
    'true|0|1,2,3',
  );
  assert.equal(run('structuredClone(1, { transfer: [new ArrayBuffer(1)] })'), 1);
});

test('structuredClone refuses functions, symbols, platform objects and bad transfer lists with a DataCloneError', () => {
  const { run } = createPlatform();
  for (const code of [
    'structuredClone(() => {})',
    'structuredClone({ deep: [() => {}] })',
    'structuredClone(Symbol())',
    'structuredClone(new Headers())',
    'structuredClone({ r: new Response("x") })',
    'structuredClone(new (class extends EventTarget {})())',
    'structuredClone(new AbortController().signal)',
    "structuredClone(new URL('http://a/'))",
    'structuredClone(new ReadableStream())',
    'structuredClone(new Proxy({}, {}))',
    'structuredClone(new WeakMap())',
    'structuredClone(1, { transfer: [{}] })',
    'const b = new ArrayBuffer(1); structuredClone(1, { transfer: [b, b] })',
    'const d = new ArrayBuffer(1); d.transfer(); structuredClone(1, { transfer: [d] })',
  ]) {
    const seen = run(`(() => { try { ${code}; return 'cloned'; } catch (error) {
      return [error.name, error.code, error instanceof DOMException].join(); } })()`);
    assert.equal(seen, 'DataCloneError,25,true', code);
  }
  assert.throws(() => run('structuredClone()'), { name: 'TypeError' });
});

test('structuredClone copies a DOMException with its name and message', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const copy = structuredClone({ deep: new DOMException('gone', 'NotFoundError') }).deep;
    [copy instanceof DOMException, copy instanceof Error, copy.name, copy.message, copy.code].join()`),
    'true,true,NotFoundError,gone,8',
  );
});

test('a getter that throws while a value is cloned lets its own error through', () => {
  const { run } = createPlatform();
  assert.throws(() => run("structuredClone({ get a() { throw new RangeError('mine'); } })"), { message: 'mine' });
});

test('btoa and atob follow the forgiving rules', () => {
  const { run } = createPlatform();
  assert.equal(run("btoa('\\xff\\0a')"), '/wBh');
  assert.equal(run("btoa('')"), '');
  assert.equal(run("atob(' Y Q\\n= = ')"), 'a');
  assert.equal(run("atob('YQ') + atob('YWI') + atob('YR==')"), 'aaba');
  assert.equal(run("atob('/w==').charCodeAt(0)"), 255);
  for (const code of ["btoa('\\u0100')", "atob('Y')", "atob('Y=Q=')", "atob('YQ=')", "atob('-_-_')", "atob('YQ===')"]) {
    assert.throws(() => run(code), { name: 'InvalidCharacterError' }, code);
  }
});

test('location, navigator and the other values of a worker', () => {
  const { run } = createPlatform('https://example.org:8443/a/b/');
  assert.equal(
    run(`[location, location.origin, location.host, location.port, location.pathname, location.search, origin,
      isSecureContext, name, self === globalThis, navigator.userAgent, navigator.hardwareConcurrency,
      navigator.language, navigator.onLine, new URL('x?y', location).href].join('|')`),
    'https://example.org:8443/a/b/|https://example.org:8443|example.org:8443|8443|/a/b/||https://example.org:8443|' +
      'true|hello|true|Valor/0.1.0|2|en|true|https://example.org:8443/a/b/x?y',
  );
  assert.equal(createPlatform('http://127.0.0.1:1/').run('isSecureContext'), true);
  assert.equal(createPlatform('http://example.org/').run('isSecureContext'), false);
});

test('performance tells the time since the start', async () => {
  const { run, advance } = createPlatform();
  await advance(12);
  assert.equal(
    run('[performance.now(), performance.timeOrigin, JSON.stringify(performance)].join()'),
    '12,1000000000000,{"timeOrigin":1000000000000}',
  );
});

test('globals have the attributes that the standards ask for', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const flags = (object, name) => {
      const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(object, name);
      return [writable, enumerable, configurable].map(Number).join('');
    };
    [flags(self, 'Event'), flags(self, 'Response'), flags(WorkerGlobalScope.prototype, 'setTimeout'), flags(self, 'console'),
     flags(Headers.prototype, 'get'), flags(Event, 'NONE'), Object.keys(self).includes('URL'),
     Object.keys(self).includes('fetch'), String(new Headers()), Headers.name, Request.length, Response.length,
     Headers.length, Event.length].join('|')`),
    '101|101|111|101|111|010|false|false|[object Headers]|Headers|1|0|0|1',
  );
});

test('a plug-in can replace what is replaceable', () => {
  const { run, loaded } = createPlatform();
  assert.equal(run("name = 'mine'; performance = 1; URL = 'u'; [name, performance, URL].join()"), 'mine,1,u');
  assert.deepEqual(loaded, []);
  assert.equal(run("'use strict'; try { location = 1 } catch (error) { error.name }"), 'TypeError');
});

test('parts are loaded on first use, once, and are ordinary properties before and after', () => {
  const { run, loaded } = createPlatform();
  assert.equal(run("'ReadableStream' in self && Object.keys(self).includes('ReadableStream')"), false);
  assert.deepEqual(loaded, []);
  run('new ReadableStream(); new WritableStream(); new TransformStream()');
  assert.deepEqual(loaded, ['streams']);
  const { value, ...attributes } = run("Object.getOwnPropertyDescriptor(self, 'Blob')");
  assert.deepEqual(attributes, { writable: true, enumerable: false, configurable: true });
  assert.equal(value, run('Blob'));
  assert.deepEqual(loaded, ['streams', 'file-api']);
  run('FormData = 1; MessageChannel = 2');
  assert.equal(run('FormData + MessageChannel'), 3);
  assert.deepEqual(loaded, ['streams', 'file-api']);
});
