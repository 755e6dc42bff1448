// `valor test`: one file of cases, on a server and in real browsers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, command, runValor, temporaryFolder } from './harness.ts';

const folder = temporaryFolder();
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const greeter = file(
  'greeter.js',
  `export default { async fetch(request, env, ctx) {
    const who = new URL(request.url).searchParams.get('who') ?? (await request.text());
    return new Response('hello ' + who, { status: who ? 200 : 400, headers: { 'x-config': JSON.stringify(self.valor.config) } });
  } };`,
);
const ok = [
  { name: 'query', request: { path: '?who=Bob' }, expect: { body: 'hello Bob', headers: { 'x-a': null } } },
  { name: 'body', request: { path: 'a/b', method: 'PUT', body: 'grüße' }, expect: { contains: ['hello', 'grüße'] } },
  { name: 'nobody', expect: { status: 400 } },
];
/** Two browsers on a loaded machine take their time. */
const patientMs = 150_000;

function valorTest(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { timeout: patientMs, env: { ...process.env, VALOR_BUILD: build } };
  return new Promise((done) => {
    execFile(command, ['test', ...args], options, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

test('answers that are as expected on the server and in both browsers', { timeout: patientMs }, async () => {
  const cases = file('ok.json', { cases: ok });
  const { code, stdout, stderr } = await valorTest(greeter, '-c', cases, '--browser', 'both', '--config', '{"a":1}');
  assert.equal(
    stdout,
    `case    server  chromium  firefox
query   ok      ok        ok
body    ok      ok        ok
nobody  ok      ok        ok

9 of 9 answers are as expected
`,
    stderr,
  );
  assert.equal(code, 0);
});

test('differences stand below their case, and the exit code is 1', async () => {
  const cases = file('wrong.json', { cases: [ok[0], { ...ok[0], name: 'wrong', expect: { body: 'x', status: 201 } }] });
  const { code, stdout } = await valorTest(greeter, '-c', cases);
  assert.equal(
    stdout,
    `case   server  chromium
query  ok      ok
wrong  FAIL    FAIL
    server: status is 200, not 201; its body: "hello Bob"
    server: body is "hello Bob", not "x"
    chromium: status is 200, not 201; its body: "hello Bob"
    chromium: body is "hello Bob", not "x"

2 of 4 answers are not as expected
`,
  );
  assert.equal(code, 1);
});

test('a plug-in of a plug-in file, which asks another one of it; WASM', async () => {
  const plugins = file('plugins.json', {
    plugins: [
      { type: 'web', name: 'echo', prefix: ' /e/cho/ ', url: join(build, 'parity/cpp/echo.wasm') },
      { type: 'web', name: 'greeter', url: 'greeter.js' },
    ],
  });
  const path = '?fetch=/greeter?who=Bob';
  const cases = file('echo.json', {
    cases: [
      { name: 'asks', request: { path }, expect: { body: 'hello Bob' } },
      { request: { base64: 'AP8=' }, expect: { headers: { 'X-Method': 'POST' }, body: '\0\ufffd' } },
    ],
  });
  const { code, stdout, stderr } = await valorTest('echo', '-p', plugins, '-c', cases);
  assert.match(stdout, /^asks +ok +ok\nPOST the mount +ok +ok$/m, stderr);
  assert.equal(code, 0);
});

test('only the server: because it was said, or because the plug-in is native', async () => {
  const cases = file('hello.json', { cases: [{ expect: { contains: 'OK' } }] });
  const native = await valorTest(join(build, 'parity/cpp/hello.so'), '-c', cases);
  assert.equal(
    native.stdout,
    `case           server
GET the mount  ok

1 of 1 answers are as expected
hello does not run in browsers: it is of the server only
`,
  );
  const said = await valorTest(join(build, 'parity/cpp/hello.wasm'), '-c', cases, '--server-only');
  assert.match(said.stdout, /^GET the mount {2}ok$/m);
});

test('a plug-in that does not load fails its cases, and the log says why', async () => {
  const cases = file('broken-cases.json', { cases: [{ name: 'x', expect: {} }] });
  const { code, stdout, stderr } = await valorTest(file('broken.js', 'nonsense('), '-c', cases);
  assert.match(stdout, /server: status is 502, not 200; its body: .*\n {4}chromium: status is 502, not 200/);
  assert.match(stderr, /broken/);
  assert.equal(code, 1);
});

test('mistakes are told in words', async () => {
  const cases = file('some.json', { cases: ok });
  const missing: [string[], RegExp][] = [
    [[], /which plug-in\? valor test PLUGIN --cases FILE/],
    [['a.js'], /which cases\? valor test a\.js --cases FILE/],
    [['a.js', '-c', cases], /there is no file a\.js; the name of a plug-in goes with its plug-in file: -p FILE/],
    [[greeter, '-c', 'none.json'], /cannot read none\.json: ENOENT/],
    [[greeter, '-c', cases, '--browser', 'chrome'], /--browser is one of chromium, firefox, both, not 'chrome'/],
    [[greeter, '-c', cases, '--server-only', '-b', 'both'], /exclude each other/],
    [[greeter, '-c', file('bad.json', '{"cases":\n[{}]}')], /bad\.json:2: cases\[0\] has no "expect"/],
    [[greeter, '-c', cases, '--config', '{'], /--config:1: no JSON: it ends before/],
    [['gretter', '-c', cases, '-p', file('p.json', { plugins: [{ name: 'greeter' }] })], /did you mean greeter\?/],
  ];
  for (const [args, words] of missing) {
    const { code, stderr } = await valorTest(...args);
    assert.match(stderr, words);
    assert.equal(code, 2, stderr);
  }
});

test('a browser that is not there: the command that installs it', async () => {
  const cases = file('two.json', { cases: ok });
  // A PATH with nothing but what bin/valor needs.
  const programs = temporaryFolder();
  symlinkSync('/usr/bin/readlink', join(programs, 'readlink'));
  const env = { PATH: programs };
  const { code, stderr } = await runValor(['test', greeter, '-c', cases, '-b', 'firefox'], env);
  assert.match(stderr, /firefox is not installed .*: sudo apt-get install -y --no-install-recommends firefox-esr/);
  assert.equal(code, 1);
});
