// What is logged, in which form, and what can be switched off.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, build, command, eventually, serve, temporaryFolder, type Valor, web } from './harness.ts';

const plugins = [web('echo.js'), web('edge.js'), web('misbehave.js')];

async function using(args: string[], use: (valor: Valor) => Promise<void>): Promise<void> {
  const valor = await serve(plugins, args);
  try {
    await use(valor);
  } finally {
    await valor.stop();
  }
}

/** Log lines that are JSON objects. */
// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
const records = (valor: Valor): any[] =>
  valor.log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('one access line a request: method, path, status, plug-in, request id, milliseconds', () =>
  using([], async (valor) => {
    await valor.ask('/echo/some/path?x=1', { headers: { 'x-request-id': 'id-7' } });
    await valor.ask('/nowhere', { headers: { 'x-request-id': 'id-8' } });
    const [line] = await valor.logged(/^.*\/echo\/some\/path.*$/m);
    assert.match(line!, /GET \/echo\/some\/path\?x=1 .*\b200\b.*\becho\b.*\bid-7\b.*\d+(\.\d+)? ?ms/);
    await valor.logged(/GET \/nowhere .*\b404\b.*\bid-8\b/);
    assert.equal(valor.log.match(/\/echo\/some\/path/g)!.length, 1);
    assert.ok(!valor.log.includes('\x1b'), 'no colours unless on a terminal');
  }));

test('on a terminal the log has colours, unless NO_COLOR is set', async () => {
  const file = join(temporaryFolder(), 'plugins.json');
  writeFileSync(file, JSON.stringify({ plugins }));
  for (const [environment, coloured] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ] as const) {
    const { NO_COLOR: _, ...inherited } = process.env;
    // script(1) gives its child a terminal, which goes away with it.
    const terminal = spawn('script', ['-qec', `${command} -p ${file} --port 0`, '/dev/null'], {
      env: { ...inherited, VALOR_BUILD: build, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    terminal.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    try {
      const port = await eventually(() => /listening on \S+:(\d+)/.exec(output)?.[1], 'the listening line');
      await ask(Number(port), '/echo/coloured');
      await eventually(() => /GET \/echo\/coloured [^\n]*\n/.test(output), 'the access line');
      assert.equal(output.includes('\x1b['), coloured, output);
    } finally {
      terminal.kill('SIGKILL');
    }
  }
});

test('--log json writes one object a line, access and messages alike', () =>
  using(['--log', 'json'], async (valor) => {
    await valor.ask('/echo/a"b?x=1', { headers: { 'x-request-id': 'id-"9"' } });
    await valor.ask('/misbehave/throw');
    await valor.logged(/id-\\"9\\"/);
    await valor.logged(/thrown on purpose/);
    const lines = records(valor);
    const access = lines.find((record) => record.request_id === 'id-"9"');
    assert.equal(access.method, 'GET');
    assert.equal(access.target ?? access.path, '/echo/a"b?x=1');
    assert.equal(access.status, 200);
    assert.equal(access.plugin, 'echo');
    assert.equal(typeof access.ms, 'number');
    const error = lines.find((record) => /thrown on purpose/.test(record.message ?? ''));
    assert.equal(error.level, 'error');
    assert.equal(error.source ?? error.plugin, 'misbehave');
  }));

test('--no-access-log silences requests and nothing else', () =>
  using(['--no-access-log'], async (valor) => {
    await valor.ask('/echo/quiet');
    await valor.ask('/misbehave/throw');
    await valor.logged(/thrown on purpose/);
    assert.doesNotMatch(valor.log, /echo\/quiet/);
  }));

test('--log-level keeps what is at least that grave', async () => {
  await using(['--log-level', 'error'], async (valor) => {
    await valor.ask('/edge/background');
    await valor.ask('/misbehave/throw');
    await valor.logged(/thrown on purpose/);
    assert.doesNotMatch(valor.log, /background work/);
  });
  await using(['--log-level', 'off', '--no-access-log'], async (valor) => {
    await valor.ask('/misbehave/throw');
    await valor.ask('/edge/');
    assert.equal(valor.log, '');
  });
});

test('what a client or a plug-in sends cannot forge a log line', () =>
  using([], async (valor) => {
    await valor.ask('/echo/%0aGET%20/forged', { headers: { 'x-request-id': 'fine' } });
    await valor.logged(/fine/);
    assert.doesNotMatch(valor.log, /^GET \/forged/m);
  }));

test('a log that nobody reads delays no request', async () => {
  const valor = await serve(plugins);
  valor.process.stderr!.pause();
  for (let i = 0; i < 2000; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, j) => valor.ask(`/echo/${'x'.repeat(500)}/${i + j}`)));
  }
  await valor.stop();
});
