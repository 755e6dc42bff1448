// The command as a user meets it: what it prints and how it ends.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, command, runValor, serve, temporaryFolder, Valor, web } from './harness.ts';
import { raw } from './raw.ts';

function pluginFile(text: string): string {
  const file = join(temporaryFolder(), 'plugins.json');
  writeFileSync(file, text);
  return file;
}

const good = pluginFile(JSON.stringify({ plugins: [web('echo.js')] }));

/** Expects an end with this code, nothing on stdout, and these words on stderr. */
async function fails(code: number, words: RegExp, ...args: string[]): Promise<void> {
  const result = await runValor(args);
  assert.match(result.stderr, words);
  assert.equal(result.code, code);
  assert.equal(result.stdout, '');
}

test('--help explains itself on stdout and ends with 0', async () => {
  const { code, stdout, stderr } = await runValor(['--help']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  for (const words of ['Usage: valor', '--drain-timeout', 'Exit codes', '[8080]'])
    assert.ok(stdout.includes(words), words);
});

test('--version prints the version of the package', async () => {
  const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
  assert.deepEqual(await runValor(['--version']), {
    code: 0,
    signal: null,
    stdout: `valor ${manifest.version}\n`,
    stderr: '',
  });
});

test('a mistake on the command line ends with 2 and says what was meant', async () => {
  await fails(
    2,
    /^valor: unknown option '--prot'; did you mean --port\?\nvalor --help lists the options\n$/,
    '--prot',
    '1',
  );
  await fails(2, /nothing to serve/);
  await fails(2, /--port is a whole number from 0 to 65535/, '-p', good, '--port', 'http');
});

test('-w on an address that others reach is refused without a token', async () => {
  await fails(2, /--admin-token-file/, '-w', '--host', '0.0.0.0', '--port', '0');
});

test('-w on an address that others reach starts with a token', async () => {
  const valor = new Valor(['-w', '--host', '0.0.0.0', '--port', '0'], { VALOR_ADMIN_TOKEN: 'secret' });
  await valor.listening();
  assert.equal((await valor.ask('/_plugins')).status, 401);
  assert.equal((await valor.ask('/_plugins', { headers: { authorization: 'Bearer secret' } })).status, 200);
  await valor.stop();
});

test('mistakes in a plug-in file end with 2, each with file, line and field', async () => {
  const file = pluginFile(`{"plugins": [
    {"type": "web", "name": "a", "url": "a.js", "prefx": "b"},
    {"type": "wob", "name": "c"},
    {"type": "web", "name": "d", "url": "d.js", "limits": {"timeout_ms": "soon", "memory": 3}},
    {"type": "web", "name": "d", "url": "d.js"}
  ]}`);
  const { code, stderr } = await runValor(['-p', file]);
  assert.equal(code, 2);
  assert.match(stderr, /plugins\.json:2: .*prefx.*prefix/);
  assert.match(stderr, /plugins\.json:3: .*wob/);
  assert.match(stderr, /plugins\.json:4: .*timeout_ms/);
  assert.match(stderr, /plugins\.json:4: .*memory.*memory_mb/);
  assert.match(stderr, /plugins\.json:5: .*d/);
});

test('a plug-in file that is absent or no JSON ends with 2', async () => {
  await fails(2, /absent\.json/, '-p', '/nowhere/absent.json');
  await fails(2, /plugins\.json:2/, '-p', pluginFile('{"plugins": [\n  oops\n]}'));
});

test('numbers out of the range of a limit end with 2', async () => {
  for (const [field, value] of [
    ['limits', { timeout_ms: 0 }],
    ['limits', { timeout_ms: 86_400_001 }],
    ['limits', { memory_mb: 7 }],
    ['limits', { memory_mb: 65_537 }],
    ['limits', { queue: 0 }],
    ['limits', { queue: 1_000_001 }],
    ['instances', { min: 1025, max: 1025 }],
    ['instances', { min: 0, max: 0 }],
    ['instances', { min: 3, max: 2 }],
    ['instances', { min: 1.5 }],
    ['name', 'a/b'],
    ['name', 'a'.repeat(101)],
    ['name', ''],
  ] as const) {
    await fails(
      2,
      new RegExp(`plugins\\.json:1: .*${field}`),
      '-p',
      pluginFile(JSON.stringify({ plugins: [web('echo.js', { [field]: value })] })),
    );
  }
});

test('two plug-ins of the same name or mount, also in two files, end with 2', async () => {
  await fails(2, /echo/, '-p', good, '-p', pluginFile(JSON.stringify({ plugins: [web('echo.js')] })));
  await fails(
    2,
    /echo/,
    '-p',
    good,
    '-p',
    pluginFile(JSON.stringify({ plugins: [web('echo.js', { name: 'x', prefix: '/echo/' })] })),
  );
});

test('several plug-in files are served together', async () => {
  const valor = new Valor(['-p', good, '-p', pluginFile(JSON.stringify({ plugins: [web('edge.js')] })), '--port', '0']);
  await valor.listening();
  assert.equal((await valor.ask('/echo')).status, 200);
  assert.equal((await valor.ask('/edge/')).status, 200);
  await valor.stop();
});

test('a port that is taken ends with 1 and is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await fails(1, new RegExp(`${port}.*in use|in use.*${port}`, 'i'), '-p', good, '--port', String(port));
  server.close();
});

