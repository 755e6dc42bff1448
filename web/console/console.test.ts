import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

/** What console.log() shows of the value of an expression. */
function shown(code: string): string {
  const { run, logged } = createPlatform();
  run(`console.log(${code})`);
  return logged.map(([, text]) => text).join('\n');
}

test('levels', () => {
  const { run, logged } = createPlatform();
  run("for (const name of ['debug', 'log', 'info', 'warn', 'error']) console[name](name)");
  assert.deepEqual(logged, [
    [0, 'debug'],
    [1, 'log'],
    [1, 'info'],
    [2, 'warn'],
    [3, 'error'],
  ]);
});

test('arguments are joined, and placeholders filled', () => {
  const cases: [string, string][] = [
    ["'a', 1, 'b'", 'a 1 b'],
    ["'%s is %d years and %i, %f', 'Bob', 42.5, '7.9', '1.5x', 'rest'", 'Bob is 42 years and 7, 1.5 rest'],
    ["'%O %O', { a: 1 }, [1]", '{ a: 1 } [ 1 ]'],
    ["'%cred%c plain', 'color: red', ''", 'red plain'],
    ["'100%', 1", '100% 1'],
    ["'%% %s', 'x'", '% x'],
    ["'%s'", '%s'],
    ["'%s %s', 1", '1 %s'],
    ["'%s', Symbol('x')", 'Symbol(x)'],
    ["'%d', 5n", '5n'],
    ["'%s', { a: { b: 1 } }", '{ a: [Object] }'],
    ["'%d', {}", 'NaN'],
    ["5, '%s', 'x'", '5 %s x'],
    ["''", ''],
  ];
  for (const [code, text] of cases) assert.equal(shown(code), text, code);
});

test('primitives and simple objects', () => {
  const cases: [string, string][] = [
    ['-0, 1n, null, undefined, true, Symbol("s")', '-0 1n null undefined true Symbol(s)'],
    ['{}', '{}'],
    ['[]', '[]'],
    [
      '{ a: "x", "b-c": [1, , 3], [Symbol("k")]: null }',
      '{ a: "x", "b-c": [ 1, <1 empty item>, 3 ], [Symbol(k)]: null }',
    ],
    ['["it\'s", "\\"q\\"", "\\n\\x01"]', `[ "it's", '"q"', "\\n\\x01" ]`],
    ['Object.create(null)', '[Object: null prototype] {}'],
    ['new (class Point { x = 1 })()', 'Point { x: 1 }'],
    ['new (class extends Map {})([[1, 2]])', 'Map(1) { 1 => 2 }'],
    ['{ get a() { throw 1 }, set a(v) {}, get b() { throw 1 } }', '{ a: [Getter/Setter], b: [Getter] }'],
    ['Object.assign([1], { extra: 2 })', '[ 1, extra: 2 ]'],
    ['new Array(3)', '[ <3 empty items> ]'],
    ['{ [Symbol.toStringTag]: "Tag" }', 'Object [Tag] { [Symbol(Symbol.toStringTag)]: "Tag" }'],
    ['[new Date(0), new Date(NaN), /a/g]', '[ 1970-01-01T00:00:00.000Z, Invalid Date, /a/g ]'],
    ['[new Number(3), new String("s"), Object(1n)]', '[ [Number: 3], [String: "s"], [BigInt: 1n] ]'],
    ['(function () { return arguments })(1, 2)', '[Arguments] [ 1, 2 ]'],
  ];
  for (const [code, text] of cases) assert.equal(shown(code), text, code);
});

test('functions and classes', () => {
  const cases: [string, string][] = [
    ['function f() {}', '[Function: f]'],
    ['() => {}', '[Function (anonymous)]'],
    ['async () => {}, function* g() {}', '[AsyncFunction (anonymous)] [GeneratorFunction: g]'],
    ['class A {}', '[class A]'],
    ['class B extends Array {}', '[class B extends Array]'],
    ['Object.assign(function f() {}, { a: 1 })', '[Function: f] { a: 1 }'],
  ];
  for (const [code, text] of cases) assert.equal(shown(code), text, code);
});

