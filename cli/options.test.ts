import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from './arguments.ts';
import { helpText } from './help.ts';
import { isLoopback, parseCommand, type ServeOptions, specs } from './options.ts';

const folder = mkdtempSync(join(tmpdir(), 'valor-cli-'));
after(() => rmSync(folder, { recursive: true }));

function serve(args: string[], environment: Record<string, string> = {}): ServeOptions {
  const command = parseCommand(args, environment);
  assert.equal(command.run, 'serve');
  return (command as { options: ServeOptions }).options;
}

function refuses(args: string[], words: RegExp, environment: Record<string, string> = {}): void {
  assert.throws(
    () => parseCommand(args, environment),
    (error) => error instanceof UsageError && words.test(error.message),
  );
}

test('every default is in force when only a plug-in file is named', () => {
  assert.deepEqual(serve(['-p', 'a.json']), {
    pluginFiles: ['a.json'],
    host: '127.0.0.1',
    port: 8080,
    registry: false,
    adminToken: '',
    browser: 'local',
    log: 'text',
    logLevel: 'info',
    accessLog: true,
    drainTimeoutMs: 30_000,
    ioThreads: 0,
    limits: {
      requestLineBytes: 16_384,
      headerBytes: 65_536,
      headerCount: 128,
      bodyBytes: 17_179_869_184,
      headerTimeoutMs: 15_000,
      bodyTimeoutMs: 30_000,
      idleTimeoutMs: 75_000,
      maxConnections: 10_000,
    },
  });
});

test('every option reaches its place', () => {
  const options = serve(
    'serve -p a.json --plugins=b.json -w --browser --host ::1 --port 0 --log json --log-level debug --no-access-log --drain-timeout 0.5 --io-threads 3 --max-request-line 100 --max-headers 200 --max-header-count 5 --max-body 0 --header-timeout 1 --body-timeout 2 --idle-timeout 3.25 --max-connections 9'.split(
      ' ',
    ),
    { VALOR_ADMIN_TOKEN: 'abc' },
  );
  assert.deepEqual(options, {
    pluginFiles: ['a.json', 'b.json'],
    host: '::1',
    port: 0,
    registry: true,
    adminToken: 'abc',
    browser: 'open',
    log: 'json',
    logLevel: 'debug',
    accessLog: false,
    drainTimeoutMs: 500,
    ioThreads: 3,
    limits: {
      requestLineBytes: 100,
      headerBytes: 200,
      headerCount: 5,
      bodyBytes: 0,
      headerTimeoutMs: 1000,
      bodyTimeoutMs: 2000,
      idleTimeoutMs: 3250,
      maxConnections: 9,
    },
  });
});

test('--help and --version win over everything else that is well-formed', () => {
  assert.deepEqual(parseCommand(['-p', 'x', '--help'], {}), { run: 'help' });
  assert.deepEqual(parseCommand(['help'], {}), { run: 'help' });
  assert.deepEqual(parseCommand(['-v'], {}), { run: 'version' });
});

test('an unknown option is refused and the nearest known one named', () => {
  refuses(['--prot', '80'], /unknown option '--prot'; did you mean --port\?/);
  refuses(['--drain-timeot', '1'], /did you mean --drain-timeout\?/);
  refuses(['--drain'], /did you mean --drain-timeout\?/);
  refuses(['-x'], /unknown option '-x'$/);
  refuses(['--toString'], /unknown option/);
});

test('values out of range are refused with the range', () => {
  refuses(['-w', '--port', '65536'], /--port is a whole number from 0 to 65535, not '65536'/);
  refuses(['-w', '--port', '80a'], /--port/);
  refuses(['-w', '--log', 'xml'], /--log is one of text, json, not 'xml'/);
  refuses(['-w', '--log-level', 'loud'], /--log-level is one of/);
  refuses(['-w', '--idle-timeout', '0'], /--idle-timeout is a number of seconds from 0.001 to 86400/);
  refuses(['-w', '--max-body', '-1'], /--max-body needs a value/);
  refuses(['-w', '--max-body=1e3'], /--max-body is a whole number/);
  refuses(['-w', '--port', '1', '--port', '2'], /--port is given more than once/);
});

test('an option without its value is refused, also when another option follows', () => {
  refuses(['-p'], /-p needs a value: -p FILE/);
  refuses(['-p', '-w'], /-p needs a value/);
  refuses(['-w=yes'], /./);
  refuses(['--registry=yes'], /--registry takes no value/);
});

test('a word that is no command is refused with what was meant', () => {
  refuses(['plugins.json'], /valor -p plugins\.json/);
  refuses(['serve', 'plugins.json'], /valor -p plugins\.json/);
  refuses([], /nothing to serve/);
});

test('-w off loopback is refused without a token and allowed with one', () => {
  refuses(['-w', '--host', '0.0.0.0'], /--admin-token-file/);
  refuses(['-w', '--host', 'example.org'], /--admin-token-file/);
  assert.equal(serve(['-w', '--host', '0.0.0.0'], { VALOR_ADMIN_TOKEN: 't0ken' }).adminToken, 't0ken');
  assert.equal(serve(['-p', 'a.json', '--host', '0.0.0.0']).host, '0.0.0.0');
});

test('browsers get plug-ins on loopback unless switched off, and elsewhere only when asked for', () => {
  const browser = (args: string) => serve(['-p', 'a.json', ...args.split(' ').filter(Boolean)]).browser;
  assert.equal(browser(''), 'local');
  assert.equal(browser('--host localhost'), 'local');
  assert.equal(browser('--host 0.0.0.0'), 'off');
  assert.equal(browser('--host example.org'), 'off');
  assert.equal(browser('--browser'), 'open');
  assert.equal(browser('--browser --host 0.0.0.0'), 'open');
  assert.equal(browser('--no-browser'), 'off');
  refuses(['-p', 'a.json', '--browser', '--no-browser'], /contradict/);
  refuses(['-p', 'a.json', '--brows'], /did you mean --browser\?/);
});

test('the token file wins over the environment, loses its line end and may not be empty', () => {
  const file = join(folder, 'token');
  writeFileSync(file, 'from-file\n');
  assert.equal(serve(['-w', '--admin-token-file', file], { VALOR_ADMIN_TOKEN: 'x' }).adminToken, 'from-file');
  writeFileSync(file, '\n');
  refuses(['-w', '--admin-token-file', file], /is empty/);
  writeFileSync(file, 'two words');
  refuses(['-w', '--admin-token-file', file], /a token consists of/);
  refuses(['-w', '--admin-token-file', join(folder, 'absent')], /cannot read/);
});

test('loopback is recognised in every spelling and nothing else is', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', '::1', '[::1]', '0:0:0:0:0:0:0:1']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.example.org', '::11', '1::1', '']) {
    assert.ok(!isLoopback(host), host);
  }
});

test('--help names every option with its default and stays within 100 columns', () => {
  const text = helpText();
  for (const [name, spec] of Object.entries(specs)) {
    assert.ok(text.includes(`--${name}`), name);
    if ('fallback' in spec) assert.ok(text.replace(/\s+/g, ' ').includes(`[${spec.fallback}]`), name);
  }
  for (const line of text.split('\n')) assert.ok(line.length <= 110, line);
});
