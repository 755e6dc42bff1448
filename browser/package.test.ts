// build/web and build/npm, as `make web` leaves them: sizes, and the package as somebody gets it who installs it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const root = resolve(import.meta.dirname, '..');
const web = join(root, 'build/web');
const runtime = ['valor.js', 'valor-sw.js', 'valor-host.js', 'valor-core.wasm'];

const folder = mkdtempSync(join(tmpdir(), 'valor-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const tsc = (file: string): string => {
  try {
    return run(
      process.execPath,
      join(root, 'node_modules/typescript/bin/tsc'),
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      file,
    );
  } catch (error) {
    return String((error as { stdout: string }).stdout);
  }
};

test('all that runs plug-ins in a page is small', () => {
  run(process.execPath, join(root, 'browser/build.ts'), '--check', web);
});

test('each file lies there compressed, too', () => {
  for (const file of [...runtime, 'index.html', 'console.js', 'console.css']) {
    const bytes = readFileSync(join(web, file));
    assert.deepEqual(brotliDecompressSync(readFileSync(join(web, `${file}.br`))), bytes, file);
    assert.deepEqual(gunzipSync(readFileSync(join(web, `${file}.gz`))), bytes, file);
  }
});

test('the version is that of Valor', () => {
  const version = (file: string): string => JSON.parse(readFileSync(join(root, file), 'utf8')).version;
  assert.equal(version('browser/package.json'), version('package.json'));
});

test('the package installs, and has what a site serves and types', () => {
  const [{ filename }] = JSON.parse(
    run('npm', 'pack', '--json', '--pack-destination', folder, join(root, 'build/npm')),
  );
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', join(folder, filename));
  const installed = join(folder, 'node_modules/valor-browser');
  for (const file of runtime) {
    assert.deepEqual(readFileSync(join(installed, file)), readFileSync(join(web, file)), file);
  }
  for (const file of ['README.md', 'LICENSE']) assert.ok(existsSync(join(installed, file)), file);

  writeFileSync(
    join(folder, 'right.ts'),
    `import { start } from 'valor-browser';
     const valor = await start({ plugins: '/plugins.json', scope: '/', hosting: 'page' });
     await valor.ready;
     valor.addEventListener('statechange', () => console.log(valor.state));
     const names: string[] = (await valor.plugins.list()).map((plugin) => plugin.name);
     await valor.plugins.remove(names[0]!);
     await valor.stop();`,
  );
  assert.equal(tsc('right.ts'), '');
  writeFileSync(join(folder, 'wrong.ts'), `import { start } from 'valor-browser';\nstart({ scope: 5 });`);
  assert.match(tsc('wrong.ts'), /wrong\.ts\(2,9\): error TS2322: Type 'number' is not assignable/);
});
