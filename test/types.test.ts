// `valor types` prints what a plug-in in TypeScript can use: what is there, and nothing else.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSurface } from '../tools/generate-types.ts';
import { build, command, root, temporaryFolder } from './harness.ts';

const folder = temporaryFolder();
const declarations = execFileSync(command, ['types'], {
  env: { ...process.env, VALOR_BUILD: build },
  encoding: 'utf8',
});
writeFileSync(join(folder, 'valor.d.ts'), declarations);

/** What the compiler says about a plug-in. */
function check(name: string, text: string): string {
  writeFileSync(join(folder, `${name}.ts`), text);
  const project = join(folder, `${name}.json`);
  const compilerOptions = {
    lib: ['es2024'],
    types: [],
    strict: true,
    noEmit: true,
    module: 'esnext',
    target: 'es2024',
  };
  writeFileSync(project, JSON.stringify({ compilerOptions, files: ['valor.d.ts', `${name}.ts`] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' }).stdout;
}

test('everything that a plug-in finds is declared', async () => {
  const isName = (name: string): boolean => !name.startsWith('Symbol(') && name !== 'constructor';
  const ofFunctions = ['length', 'name', 'prototype'];
  const lines = ['export {};'];
  const surface = await readSurface(build);
  assert.ok(Object.keys(surface).length > 90);
  for (const [name, { own, members = [], statics = [] }] of Object.entries(surface)) {
    if (!isName(name)) continue;
    lines.push(`void ${name};`);
    for (const member of (own ?? []).filter(isName)) lines.push(`void (null! as ${name}).${member};`);
    const ofObject = own ? statics.filter((one) => !ofFunctions.includes(one)) : members;
    for (const member of ofObject.filter(isName)) lines.push(`void ${name}.${member};`);
  }
  assert.equal(check('everything', lines.join('\n')), '');
});

test('what a plug-in does not find is not declared', () => {
  const absent = [
    'document',
    'window',
    'process',
    'require',
    'XMLHttpRequest',
    'indexedDB',
    'caches',
    'OffscreenCanvas',
    'alert',
  ];
  const said = check('absent', `export {};\n${absent.map((name) => `void ${name};`).join('\n')}`);
  for (const name of absent) assert.match(said, new RegExp(`name '${name}'`));
  assert.match(check('member', 'export {};\nvoid navigator.clipboard;'), /'clipboard' does not exist/);
});

test('plug-ins of each contract are checked', () => {
  const good = {
    message: `onmessage = ({ data }) => {
        const id = data.headers.find(([name]) => name === 'x-request-id');
        postMessage({ status: 200, headers: id ? [id] : [], body: new TextEncoder().encode(data.url + data.method) });
      };`,
    listener: `addEventListener('fetch', (event) => event.respondWith(new Response(event.request.url)));`,
    module: `export default {
        async fetch(request, env, context) {
          context.waitUntil(scheduler.yield());
          for (const [name, value] of request.headers) console.log(name, value, valor.config);
          const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
          void request.body?.pipeTo(writable);
          return new Response(readable, { headers: { 'x-name': env.name } });
        },
      } satisfies ValorModule<{ name: string }>;`,
  };
  for (const [name, text] of Object.entries(good)) assert.equal(check(name, text), '', name);
  assert.match(check('status', `postMessage({ status: '200' });`), /'string' is not assignable to type 'number'/);
  assert.match(
    check('answer', `export default { fetch: () => 'text' } satisfies ValorModule;`),
    /'string' is not assignable/,
  );
});

test('the declarations bring no library of their own', () => {
  assert.doesNotMatch(declarations, /reference (lib|types)/);
  assert.ok(readFileSync(join(build, 'valor.d.ts'), 'utf8') === declarations);
});
