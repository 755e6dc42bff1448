// What browsers get of a server: the runtime at /_valor/, the plug-ins that they may run, and the files of these. And how the server
// itself treats plug-ins that are for browsers only, or whose files are not what their integrity says.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type Answer, build, type Definition, root, serveFile, temporaryFolder, type Valor } from './harness.ts';

const folder = temporaryFolder();
const answers = (text: string) => `onmessage = () => postMessage({ status: 200, headers: [], body: ${text} });\n`;

function put(name: string, content: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const sri = (bytes: string | Uint8Array, algorithm = 'sha384') =>
  `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`;
const sriOf = (name: string) => sri(readFileSync(join(folder, name)));

put('app/hello.mjs', `import { word } from './lib/word.mjs';\n${answers('word')}`);
put('app/lib/word.mjs', "export const word = 'hello\\n';\n");
put('app/typed.ts', `import { word } from './lib/typed.mts';\nconst text: string = word;\n${answers('text')}`);
put('app/lib/typed.mts', "export const word: string = 'typed\\n';\n");
put('app/broken.ts', 'enum Word { A }\n');
put('app/data.json', '{"public":true}');
put('app/.env', 'SECRET=1');
put('secret.txt', 'secret');
put('server/only.js', answers("'here\\n'"));
symlinkSync('../secret.txt', join(folder, 'app/link.txt'));
copyFileSync(join(build, 'examples/hello-cpp.wasm'), join(folder, 'hello-cpp.wasm'));

const hello: Definition = {
  type: 'web',
  name: 'hello',
  url: './app/hello.mjs',
  prefix: 'hi',
  config: { greeting: 'Hi' },
};
const native: Definition = { type: 'native', path: join(build, 'examples/hello-cpp.so') };
const plugins: Definition[] = [
  { ...hello, limits: { timeout_ms: 5000 }, fallback: 'network', instances: { min: 1, max: 2 } },
  { type: 'web', name: 'typed', url: 'app/typed.ts' },
  { type: 'web', name: 'broken', url: 'app/broken.ts', place: 'browser' },
  { type: 'web', name: 'module', url: 'hello-cpp.wasm', prefer: 'network-first' },
  { ...native, name: 'native', web: 'hello-cpp.wasm' },
  { ...native, name: 'native-only' },
  { type: 'web', name: 'server-only', url: 'server/only.js', place: 'server' },
  { type: 'web', name: 'browser-only', url: 'server/only.js', place: 'browser' },
  { type: 'web', name: 'asks', url: 'asks.js' },
];
put(
  'asks.js',
  "onmessage = async ({ data }) => { const { status } = await fetch(new URL('/_valor/' + data.url, location));" +
    ' postMessage({ status: 200, headers: [], body: String(status) }, data); };',
);

let valor: Valor;
const start = (args: string[] = [], listed: Definition[] = plugins, file = 'app/plugins.json'): Promise<Valor> => {
  // In the plug-ins' folder, where people have it.
  put(file, JSON.stringify({ plugins: listed.map((plugin) => relativeTo(file, plugin)) }));
  return serveFile(join(folder, file), args);
};
function relativeTo(file: string, plugin: Definition): Definition {
  const up = file.includes('/') ? '../' : './';
  const at = (key: string) => (typeof plugin[key] === 'string' ? { [key]: `${up}${plugin[key]}` } : {});
  return { ...plugin, ...at('url'), ...at('web') };
}
const send = (to: Valor, method: string, path: string, body: Definition): Promise<Answer> =>
  to.ask(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
const listed = async (at = valor): Promise<Definition[]> => (await at.ask('/_valor/plugins.json')).json().plugins;

before(async () => {
  valor = await start(['-w']);
});
after(() => valor.stop());

test("the runtime's files are there, compressed for those who take it, and revalidated", async () => {
  for (const [name, type] of Object.entries({
    'valor.js': 'text/javascript;charset=utf-8',
    'valor-sw.js': 'text/javascript;charset=utf-8',
    'valor-host.js': 'text/javascript;charset=utf-8',
    'valor-core.wasm': 'application/wasm',
    '': 'text/html;charset=utf-8',
  })) {
    const path = `/_valor/${name}`;
    const plain = await valor.ask(path);
    assert.equal(plain.status, 200, path);
    assert.deepEqual(plain.bytes, readFileSync(join(root, 'build/web', name || 'index.html')));
    assert.equal(plain.headers['content-type'], type);
    assert.equal(plain.headers['cache-control'], 'no-cache');
    assert.equal(plain.headers.vary, 'accept-encoding');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.headers['service-worker-allowed'], name === 'valor-sw.js' ? '/' : undefined);
    const brotli = await valor.ask(path, { headers: { 'accept-encoding': 'gzip, deflate, br' } });
    assert.equal(brotli.headers['content-encoding'], 'br');
    assert.deepEqual(brotliDecompressSync(brotli.bytes), plain.bytes);
    const gzip = await valor.ask(path, { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual(gunzipSync(gzip.bytes), plain.bytes);
    const tags = [plain, brotli, gzip].map((answer) => answer.headers.etag);
    assert.equal(new Set(tags).size, 3);
    const again = await valor.ask(path, {
      headers: { 'accept-encoding': 'br', 'if-none-match': brotli.headers.etag! },
    });
    assert.equal(again.status, 304);
    const head = await valor.ask(path, { method: 'HEAD' });
    assert.equal(head.headers['content-length'], String(plain.bytes.length));
    assert.equal((await valor.ask(path, { method: 'DELETE' })).status, 405);
  }
  assert.equal((await valor.ask('/_valor')).headers.location, '/_valor/');
  assert.equal((await valor.ask('/_valor/none.js')).status, 404);
});

test('mounts of the server within those of browsers are listed, and nothing else of them', async () => {
  const rooted = await start(
    [],
    [
      { ...hello, prefix: '/' },
      { type: 'web', name: 'inside', prefix: 'in/side', url: 'server/only.js', place: 'server', config: 'secret' },
    ],
    'app/rooted.json',
  );
  try {
    const all = await listed(rooted);
    assert.deepEqual(
      all.map(({ name, type, prefix, url, config }) => [name, type, prefix, url, config]),
      [
        ['hello', 'web', '/', 'plugins/hello/hello.mjs', hello.config],
        ['_health', 'static', '_health', undefined, null],
        ['_valor', 'static', '_valor', undefined, null],
        ['inside', 'static', 'in/side', undefined, null],
      ],
    );
  } finally {
    await rooted.stop();
  }
});

test('what browsers can run is listed as a plug-in file, with the hash of what they get', async () => {
  const all = await listed();
  assert.deepEqual(
    all.map(({ name }) => name),
    ['asks', 'broken', 'browser-only', 'hello', 'module', 'native', 'typed'],
  );
  for (const plugin of all) {
    assert.equal(plugin.type, 'web');
    const file = await valor.ask(`/_valor/${plugin.url}`);
    if (plugin.name === 'broken') continue;
    assert.equal(file.status, 200, `${plugin.url}`);
    assert.equal(plugin.integrity, sri(file.bytes), `${plugin.url}`);
  }
  const { integrity, permissions, ...rest } = all.find(({ name }) => name === 'hello')!;
  assert.equal(permissions, undefined);
  assert.equal(integrity, sriOf('app/hello.mjs'));
  assert.deepEqual(rest, {
    type: 'web',
    name: 'hello',
    prefix: 'hi',
    url: 'plugins/hello/hello.mjs',
    fetch: 'server',
    place: 'both',
    fallback: 'network',
    prefer: 'plugin-first',
    config: { greeting: 'Hi' },
    limits: { timeout_ms: 5000, memory_mb: 128, queue: 1024 },
    instances: { min: 1, max: 1 },
  });
  assert.equal((await valor.ask('/_valor/plugins.json', { method: 'POST' })).status, 405);
});

test('the list follows the registry and the files', async () => {
  const tag = async () => (await valor.ask('/_valor/plugins.json')).headers.etag!;
  const first = await tag();
  assert.equal((await valor.ask('/_valor/plugins.json', { headers: { 'if-none-match': first } })).status, 304);
  put('later/later.js', answers("'one'"));
  const later = { type: 'web', name: 'later', url: join(folder, 'later/later.js') };
  assert.equal((await send(valor, 'POST', '/_plugins', later)).status, 201);
  const second = await tag();
  assert.notEqual(second, first);
  appendFileSync(join(folder, 'later/later.js'), '// changed');
  assert.notEqual(await tag(), second);
  const entry = (await listed()).find(({ name }) => name === 'later');
  assert.equal(entry?.integrity, sriOf('later/later.js'));
  assert.equal((await valor.ask('/_valor/plugins/later/later.js')).text, `${answers("'one'")}// changed`);
  assert.equal((await valor.ask('/_plugins/later', { method: 'DELETE' })).status, 204);
  assert.equal((await valor.ask('/_valor/plugins/later/later.js')).status, 404);
  assert.equal(await tag(), first);
});

test('TypeScript arrives as JavaScript under its own name', async () => {
  for (const name of ['typed.ts', 'lib/typed.mts']) {
    const file = await valor.ask(`/_valor/plugins/typed/${name}`);
    assert.equal(file.headers['content-type'], 'text/javascript;charset=utf-8');
    assert.doesNotMatch(file.text, /: string/);
    assert.equal(file.bytes.length, readFileSync(join(folder, 'app', name)).length);
    const again = await valor.ask(`/_valor/plugins/typed/${name}`, {
      headers: { 'if-none-match': file.headers.etag! },
    });
    assert.equal(again.status, 304);
  }
  const broken = await valor.ask('/_valor/plugins/broken/broken.ts');
  assert.equal(broken.status, 500);
  assert.match(broken.json().detail, /^broken\.ts:1: .*enum/);
});

test('of a plug-in its folder can be had, and nothing else', async () => {
  assert.equal((await valor.ask('/_valor/plugins/hello/lib/word.mjs')).status, 200);
  const data = await valor.ask('/_valor/plugins/hello/data.json');
  assert.equal(data.text, '{"public":true}');
  assert.equal(data.headers['cross-origin-resource-policy'], 'same-origin');
  assert.equal(data.headers['access-control-allow-origin'], undefined);
  for (const path of [
    'hello/.env',
    'hello/%2eenv',
    'hello/../secret.txt',
    'hello/..%2fsecret.txt',
    'hello/%2e%2e/secret.txt',
    'hello/link.txt',
    `hello/${join(folder, 'secret.txt')}`,
    'hello/plugins.json',
    'hello/lib',
    'hello/',
    'hello',
    'module/secret.txt',
    'native/hello-cpp.so',
    'native-only/hello-cpp.so',
    'server-only/only.js',
    '_valor/valor.js',
    'nobody/hello.mjs',
  ]) {
    const answer = await valor.ask(`/_valor/plugins/${path}`);
    assert.equal(answer.status, 404, path);
    assert.doesNotMatch(answer.text, /^(secret|SECRET)/);
  }
  assert.equal((await valor.ask('/_valor/plugins/module/hello-cpp.wasm')).headers['content-type'], 'application/wasm');
});

test('without --browser this machine gets plug-ins, under its own name and from no other origin', async () => {
  const status = async (headers: Record<string, string>, path = 'plugins.json', at = valor) =>
    (await at.ask(`/_valor/${path}`, { headers })).status;
  for (const path of ['plugins.json', 'plugins/hello/hello.mjs']) {
    assert.equal(await status({ host: 'localhost:1' }, path), 200);
    assert.equal(await status({ host: 'rebound.example' }, path), 403);
    assert.equal(await status({ 'sec-fetch-site': 'cross-site' }, path), 403);
    assert.equal(await status({ origin: 'http://elsewhere.example' }, path), 403);
  }
  assert.match(
    (await valor.ask('/_valor/plugins.json', { headers: { host: 'rebound.example' } })).json().detail,
    /--browser/,
  );
  assert.equal(await status({ host: 'rebound.example' }, 'valor-core.wasm'), 200);
  assert.equal((await valor.ask('/asks/plugins.json')).text, '403');
  assert.equal((await valor.ask('/asks/valor-core.wasm')).text, '200');

  const open = await start(['--browser'], plugins, 'open.json');
  assert.equal(await status({ host: 'public.example' }, 'plugins.json', open), 200);
  assert.equal(await status({ host: 'public.example' }, 'plugins/hello/hello.mjs', open), 200);
  assert.equal((await open.ask('/asks/plugins.json')).text, '403');
  await open.stop();
  const closed = await start(['--no-browser'], plugins, 'closed.json');
  assert.equal((await closed.ask('/_valor/plugins.json')).status, 404);
  assert.equal((await closed.ask('/_valor/valor.js')).status, 404);
  await closed.stop();
});

test('a plug-in that is for browsers only is not started, and a request for it is told where it runs', async () => {
  const answer = await valor.ask('/browser-only/x');
  assert.equal(answer.status, 404);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers['x-valor-plugin'], 'browser-only');
  assert.match(answer.json().detail, /runs in web browsers only/);
  const status = (await valor.ask('/_plugins/browser-only')).json();
  assert.equal(status.state, 'browser');
  assert.equal(status.instances, 0);
  assert.equal(status.requests, 1);
  assert.equal(status.failures, 0);
  assert.equal(status.definition.place, 'browser');
  assert.equal((await valor.ask('/server-only')).text, 'here\n');
});

test('a plug-in can move between server and browsers while the server runs', async () => {
  const definition = { type: 'web', name: 'moves', url: join(folder, 'server/only.js') };
  assert.equal((await send(valor, 'POST', '/_plugins', { ...definition, place: 'browser' })).status, 201);
  assert.equal((await valor.ask('/moves')).status, 404);
  assert.equal((await send(valor, 'PUT', '/_plugins/moves', { ...definition, place: 'both' })).status, 200);
  assert.equal((await valor.ask('/moves')).text, 'here\n');
  assert.equal((await send(valor, 'PUT', '/_plugins/moves', { ...definition, place: 'browser' })).status, 200);
  assert.equal((await valor.ask('/moves')).status, 404);
  assert.equal((await valor.ask('/_plugins/moves', { method: 'DELETE' })).status, 204);
});

test('a file that browsers would run must be there', async () => {
  const missing = { type: 'web', name: 'missing', url: join(folder, 'missing.js'), place: 'browser' };
  const answer = await send(valor, 'POST', '/_plugins', missing);
  assert.equal(answer.status, 422);
  assert.match(answer.json().detail, /missing\.js: is what browsers would run, and there is no such file/);
  const web = { ...native, name: 'missing', web: join(folder, 'missing.wasm') };
  const second = await send(valor, 'POST', '/_plugins', web);
  assert.equal(second.status, 422);
  assert.match(second.json().detail, /missing\.wasm/);
});

const wrong = sri('something else');
const refused: Record<string, { definition: Definition; file: string }> = {
  script: { definition: { type: 'web', url: 'app/hello.mjs', integrity: wrong }, file: 'app/hello.mjs' },
  TypeScript: { definition: { type: 'web', url: 'app/typed.ts', integrity: wrong }, file: 'app/typed.ts' },
  import: {
    definition: {
      type: 'web',
      url: 'app/hello.mjs',
      integrity: { 'hello.mjs': sriOf('app/hello.mjs'), 'lib/word.mjs': wrong },
    },
    file: 'app/lib/word.mjs',
  },
  module: { definition: { type: 'web', url: 'hello-cpp.wasm', integrity: wrong }, file: 'hello-cpp.wasm' },
  'WASM build of a native plug-in': {
    definition: { ...native, web: 'hello-cpp.wasm', integrity: wrong },
    file: 'hello-cpp.wasm',
  },
  'script for browsers': {
    definition: { type: 'web', url: 'server/only.js', place: 'browser', integrity: wrong },
    file: 'server/only.js',
  },
};

test('a plug-in with files that are not those of its integrity is not started, and why is said', async () => {
  const definitions = Object.values(refused).map(({ definition }, index) => ({ ...definition, name: `p${index}` }));
  const own = await start(['-w'], definitions, 'refused.json');
  for (const [index, { file }] of Object.values(refused).entries()) {
    const name = `p${index}`;
    const words = new RegExp(`${file}: is not the file that "integrity" means: expected \\S+, found (\\S+)`);
    const answer = await own.ask(`/${name}`);
    assert.equal(answer.status, 502, file);
    assert.match(answer.json().detail, words);
    const status = (await own.ask(`/_plugins/${name}`)).json();
    assert.equal(status.state, 'failed');
    assert.ok(status.error.includes(`expected ${wrong}, found ${sriOf(file)}`), status.error);
    assert.match(own.log, words);
    // Not to be laundered: browsers get the hash that the operator meant.
    const text = JSON.stringify((await listed(own)).find((plugin) => plugin.name === name)?.integrity);
    assert.ok(text.includes(wrong), text);
  }
  for (const [what, { definition, file }] of Object.entries(refused)) {
    const absolute = Object.fromEntries(
      ['url', 'web'].filter((key) => key in definition).map((key) => [key, join(folder, `${definition[key]}`)]),
    );
    const answer = await send(own, 'POST', '/_plugins', { ...definition, ...absolute, name: 'posted' });
    assert.equal(answer.status, 422, what);
    assert.ok(answer.json().detail.includes(`expected ${wrong}, found ${sriOf(file)}`), answer.text);
  }
  await own.stop();
});

test('a plug-in with the files of its integrity runs, and browsers get the hashes of what they see', async () => {
  const definitions: Definition[] = [
    { ...hello, integrity: `${wrong} ${sriOf('app/hello.mjs')}` },
    {
      type: 'web',
      name: 'typed',
      url: 'app/typed.ts',
      integrity: { 'typed.ts': sriOf('app/typed.ts'), 'lib/typed.mts': sriOf('app/lib/typed.mts') },
    },
    { type: 'web', name: 'module', url: 'hello-cpp.wasm', integrity: sriOf('hello-cpp.wasm') },
    { ...native, name: 'native', web: 'hello-cpp.wasm', integrity: sriOf('hello-cpp.wasm') },
  ];
  const own = await start([], definitions, 'right.json');
  assert.equal((await own.ask('/hi')).text, 'hello\n');
  assert.equal((await own.ask('/typed')).text, 'typed\n');
  for (const name of ['module', 'native']) assert.equal((await own.ask(`/${name}`)).status, 200, name);
  const { integrity } = (await listed(own)).find(({ name }) => name === 'typed') as {
    integrity: Record<string, string>;
  };
  for (const [path, hash] of Object.entries(integrity)) {
    assert.equal(hash, sri((await own.ask(`/_valor/plugins/typed/${path}`)).bytes), path);
  }
  assert.deepEqual(Object.keys(integrity), ['typed.ts', 'lib/typed.mts']);
  await own.stop();
});