test('collections, buffers, promises and proxies', () => {
  const cases: [string, string][] = [
    ['new Map([["a", { b: 1 }]])', 'Map(1) { "a" => { b: 1 } }'],
    ['new Set([1, "x"])', 'Set(2) { 1, "x" }'],
    ['new Map([[1, 2]]).entries(), new Set([1]).values()', '[Map Iterator] { [ 1, 2 ] } [Set Iterator] { 1 }'],
    ['new WeakMap(), new WeakSet()', 'WeakMap { <items unknown> } WeakSet { <items unknown> }'],
    ['new Uint8Array([1, 2])', 'Uint8Array(2) [ 1, 2 ]'],
    ['new Uint8Array([1, 255]).buffer', 'ArrayBuffer { [Uint8Contents]: <01 ff>, byteLength: 2 }'],
    ['new Proxy({ a: 1 }, { get() { throw 1 }, ownKeys() { throw 1 }, getPrototypeOf() { throw 1 } })', '{ a: 1 }'],
    ['Object.create(new Proxy({}, { get() { throw 1 }, getOwnPropertyDescriptor() { throw 1 } }))', '{}'],
    ['(() => { const r = Proxy.revocable({}, {}); r.revoke(); return r.proxy })()', '<Revoked Proxy>'],
    ['(function* () {})()', 'Object [Generator] {}'],
    [
      '(() => { const b = new Uint8Array(2); b.buffer.transfer(); return [b, b.buffer] })()',
      '[ Uint8Array(0) [], ArrayBuffer { [Uint8Contents]: <>, byteLength: 0 } ]',
    ],
  ];
  for (const [code, text] of cases) assert.equal(shown(code), text, code);
});

test('promises', () => {
  // The test runner puts marks of its own on promises.
  const without = (code: string): string =>
    shown(code)
      .replace(/,?\s*\[Symbol\(\w+\)\]: \d+/g, '')
      .replace(/\s+/g, ' ');
  assert.equal(without('Promise.resolve(4), new Promise(() => {})'), 'Promise { 4 } Promise { <pending> }');
  assert.equal(
    without('(() => { const p = Promise.reject(1); p.catch(() => {}); return p })()'),
    'Promise { <rejected> 1 }',
  );
});

