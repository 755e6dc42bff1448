// What core/*-test.cpp expects of core/, of the module that browsers load and its wrapper. Over a representative table: the
// tests in C++ run on WASM as a whole (core/wasm).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Core, type Definition, loadCore } from './core.ts';

const module = new WebAssembly.Module(readFileSync(new URL('../../build/web/valor-core.wasm', import.meta.url)));
const core: Core = loadCore(module);

const parsed = (json: string): Definition => core.parseDefinition(json, 'body');
const web = (members: string): string => `{"type":"web","name":"a","url":"a.js",${members}}`;

function mistakes(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

test('the module asks for nothing', () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test('a definition has every field in force', () => {
  assert.deepEqual(parsed('{"type":"web","name":"a.b-c_1","url":"x/y.js"}'), {
    type: 'web',
    name: 'a.b-c_1',
    prefix: 'a.b-c_1',
    url: 'x/y.js',
    fetch: 'server',
    place: 'both',
    fallback: 'none',
    prefer: 'plugin-first',
    config: null,
    limits: { timeout_ms: 30000, memory_mb: 128, queue: 1024 },
    instances: { min: 1, max: 1 },
  });
  const hash = `sha256-${'A'.repeat(43)}=`;
  assert.deepEqual(
    parsed(
      `{"type":"native","name":"n","path":"./n.so","web":"https://h/n.wasm","prefix":"/","config":{"a":[1.50,"\\u00e9"]},
        "permissions":{"net":["self"]},"place":"browser","fallback":"network","integrity":{"n.wasm":"${hash}"}}`,
    ),
    {
      type: 'native',
      name: 'n',
      prefix: '',
      path: './n.so',
      web: 'https://h/n.wasm',
      place: 'browser',
      fallback: 'network',
      prefer: 'plugin-first',
      config: { a: [1.5, 'é'] },
      limits: { timeout_ms: 30000, queue: 1024 },
      instances: { min: 1, max: 1 },
      permissions: { net: ['self'] },
      integrity: { 'n.wasm': hash },
    },
  );
  assert.equal(parsed('{"type":"static","name":"health"}').place, 'server');
  assert.equal(parsed(web(`"integrity":"${hash}"`)).integrity, hash);
});

test('a plug-in file gives its definitions in order', () => {
  const file = core.parseFile(
    '{"plugins":[{"type":"web","name":"b","url":"/b.js"},{"type":"static","name":"a"}]}',
    'p',
  );
  assert.deepEqual(
    file.map(({ name }) => name),
    ['b', 'a'],
  );
  assert.deepEqual(core.parseFile('{"plugins":[]}', 'p'), []);
});

const wrong: [json: string, message: string][] = [
  [
    '{}',
    'body:1: type: is missing; expected "static", "native" or "web"\nbody:1: name: is missing; expected a name that no other plug-in has',
  ],
  ['{"type":"web","name":"a"}', 'body:1: url: is missing; expected the URL of a script or WASM module'],
  [web('"prefx":1'), 'body:1: unknown key "prefx"; did you mean "prefix"?'],
  [
    web('"limits":{\n"timeout_ms":0}'),
    'body:2: limits.timeout_ms: expected a whole number from 1 to 86400000, found 0',
  ],
  [web('"limits":{"queue":1e3}'), 'body:1: limits.queue: expected a whole number from 1 to 1000000, found 1e3'],
  [web('"prefer":"plugin-fist"'), 'body:1: prefer: unknown preference "plugin-fist"; did you mean "plugin-first"?'],
  [web('"config":{"a":1,"a":2}'), 'body:1: config: the key "a" appears twice in this object'],
  [
    '{\n  "type": web\n}',
    `body:2: not valid JSON (column 11): syntax error while parsing value - invalid literal; last read: '"type": w'`,
  ],
  ['[]', 'body:1: expected an object, found an array'],
  ['[['.repeat(500_000), 'body:1: nested deeper than 64 levels'],
  [' '.repeat(5 << 20), 'body:1: larger than 4 MiB'],
];

test('every mistake is reported, with file, line, field and what was expected', () => {
  for (const [json, message] of wrong)
    assert.equal(
      mistakes(() => parsed(json)),
      message,
    );
  assert.equal(
    mistakes(() =>
      core.parseFile('{"plugins":[\n{"type":"static","name":"a"},\n{"type":"static","name":"a"}]}', 'p.json'),
    ),
    'p.json:3: plugins[1].name: "a" is the name of plugins[0] (line 2) already\n' +
      'p.json:3: plugins[1].prefix: "/a" is the mount of plugins[0] (line 2) already',
  );
  assert.match(
    mistakes(() => parsed('{"type":"web","name":"a","url":"data:text/javascript,1"}')),
    /"data:text\/javascript,1" cannot be loaded by a browser/,
  );
});

const routes: [target: string, mount: string | null, url?: string][] = [
  ['/hello', 'hello', ''],
  ['/hello/', 'hello', ''],
  ['/hello/a/b?c=d', 'hello', 'a/b?c=d'],
  ['/hello?x', 'hello', '?x'],
  ['/hellox', null],
  ['/hello/deep/x', 'hello/deep', 'x'],
  ['/a/../hello/x', 'hello', 'x'],
  ['/hello/%2e%2e/x', null],
  ['/h%65llo/%65', 'hello', '%65'],
  ['/hello//evil.example', 'hello', './/evil.example'],
  ['/hello/http://x', 'hello', './http://x'],
  ['/caf%C3%A9/x', 'café', 'x'],
  ['/', null],
  ['hello', null],
];

test('the longest mount that holds the path answers', () => {
  const prefixes = ['hello', 'hello/deep', 'café'];
  const router = core.createRouter(prefixes);
  for (const [target, mount, url] of routes) {
    const found = router.find(target);
    assert.deepEqual(found && [prefixes[found.index], found.url], mount === null ? null : [mount, url], target);
  }
  assert.deepEqual(core.createRouter(['']).find('/x'), { index: 0, url: 'x' });
  assert.throws(() => core.createRouter(['a', '/a/']), { message: 'the mount "a" is taken' });
});

test('an acceptable id of the client is taken over, once', () => {
  assert.equal(core.requestId([['x-request-id', 'abc']]), 'abc');
  const fresh = /^[0-9a-f]{32}$/;
  for (const values of [[], [''], ['a b'], ['é'], ['x'.repeat(201)], ['a', 'b']]) {
    assert.match(core.requestId(values.map((value) => ['x-request-id', value])), fresh);
  }
  const ids = new Set(Array.from({ length: 1000 }, () => core.requestId([])));
  assert.equal(ids.size, 1000);
  assert.ok(!ids.has(loadCore(module).requestId([])));
});

test('a problem is that of RFC 9457', () => {
  assert.equal(
    core.problemJson({ status: 404, detail: 'Nothing answers here.' }, ''),
    '{"type":"about:blank","title":"Not Found","status":404,"detail":"Nothing answers here."}',
  );
  assert.deepEqual(
    JSON.parse(
      core.problemJson(
        {
          status: 504,
          detail: 'It "took" too long.',
          plugin: 'a',
          limit: 'timeout_ms',
          limit_value: 86_400_000,
          stack: 'at f\nat é',
        },
        'id',
      ),
    ),
    {
      type: 'about:blank',
      title: 'Gateway Timeout',
      status: 504,
      detail: 'It "took" too long.',
      plugin: 'a',
      request_id: 'id',
      limit: 'timeout_ms',
      limit_value: 86_400_000,
      stack: 'at f\nat é',
    },
  );
  assert.equal(core.statusText(429), 'Too Many Requests');
  assert.equal(core.statusText(299), '');
});

test('a response that cannot be sent is refused', () => {
  assert.equal(core.checkResponse(200, []), null);
  assert.equal(
    core.checkResponse(599, [
      ['X-A', 'caf\xe9'],
      ['x-a', ''],
    ]),
    null,
  );
  for (const status of [0, 101, 199, 600, 200.5, NaN, 2 ** 32 + 200]) {
    assert.equal(core.checkResponse(status, []), `its status ${status} is not a whole number from 200 to 599`);
  }
  assert.equal(core.checkResponse(200, [['a b', '']]), "'a b' cannot be the name of a header");
  for (const value of ['a\r\nb', 'a\0b', ' a']) {
    assert.equal(
      core.checkResponse(200, [['x-a', value]]),
      "the value of its header 'x-a' holds characters that HTTP cannot carry",
    );
  }
  assert.equal(core.checkResponse(200, [['x-a', '€']]), 'a header holds characters that HTTP cannot carry');
});

test('an answer goes to the request that it names, or in whose handler it is posted', () => {
  const correlator = core.createCorrelator();
  assert.equal(correlator.begin(1, 'same'), 'same');
  const second = correlator.begin(2, 'same');
  assert.match(second, /^[0-9a-f]{32}$/);
  assert.deepEqual(correlator.match(second), { token: 2 });
  correlator.end(2, 'answered');
  correlator.enterHandler(1);
  assert.deepEqual(correlator.match(null), { token: 1 });
  correlator.end(1, 'answered');
  assert.deepEqual(correlator.match(null), {
    token: 0,
    why: 'it was posted in the handler call of a request that has its answer already',
  });
  correlator.leaveHandler();
  assert.equal(correlator.oneAtATime, false);
  assert.deepEqual(correlator.match('other'), { token: 0, why: 'it names a request that is not open' });
  correlator.free();
});

test('a plug-in that answers late and without names gets one request at a time', () => {
  const correlator = core.createCorrelator();
  correlator.begin(2 ** 40, 'a');
  assert.equal(correlator.next(), 'give');
  assert.deepEqual(correlator.match(null), { token: 2 ** 40 });
  assert.equal(correlator.oneAtATime, true);
  assert.equal(correlator.next(), 'hold');
  correlator.end(2 ** 40, 'gone');
  assert.equal(correlator.next(), 'hold');
  correlator.expire(2 ** 40);
  assert.equal(correlator.next(), 'replace');
  assert.match((correlator.match(null) as { why: string }).why, /its request has ended/);
  assert.equal(correlator.next(), 'give');
  correlator.begin(3, 'b');
  correlator.end(3, 'timeout');
  assert.equal(correlator.next(), 'replace');
  correlator.free();
});
