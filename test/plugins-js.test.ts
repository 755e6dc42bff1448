// How JavaScript and TypeScript plug-ins are loaded, and what is said when something in them goes wrong.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pluginPath, serve, temporaryFolder, web } from './harness.ts';

const valor = await serve([
  web('typed.ts'),
  web('modules/main.js', { name: 'modules' }),
  web('enum.ts'),
  web('syntax-error.js'),
  web('throws-at-load.js'),
  web('misbehave.js'),
  web('absent.js'),
  web('edge.js', { name: 'works' }),
  web('imports/main.js', { name: 'imports' }),
  web('imports/main.js', {
    name: 'elsewhere',
    root: pluginPath(''),
    location: 'https://api.example.org/app/imports/',
  }),
  web('imports/module.mjs', { name: 'imports-module' }),
]);
after(() => valor.stop());

test('TypeScript runs with its types removed, imports of TypeScript included', async () => {
  assert.equal((await valor.ask('/typed')).text, 'a shape with 4 sides');
});

test('an error in TypeScript is logged with the file, line and column of the source', async () => {
  assert.equal((await valor.ask('/typed/throw')).status, 500);
  await valor.logged(/typed.*typed trouble[\s\S]*typed\.ts:15:11/);
});

test('TypeScript that cannot be stripped fails to load with file, line and reason; the others serve', async () => {
  await valor.logged(/enum\.ts:3: TypeScript enum is not supported/);
  assert.equal((await valor.ask('/enum')).status, 502);
  assert.equal((await valor.ask('/works/')).text, 'root');
});

test('a syntax error, an error at load and a missing file are reported with their place', async () => {
  await valor.logged(/syntax-error\.js:\d+/);
  await valor.logged(/no start on purpose/);
  await valor.logged(/absent\.js/);
  for (const name of ['syntax-error', 'throws-at-load', 'absent']) {
    const answer = await valor.ask(`/${name}`);
    assert.equal(answer.status, 502, name);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.json().plugin, name);
  }
  assert.match(valor.log, /failed to load[^\n]*syntax-error/);
});

test('modules: static, dynamic, JSON, cyclic, once each; top-level await and import.meta.url', async () => {
  const seen = (await valor.ask('/modules')).json();
  assert.deepEqual(seen.data, { from: 'json', list: [1, 2, 3] });
  assert.equal(seen.answer, 42);
  assert.equal(seen.cycle, 'abfunction');
  assert.equal(seen.sameModule, 3, 'one module instance: 1 + 2');
  assert.equal(seen.lazy, 'loaded when asked');
  assert.match(seen.meta, /^file:\/\/\/.*\/modules\/main\.js$/);
});

const imported = async (specifier: string) =>
  (await valor.ask(`/modules?import=${encodeURIComponent(specifier)}`)).json().result;

test('a file outside the folder of the plug-in cannot be imported', async () => {
  for (const specifier of [
    '../echo.js',
    './sub/../../echo.js',
    pluginPath('echo.js'),
    `file://${pluginPath('echo.js')}`,
    '/etc/passwd',
    './%2e%2e/echo.js',
  ]) {
    const result = await imported(specifier);
    assert.equal(typeof result, 'string', `${specifier} was loaded: ${result}`);
    assert.match(result, /Error: /);
  }
});

test('a link out of the folder cannot be imported', async () => {
  const { symlinkSync, unlinkSync } = await import('node:fs');
  const link = pluginPath('modules/link.js');
  symlinkSync('../echo.js', link);
  try {
    assert.match(await imported('./link.js'), /Error: /);
  } finally {
    unlinkSync(link);
  }
});

test('imports that cannot work say why and leave the plug-in working', async () => {
  assert.match(await imported('./absent.js'), /absent\.js/);
  assert.match(await imported('./broken.js'), /SyntaxError/);
  assert.match(await imported('bare-word'), /Error: .*bare-word/);
  assert.match(await imported('node:fs'), /Error: /);
  assert.match(await imported('https://example.org/x.js'), /Error: /);
  assert.deepEqual(await imported('./lazy.js'), ['default']);
});

test('an uncaught error gets 500 and a log line with plug-in, message and place', async () => {
  const answer = await valor.ask('/misbehave/throw');
  assert.equal(answer.status, 500);
  assert.equal(answer.json().plugin, 'misbehave');
  await valor.logged(/misbehave.*thrown on purpose[\s\S]*misbehave\.js:\d+:\d+/);
  assert.equal((await valor.ask('/misbehave/throw-string')).status, 500);
  await valor.logged(/just a string/);
});

test('an unhandled rejection while a request is handled gets 500 and a log line', async () => {
  assert.equal((await valor.ask('/misbehave/reject')).status, 500);
  await valor.logged(/misbehave.*rejected on purpose/);
});

test('an error in a timer is logged, ends the only request it can belong to, and the instance goes on', async () => {
  assert.equal((await valor.ask('/misbehave/throw-in-timer')).status, 500);
  await valor.logged(/thrown in a timer/);
  assert.equal((await valor.ask('/misbehave/fine')).text, 'fine');
});

test('console writes to the log under the name of the plug-in', async () => {
  assert.equal((await valor.ask('/works/background')).status, 200);
  await valor.logged(/works.*background work is done/);
});

test('a relative url is relative to the plug-in file', async () => {
  const { cpSync, mkdirSync } = await import('node:fs');
  const { serveFile } = await import('./harness.ts');
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'scripts'));
  cpSync(pluginPath('config.js'), join(folder, 'scripts/config.js'));
  const file = join(folder, 'plugins.json');
  writeFileSync(file, '{"plugins":[{"type":"web","name":"c","url":"scripts/config.js","config":7}]}');
  const own = await serveFile(file);
  try {
    assert.deepEqual((await own.ask('/c')).json(), { config: 7 });
  } finally {
    await own.stop();
  }
});

const importsOf = async (name: string, target: string) =>
  (await valor.ask(`/${name}?import=${encodeURIComponent(target)}`)).json();

test('importScripts runs scripts of the folder in order, in one global scope', async () => {
  const { order, location } = await importsOf('imports', '');
  assert.deepEqual(order, ['first', 'second after first']);
  assert.equal(location, `${valor.url}/imports/`);
});

test('importScripts finds nothing outside the folder, or outside the root that the definition gives', async () => {
  for (const target of ['missing.js', '../counter.js', '/works/', 'http://example.org/', 'data:text/javascript,0']) {
    assert.match((await importsOf('imports', target)).error, /^NetworkError: /, target);
  }
  assert.match((await importsOf('imports', 'http://:0')).error, /^SyntaxError: /);
  assert.match((await importsOf('elsewhere', '/app/throws-at-load.js')).error, /no start on purpose/);
  assert.match((await importsOf('elsewhere', '../../harness.ts')).error, /^NetworkError: /);
});

test('a definition can give the public URL', async () => {
  assert.equal((await importsOf('elsewhere', '')).location, 'https://api.example.org/app/imports/');
});

test('a module cannot use importScripts', async () => {
  await valor.logged(/TypeError: importScripts\(\) is not for modules/);
});