test('an address that is not ours ends with 1', async () => {
  await fails(1, /192\.0\.2\.1/, '-p', good, '--host', '192.0.2.1', '--port', '0');
});

test('the listening line is the only thing on stdout', async () => {
  const valor = await serve([web('echo.js')]);
  await valor.ask('/echo');
  assert.equal(valor.stdout, `valor listening on http://127.0.0.1:${valor.port}\n`);
  await valor.stop();
});

test('a server that starts loads nothing of Node that only other commands need', async () => {
  const folder = temporaryFolder();
  const [probe, list] = [join(folder, 'probe.cjs'), join(folder, 'loaded')];
  const write = `require('node:fs').writeFileSync(${JSON.stringify(list)}, process.moduleLoadList.join('\\n'))`;
  writeFileSync(probe, `process.on('exit', () => ${write});`);
  const valor = await serve([web('echo.js')], [], { NODE_OPTIONS: `--require ${probe}` });
  await valor.ask('/echo');
  valor.signal('SIGTERM');
  assert.equal((await valor.exited()).code, 0);
  const loaded = readFileSync(list, 'utf8');
  assert.match(loaded, /^NativeModule fs$/m);
  assert.doesNotMatch(loaded, /^NativeModule (http|child_process|internal\/deps\/undici\/undici)$/m);
});

test('an IPv6 address is listened on and printed in brackets', async () => {
  const valor = new Valor(['-p', good, '--host', '::1', '--port', '0']);
  await valor.listening();
  assert.match(valor.stdout, /http:\/\/\[::1\]:\d+\n/);
  await valor.stop();
});

test('valor works through a link, from any folder', async () => {
  const link = join(temporaryFolder(), 'linked');
  symlinkSync(command, link);
  const { execFileSync } = await import('node:child_process');
  const text = execFileSync(link, ['--version'], {
    cwd: '/',
    encoding: 'utf8',
    env: { ...process.env, VALOR_BUILD: build },
  });
  assert.match(text, /^valor \d/);
});

test('without a build valor says how to make one', async () => {
  const { code, stderr } = await runValor(['--version'], { VALOR_BUILD: '/nowhere' });
  assert.equal(code, 1);
  assert.match(stderr, /make -C .* build/);
});

test('the default address is 127.0.0.1:8080', async () => {
  const valor = new Valor(['-p', good]);
  try {
    await valor.listening();
    assert.equal(valor.stdout, 'valor listening on http://127.0.0.1:8080\n');
    assert.equal((await raw(8080, (connection) => connection.get('/echo').response())).status, 200);
  } catch (error) {
    // Somebody else's server on 8080 is no defect of Valor, but then Valor must say so.
    assert.match(valor.log, /8080.*in use|in use.*8080/i, String(error));
  } finally {
    await valor.stop();
  }
});