test('platform objects show what they hold', () => {
  assert.equal(shown("new Headers({ b: '1', a: '2' })"), 'Headers { a: "2", b: "1" }');
  assert.match(
    shown("new Response('x')"),
    /^Response \{\n {2}status: 200,\n.*\n {2}headers: Headers \{ "content-type"/,
  );
  assert.match(shown("new URL('http://h/p')"), /^URL \{\n {2}href: "http:\/\/h\/p",/);
  assert.equal(shown("new URLSearchParams('a=1')"), 'URLSearchParams { a: "1" }');
  assert.equal(shown('new ReadableStream()'), 'ReadableStream { locked: false }');
  assert.equal(shown('new AbortController()'), 'AbortController {}');
});

test('circular references and depth', () => {
  assert.equal(
    shown('(() => { const o = { a: { } }; o.a.o = o; o.self = o; return o })()'),
    '<ref *1> { a: { o: [Circular *1] }, self: [Circular *1] }',
  );
  assert.equal(shown('{ a: { b: { c: { d: { e: { f: 1 } } } } } }').includes('[Object]'), true);
  assert.equal(shown('{ a: { b: { c: { d: [1] } } } }').includes('d: [ 1 ]'), true);
  assert.equal(shown('(() => { const s = { x: 1 }; return [s, s] })()'), '[ { x: 1 }, { x: 1 } ]');
});

test('long things are cut and put on several lines', () => {
  assert.match(shown('new Array(200).fill(7)'), /^\[\n {2}7, 7, .*\n[\s\S]*\.\.\. 100 more items\n\]$/);
  assert.match(
    shown('{ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: { c: 2 } }'),
    /^\{\n {2}a+: 1,\n {2}b+: \{ c: 2 \}\n\}$/,
  );
  assert.equal(shown("['x'.repeat(20000)]").includes('... 10000 more characters'), true);
  const wide =
    '(() => { const make = (n) => n ? Array.from({ length: 60 }, () => make(n - 1)) : {}; return make(4) })()';
  assert.ok(shown(wide).length < 1_000_000);
});

test('errors show their stack, cause and further properties', () => {
  const text = shown("Object.assign(new RangeError('bad', { cause: new Error('root') }), { code: 7 })");
  assert.match(
    text,
    /^RangeError: bad\n {4}at plugin\.js:1:[\s\S]* \{\n {2}\[cause\]: Error: root\n {6}at [\s\S]*,\n {2}code: 7\n\}$/,
  );
  assert.match(shown("[new AggregateError([new Error('a')], 'all')]"), /\[errors\]: \[\n\s+Error: a/);
  assert.match(shown("new DOMException('gone', 'AbortError')"), /^AbortError: gone\n {4}at /);
  assert.match(
    shown("(() => { const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); return e })()"),
    /Error/,
  );
});

test('nothing that is logged makes console.log throw, or fills the log', () => {
  const deep = '(() => { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o })()';
  const { run, logged } = createPlatform();
  run(`console.dir(${deep}, { depth: null })`);
  run("const odd = [1]; Object.defineProperty(odd, 'length', { writable: false }); console.log(odd)");
  run("console.log('x'.repeat(3e6))");
  assert.equal(logged[0]?.[1], '[Object that cannot be shown]');
  assert.ok((logged[2]?.[1].length ?? 0) < 1.1e6);
});

test('groups indent every line', () => {
  const { run, logged } = createPlatform();
  run(
    "console.group('g'); console.log('a\\nb'); console.groupCollapsed(); console.warn('c'); console.groupEnd(); " +
      "console.groupEnd(); console.groupEnd(); console.log('d')",
  );
  assert.deepEqual(logged, [
    [1, 'g'],
    [1, '  a\n  b'],
    [2, '    c'],
    [1, 'd'],
  ]);
});

test('assert, count and time', async () => {
  const { run, logged, advance } = createPlatform();
  run(
    "console.assert(true, 'no'); console.assert(false); console.assert(0, 'x %s', 1); console.assert(false, { a: 1 })",
  );
  run(
    "console.count(); console.count(); console.countReset(); console.count(); console.count('n'); console.countReset('q')",
  );
  run("console.time(); console.time('b')");
  await advance(12.5);
  run("console.timeLog('default', 'x'); console.timeEnd(); console.timeEnd(); console.time('b')");
  await advance(1500);
  run("console.timeEnd('b')");
  assert.deepEqual(
    logged.map(([level, text]) => `${level} ${text}`),
    [
      '3 Assertion failed',
      '3 Assertion failed: x 1',
      '3 Assertion failed: { a: 1 }',
      '1 default: 1',
      '1 default: 2',
      '1 default: 1',
      '1 n: 1',
      "2 Count for 'q' does not exist",
      '1 default: 12.5ms x',
      '1 default: 12.5ms',
      "2 Timer 'default' does not exist",
      "2 Timer 'b' already exists",
      '1 b: 1.512s',
    ],
  );
});

test('trace, dir and table', () => {
  const { run, logged } = createPlatform();
  run("function inner() { console.trace('here %d', 1) } inner()");
  assert.match(logged[0]?.[1] ?? '', /^Trace: here 1\n {4}at inner \(plugin\.js:1:\d+\)\n/);
  run('console.dir({ a: { b: { c: 1 } } }, { depth: 0 })');
  assert.equal(logged[1]?.[1], '{ a: [Object] }');
  run("console.table([{ a: 1, b: 'x' }, { a: 2 }, 5])");
  assert.equal(
    logged[2]?.[1],
    [
      '┌─────────┬───┬─────┬────────┐',
      '│ (index) │ a │ b   │ Values │',
      '├─────────┼───┼─────┼────────┤',
      '│ 0       │ 1 │ "x" │        │',
      '│ 1       │ 2 │     │        │',
      '│ 2       │   │     │ 5      │',
      '└─────────┴───┴─────┴────────┘',
    ].join('\n'),
  );
  run("console.table([{ a: 1, b: 2 }], ['b']); console.table(5)");
  assert.match(logged[3]?.[1] ?? '', /│ \(index\) │ b │\n/);
  assert.equal(logged[4]?.[1], '5');
});
