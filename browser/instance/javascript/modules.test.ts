// Modules as functions, as the service worker runs them: nothing of a browser is needed for that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginFile } from '../instance.ts';
import { describe } from './errors.ts';
import { ModuleLoader } from './modules.ts';

const folder = 'https://example.org/plugins/p/';
const encoder = new TextEncoder();

function loaderOf(
  files: Record<string, string>,
  global: object = globalThis,
): { loader: ModuleLoader; read: string[] } {
  const read: string[] = [];
  const loader = new ModuleLoader({
    root: folder,
    global,
    blobs: false,
    tag: '',
    async read(url): Promise<PluginFile> {
      read.push(url.slice(folder.length));
      const text = files[new URL(url).pathname.slice('/plugins/p/'.length)];
      if (text === undefined) throw new Error(`${url}: the server answers 404`);
      return { url, type: 'text/javascript', bytes: encoder.encode(text).buffer };
    },
  });
  return { loader, read };
}

/** The namespace of main.js. */
// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
async function run(files: Record<string, string>, global: object = globalThis): Promise<any> {
  const { loader } = loaderOf(files, global);
  return loader.import('./main.js', undefined, folder);
}

const cases: [name: string, main: string, expected: unknown, others?: Record<string, string>][] = [
  ['a constant', 'export const result = 7;', 7],
  ['a default expression', 'import x from "./a.js"; export const result = x;', 3, { 'a.js': 'export default 1 + 2' }],
  [
    'a default function, called before it stands there',
    'import f from "./a.js"; export const result = [f(), f.name];',
    [5, 'f'],
    { 'a.js': 'export const early = f(); export default function f() { return 5; }' },
  ],
  [
    'defaults without a name are called "default"',
    'import f from "./a.js"; import C from "./b.js"; import g from "./c.js"; import h from "./d.js"; import i from "./e.js";' +
      'export const result = [f.name, C.name, g.name, await h(), [...i()], h.name];',
    ['default', 'default', 'default', 4, [1], 'default'],
    {
      'a.js': 'export default function () {}',
      'b.js': 'export default class {}',
      'c.js': 'export default () => {}',
      'd.js': 'export default async function () { return 4; }',
      'e.js': 'export default function* () { yield 1; }',
    },
  ],
  [
    'a default class that extends another',
    'import C from "./a.js"; export const result = new C().x;',
    1,
    { 'a.js': 'class B { x = 1 } export default class extends B {}' },
  ],
  [
    'lists, new names, names that are no identifiers',
    'import { b as c, "x-y" as d, default as e } from "./a.js"; export const result = [c, d, e];',
    [1, 2, 3],
    { 'a.js': 'const a = 1, z = 2; let e = 3; export { a as b, z as "x-y", e as default };' },
  ],
  [
    'declarations of all kinds',
    'import * as a from "./a.js"; export const result = [a.x, a.y, a.z, a.f(), new a.C().c, a.p, a.q, a.r, a.g];',
    [1, 2, 3, 4, 5, 6, 7, [8, 9], 10],
    {
      'a.js':
        'export var x = 1, y = 2; export let z = 3; export function f() { return 4 } export class C { c = 5 }\n' +
        'export const { p, k: { q }, l: [...r], g = 10 } = { p: 6, k: { q: 7 }, l: [8, 9] };',
    },
  ],
  [
    'passing on: names, all, all under a name, an import',
    'import { one, uno, two, ns, three } from "./a.js"; export const result = [one, uno, two, Object.keys(ns), three];',
    [1, 1, 2, ['default', 'three'], 3],
    {
      'a.js':
        'export { one, one as uno } from "./b.js"; export * from "./b.js"; export * as ns from "./c.js"; import { three } from "./c.js"; export { three };',
      'b.js': 'export const one = 1; export const two = 2; export default 0;',
      'c.js': 'export const three = 3; export default 0;',
    },
  ],
  [
    'live bindings',
    'import { n, add } from "./a.js"; import * as a from "./a.js"; add(); add(); export const result = [n, a.n];',
    [2, 2],
    { 'a.js': 'export let n = 0; export function add() { n++; }' },
  ],
  [
    'a name of the language that the module has for itself',
    'import { Map, x as Math } from "./a.js"; const Set = 1; let Date; Date = 2; export const result = [Map, Math, Set, Date, Array.of(3)];',
    [4, 5, 1, 2, [3]],
    { 'a.js': 'export const Map = 4, x = 5;' },
  ],
  [
    'an import cannot be assigned to',
    'import { n } from "./a.js"; let error; try { n = 1; } catch (e) { error = e.name; } export const result = error;',
    'TypeError',
    { 'a.js': 'export let n = 0;' },
  ],
  [
    'a circle: functions are there before any module runs',
    'import { b } from "./b.js"; export function a() { return "a"; } export const result = b;',
    'a from b',
    { 'b.js': 'import { a } from "./main.js"; export const b = a() + " from b";' },
  ],
  [
    'a circle: a constant is not there yet',
    'import { b } from "./b.js"; export const a = 1; export const result = b;',
    'ReferenceError',
    { 'b.js': 'import { a } from "./main.js"; export let b; try { b = a; } catch (e) { b = e.name; }' },
  ],
  [
    'a circle through export *',
    'export * from "./a.js"; export const mine = 1; import { mine as x } from "./a.js"; export const result = x;',
    1,
    { 'a.js': 'export * from "./main.js";' },
  ],
  [
    'modules run once, in the order in which they are imported',
    'import "./a.js"; import { order } from "./order.js"; import "./b.js"; order.push("main"); export const result = order;',
    ['c', 'a', 'b', 'main'],
    {
      'a.js': 'import "./c.js"; import { order } from "./order.js"; order.push("a");',
      'b.js': 'import "./c.js"; import { order } from "./order.js"; order.push("b");',
      'c.js': 'import { order } from "./order.js"; order.push("c");',
      'order.js': 'export const order = [];',
    },
  ],
  [
    'top-level await holds up who imports',
    'import { late } from "./a.js"; export const result = late;',
    2,
    { 'a.js': 'export let late = 1; await new Promise((done) => setTimeout(done, 5)); late = 2;' },
  ],
  [
    'import() gives the same module',
    'import * as a from "./a.js"; const b = await import("./a.js"); export const result = [a === b, b.x, (await import("./" + "b.js")).default];',
    [true, 1, 2],
    { 'a.js': 'export const x = 1;', 'b.js': 'export default 2;' },
  ],
  [
    'import.meta.url, with query and fragment',
    'import { url } from "./lib/a.js?q=1#f"; export const result = [import.meta.url, url, new URL("x", url).href];',
    [`${folder}main.js`, `${folder}lib/a.js?q=1#f`, `${folder}lib/x`],
    { 'lib/a.js': 'export const { url } = import.meta;' },
  ],
  [
    'another query is another module',
    'import { o } from "./a.js"; import { o as p } from "./a.js?2"; export const result = o === p;',
    false,
    { 'a.js': 'export const o = {};' },
  ],
  [
    'JSON',
    'import data from "./d.json" with { type: "json" }; const again = await import("./d.json", { with: { type: "json" } }); export const result = [data.a, again.default === data];',
    [[1], true],
    { 'd.json': '{"a":[1]}' },
  ],
  [
    'strict, without this and arguments of others',
    'let error; try { undeclared = 1; } catch (e) { error = e.name; } export const result = [typeof this, error];',
    ['undefined', 'ReferenceError'],
  ],
  [
    'words in strings, comments and patterns are no imports',
    'const s = "import x from \'./no.js\'"; // import "./no.js"\n/* export { } */ const r = /import("no")/; const t = `export {}`; export const result = [s.length, r.source, t];',
    [23, 'import("no")', 'export {}'],
  ],
  [
    'the word export in texts, comments and patterns between exports',
    'import * as a from "./a.js"; export const result = Object.values(a);',
    ['export let b', 'export let c', 1, 2],
    {
      'a.js':
        'export const a = "export let b", b = `export let c`, /* export let d */ d = /export let e/ && 1; // export { e\nexport let e = 2;',
    },
  ],
  ['export {}', 'const result = 1; export {}; export { result }; export {\n};', 1],
  [
    'comments within statements',
    'import /* a */ { /* } */ x /* b */ } /* c */ from /* d */ "./a.js"; export /* e */ { x /* } */ as result };',
    1,
    { 'a.js': 'export /* f */ default /* g */ 0; export /* h */ const x = 1;' },
  ],
  [
    'statements without semicolons',
    'import { x } from "./a.js"\nexport { y }\nconst y = 1\nexport const result = x + y\n',
    3,
    { 'a.js': 'const x = 2\nexport { x }\nexport default x\n[0]' },
  ],
  [
    'names that the linker would like',
    'const $valor = 1, $export = 2; export default () => {}; export const result = [$valor, $export, import.meta.url.length > 0];',
    [1, 2, true],
  ],
  ['a first line for a shell', '#!/usr/bin/env valor\nexport const result = 1;', 1],
  ['await in a function is no top-level await', 'const f = async () => await 1; export const result = await f();', 1],
];

