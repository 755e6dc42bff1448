// The AssemblyScript SDK says again what abi/valor.h says: the two are compared. And what it makes of errors in a plug-in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, root, serve, temporaryFolder } from './harness.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const sdk = (file: string): string => read(`sdk/assemblyscript/valor/${file}`);

/** A type of C as AssemblyScript has it. */
function typeOf(c: string): string {
  if (c.includes('*') || c === 'size_t') return 'usize';
  return c.replace(/^uint(\d+)_t$/, 'u$1').replace(/^int(\d+)_t$/, 'i$1');
}

test('the imports are those of abi/valor-host.inc, with their types and the names of their parameters', () => {
  const header = read('abi/valor-host.inc').replaceAll(/\/\*.*?\*\//gs, '');
  const expected = [...header.matchAll(/VALOR_FUNCTION\(\s*(\w+),\s*(\w+),\s*\(([^)]*)\)\s*\)/g)].map(
    ([, result, name, parameters]) => {
      const list = parameters!.split(',').map((parameter) => {
        const [, type, of] = /^\s*(?:const )?(.*?)\s*(\w+)\s*$/s.exec(parameter)!;
        return `${of}: ${typeOf(type!)}`;
      });
      return `${name}(${list.join(', ')}): ${typeOf(result!)}`;
    },
  );
  const declared = [
    ...sdk('host.ts').matchAll(/@external\("valor", "(\w+)"\)\s*export declare function (\w+)\(([^)]*)\): (\w+);/g),
  ].map(([, external, name, parameters, result]) => {
    assert.equal(external, name);
    return `${name}(${parameters!.trim().replaceAll(/\s+/g, ' ')}): ${result}`;
  });
  assert.ok(expected.length > 20);
  assert.deepEqual(declared, expected);
});

test('the numbers are those of abi/valor.h', () => {
  const header = read('abi/valor.h');
  const constants = sdk('constants.ts');
  const number = (name: string): number =>
    Number(new RegExp(`#define ${name} \\(?(-?\\d+)u?\\)?\\s`).exec(header)?.[1] ?? assert.fail(`${name} in valor.h`));
  const groups: Record<string, string> = {
    Result: 'VALOR_',
    RequestFlag: 'VALOR_REQUEST_',
    FetchFlag: 'VALOR_FETCH_',
    LogLevel: 'VALOR_LOG_',
    Clock: 'VALOR_CLOCK_',
  };
  let compared = 0;
  for (const [, group, body] of constants.matchAll(/export (?:namespace|enum) (\w+) \{(.*?)\n\}/gs)) {
    for (const [, name, value] of body!.matchAll(/(\w+)(?:: \w+)? = (-?\d+)[;,]/g)) {
      assert.equal(Number(value), number(`${groups[group!]}${name}`), `${group}.${name}`);
      compared++;
    }
  }
  assert.equal(compared, 16);
  assert.equal(Number(/ABI_VERSION: u32 = (\d+)/.exec(constants)?.[1]), number('VALOR_ABI_VERSION'));
});

/** Compiles a plug-in with Valor's own compiler. */
function compile(name: string, source: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, `${name}.ts`), source);
  const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const config = join(root, 'sdk/assemblyscript/asconfig.json');
  execFileSync(process.execPath, [compiler, `${name}.ts`, '--config', config, '-o', `${name}.wasm`], { cwd: folder });
  return join(folder, `${name}.wasm`);
}

const faulty = `import { onRequest, Response } from 'valor';
onRequest((request) => {
  if (request.path == 'throw') throw new Error('on purpose');
  if (request.path == 'index') return Response.text([1, 2][I32.parseInt(request.query('i')!)].toString());
  if (request.path == 'silent') return null;
  if (request.path == 'garbage') {
    let text = '';
    for (let i = 0; i < 200000; i++) text = i.toString() + text.substring(0, 500);
    return Response.text(text.length.toString());
  }
  if (request.path == 'random') return Response.text(Math.random().toString());
  return Response.text('fine');
});
`;

test('faults end the instance with file, line and column in the log; memory stays bounded in a long loop', async () => {
  const url = compile('faulty', faulty);
  const valor = await serve([{ type: 'web', name: 'faulty', url, limits: { timeout_ms: 20_000, memory_mb: 32 } }]);
  for (const [path, words] of [
    ['/faulty/throw', /on purpose \(faulty\.ts:3:\d+\)/],
    ['/faulty/index?i=5', /Index out of range .*\(~lib\/array\.ts:\d+:\d+\)/],
  ] as const) {
    assert.equal((await valor.ask(path)).status, 502, path);
    await valor.logged(words);
    assert.equal((await valor.ask('/faulty')).text, 'fine');
  }
  assert.equal((await valor.ask('/faulty/garbage')).text, '506');
  const random = Number((await valor.ask('/faulty/random')).text);
  assert.ok(random >= 0 && random < 1);
  await valor.stop();
});

test('thirty thousand requests leave no memory behind', async () => {
  const { load } = await import('../sdk/assemblyscript/test.js');
  const plugin = await load(join(build, 'parity/assemblyscript/echo.wasm'));
  const ask = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i++) await plugin.fetch(`?who=${i}`, { method: 'POST', body: 'x'.repeat(100) });
    return plugin.memoryBytes;
  };
  const before = await ask(5000);
  assert.ok((await ask(25_000)) <= before * 2, `${before} bytes before`);
});
