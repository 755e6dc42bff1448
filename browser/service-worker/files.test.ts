import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Definition } from '../core/core.ts';
import { collect, type FileError, importsOf, resolved } from './files.ts';
import { demanded, verify } from './integrity.ts';

const location = 'https://example.org/app/shop/';
const entry = 'https://example.org/plugins/shop/main.js';

const definition: Definition = {
  type: 'web',
  name: 'shop',
  prefix: 'shop',
  url: entry,
  config: null,
  limits: { timeout_ms: 30000, memory_mb: 128, queue: 1024 },
  instances: { min: 1, max: 1 },
  place: 'both',
  fallback: 'none',
  prefer: 'plugin-first',
};

/** What the server has, by path; a number is a status, null a connection that breaks. */
let served: Record<string, string | number | null>;
let asked: string[];
const networkFetch = globalThis.fetch;

beforeEach(() => {
  served = {};
  asked = [];
  globalThis.fetch = async (input) => {
    const { pathname } = new URL(String(input));
    asked.push(pathname);
    const file = served[pathname];
    if (file === null) throw new TypeError('connection reset');
    if (typeof file !== 'string') return new Response('', { status: file ?? 404 });
    const type = file.startsWith('<')
      ? 'text/html'
      : pathname.endsWith('.json')
        ? 'application/json'
        : 'text/javascript';
    return new Response(file, { headers: { 'content-type': `${type}; charset=utf-8` } });
  };
});

afterEach(() => {
  globalThis.fetch = networkFetch;
});

async function imports(source: string): Promise<[string, boolean][]> {
  const file = { url: entry, type: 'text/javascript', bytes: new TextEncoder().encode(source).buffer };
  return [...(await importsOf(file, location, 'https://example.org/plugins/shop/'))];
}

test('static imports are needed, dynamic ones may be missing', async () => {
  assert.deepEqual(
    await imports(`import a from './a.js'; export * from '../b.js#x'; import('./c.js'); import(name);`),
    [
      ['https://example.org/plugins/shop/a.js', true],
      ['https://example.org/plugins/b.js', true],
      ['https://example.org/plugins/shop/c.js', false],
    ],
  );
});

test('bare specifiers and other origins are left to whoever loads the module', async () => {
  assert.deepEqual(await imports(`import 'hono'; import 'https://elsewhere.org/a.js';`), []);
});

test('importScripts resolves against the mount, and the folder stands where the mount stands', async () => {
  assert.deepEqual(await imports(`importScripts('lib/a.js', "/app/shop/b.js"); importScripts('/elsewhere/c.js')`), [
    ['https://example.org/plugins/shop/lib/a.js', false],
    ['https://example.org/plugins/shop/b.js', false],
  ]);
});

test('a script that does not parse has the imports that its importScripts name', async () => {
  assert.deepEqual(await imports(`importScripts('a.js'); }{ '`), [['https://example.org/plugins/shop/a.js', false]]);
});

test('all that imports reach is read, each file once, also in circles', async () => {
  served = {
    '/plugins/shop/main.js': `import './a.js'; import data from './d.json' with { type: 'json' };`,
    '/plugins/shop/a.js': `import './main.js'; import('./b.js');`,
    '/plugins/shop/b.js': ``,
    '/plugins/shop/d.json': `{"import": "import './no.js'"}`,
  };
  const files = await collect(definition, entry, location);
  assert.deepEqual(
    [...files.keys()].map((url) => url.slice(28)).sort(),
    ['a.js', 'b.js', 'd.json', 'main.js'].map((name) => `shop/${name}`),
  );
  assert.equal(asked.length, 4);
});

test('a file that is needed and not there is an error, one that may be missing is left out', async () => {
  served = { '/plugins/shop/main.js': `import './a.js';` };
  await assert.rejects(collect(definition, entry, location), (error: FileError) => {
    assert.match(error.message, /a\.js: the server answers 404/);
    return error.definite;
  });
  served = { '/plugins/shop/main.js': `import('./a.js');` };
  assert.equal((await collect(definition, entry, location)).size, 1);
});

test('a file that is optional in one place and needed in another is needed', async () => {
  served = { '/plugins/shop/main.js': `import('./a.js'); import './b.js';`, '/plugins/shop/b.js': `import './a.js';` };
  await assert.rejects(collect(definition, entry, location), /a\.js/);
});

test('a server in trouble fails the whole, also for files that may be missing', async () => {
  for (const trouble of [500, 503, null]) {
    served = { '/plugins/shop/main.js': `import('./a.js');`, '/plugins/shop/a.js': trouble };
    await assert.rejects(collect(definition, entry, location), (error: FileError) => !error.definite);
  }
});

test('a page in the place of a script is no script', async () => {
  served = { '/plugins/shop/main.js': '<!doctype html>' };
  await assert.rejects(collect(definition, entry, location), /main\.js: the server answers with a page/);
});

test('integrity names the hash that was expected and the one that was found', async () => {
  const abc = new TextEncoder().encode('abc').buffer;
  const sha256 = 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
  await verify(sha256, abc, entry);
  await verify(`sha384-wrong ${sha256}`, abc, entry).then(
    () => assert.fail('a weaker hash counted'),
    (error: Error) =>
      assert.match(error.message, /main\.js: .*expected sha384-wrong sha256-.*, the file has sha384-ywB1P0/),
  );
  await assert.rejects(verify('md5-abc', abc, entry), /expected hashes like/);
});

test('one hash is for the own file, an object for the files that it names', async () => {
  const lib = 'https://example.org/plugins/shop/lib/a.js';
  assert.equal(demanded({ ...definition, integrity: 'sha256-x' }, entry, entry), 'sha256-x');
  assert.equal(demanded({ ...definition, integrity: 'sha256-x' }, entry, lib), null);
  const each = { ...definition, integrity: { 'main.js': 'sha256-m', 'lib/a.js': 'sha256-a' } };
  assert.equal(demanded(each, entry, entry), 'sha256-m');
  assert.equal(demanded(each, entry, lib), 'sha256-a');
  served = { '/plugins/shop/main.js': '', '/plugins/shop/lib/a.js': '' };
  await assert.rejects(collect({ ...definition, integrity: 'sha256-x' }, entry, location), /integrity does not match/);
});

test('where integrity lists files, code that it does not list is refused, and data is not', async () => {
  const empty = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  const integrity = { 'main.js': empty };
  served = { '/plugins/shop/main.js': '', '/plugins/shop/other.js': '', '/plugins/shop/data.json': '[]' };
  const also = (name: string) => collect({ ...definition, integrity }, entry, location, [new URL(name, entry).href]);
  assert.equal((await also('data.json')).size, 2);
  await assert.rejects(also('other.js'), /other\.js: is not one of the files that "integrity" .* lists/);
});

test("a definition's URLs become absolute", () => {
  const { url } = resolved({ ...definition, url: 'shop/main.js#here' }, 'https://example.org/plugins/plugins.json');
  assert.equal(url, entry);
});