for (const [name, main, expected, others] of cases) {
  test(name, async () => {
    const { result } = await run({ ...others, 'main.js': main });
    assert.deepEqual(await result, expected);
  });
}

const refused: [name: string, main: string, error: RegExp, others?: Record<string, string>][] = [
  [
    'what is not exported',
    'import { no } from "./a.js";',
    /SyntaxError: The requested module '.\/a.js' does not provide an export named 'no'/,
    { 'a.js': '' },
  ],
  [
    'what two modules export',
    'import { x } from "./a.js";',
    /conflicting star exports/,
    { 'a.js': 'export * from "./b.js"; export * from "./c.js"', 'b.js': 'export let x', 'c.js': 'export let x' },
  ],
  ['a missing file', 'import "./a.js";', /cannot import '.\/a.js' in .*main.js: .*404/],
  ['a package', 'import "hono";', /packages are not looked up; write a path/],
  ['another place', 'import "https://elsewhere.org/a.js";', /only files in the plug-in's own folder/],
  ['the folder above', 'import "../a.js";', /there is no such file in the plug-in's folder/],
  ['the folder above, encoded', 'import "./%2e%2e/a.js";', /there is no such file in the plug-in's folder/],
  ['an encoded slash', 'import "./..%2fa.js";', /an encoded slash or NUL/],
  ['JSON that does not say so', 'import "./a.json";', /JSON needs with \{ type: 'json' \}/, { 'a.json': '1' }],
  [
    'a script that is said to be JSON',
    'import "./a.js" with { type: "json" };',
    /its name must end with .json/,
    { 'a.js': '' },
  ],
  ['CSS', 'import "./a.css" with { type: "css" };', /modules of type 'css' are unknown/],
  ['an unknown attribute', 'import "./a.js" with { lang: "x" };', /unknown attribute 'lang'/],
  ['broken JSON', 'import x from "./a.json" with { type: "json" };', /SyntaxError: .*a.json: /, { 'a.json': '{' }],
  ['source phase imports', 'import source x from "./a.wasm";', /"import source" is not supported/],
];

for (const [name, main, error, others] of refused) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(
      run({ ...others, 'main.js': main }),
      (thrown) => error.test(describe(thrown)) || assert.match(describe(thrown), error) === undefined,
    );
  });
}

test('what a module throws is told to all that import it, and it does not run again', async () => {
  const { loader } = loaderOf({
    'main.js': 'globalThis.runs = (globalThis.runs ?? 0) + 1; throw new Error("on purpose");',
    'a.js': 'import "./main.js";',
  });
  const global = globalThis as { runs?: number };
  for (const file of ['./main.js', './a.js', './main.js']) {
    await assert.rejects(loader.import(file, undefined, folder), /on purpose/);
  }
  assert.equal(global.runs, 1);
  delete global.runs;
});

test('an error in the code names file, line and column', async () => {
  await assert.rejects(run({ 'main.js': '\n  export const a = 1; throw new Error("here");' }), ({ stack }: Error) => {
    assert.match(stack!, /https:\/\/example\.org\/plugins\/p\/main\.js:2:29/);
    return true;
  });
});

test('an import that failed can be tried again', async () => {
  const files: Record<string, string> = { 'main.js': 'import { x } from "./a.js"; export const result = x;' };
  const { loader, read } = loaderOf(files);
  await assert.rejects(loader.import('./main.js', undefined, folder), /404/);
  files['a.js'] = 'export const x = 1;';
  assert.equal(((await loader.import('./main.js', undefined, folder)) as { result: number }).result, 1);
  assert.deepEqual(read, ['main.js', 'a.js', 'main.js', 'a.js']);
});

test('the global that is given stands around the code', async () => {
  const global = Object.assign(Object.create(globalThis), { word: 'ours', onmessage: null });
  const { result } = await run(
    { 'main.js': 'onmessage = () => 1; export const result = [word, typeof Array];' },
    global,
  );
  assert.deepEqual(result, ['ours', 'function']);
  assert.equal(typeof global.onmessage, 'function');
});

test('a namespace looks like one', async () => {
  const namespace = await run({ 'main.js': 'export const b = 1, a = 2; export default 3;' });
  assert.deepEqual(Object.keys(namespace), ['a', 'b', 'default']);
  assert.equal(Object.prototype.toString.call(namespace), '[object Module]');
  assert.throws(() => {
    namespace.a = 1;
  }, TypeError);
});
