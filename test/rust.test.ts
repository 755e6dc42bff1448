// Rust plug-ins on both targets: the examples, what a handler may do, and what the macro says to what it cannot take.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build, type Definition, deadlineMs, eventually, root, serve, temporaryFolder, type Valor } from './harness.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const example = (name: string, suffix: string): string => join(build, 'examples', `${name}.${suffix}`);

/** Builds a file of Rust as an author would. Cargo's folder is shared, so that the SDK is compiled once. */
async function compile(source: string, target: 'native' | 'all'): Promise<string> {
  const args = ['--target', target, '--out', folder, '--work', join(build, 'rust'), source];
  const env = { ...process.env, CARGO_NET_OFFLINE: 'true', CARGO_TERM_COLOR: 'never' };
  const { stderr } = await run(join(root, 'sdk/rust/build'), args, { env, timeout: 10 * deadlineMs });
  return stderr;
}

const kinds = ['native', 'wasm'] as const;
type Kind = (typeof kinds)[number];

function definition(kind: Kind, name: string, file: (suffix: string) => string, fields: Definition = {}): Definition {
  const place = kind === 'native' ? { type: 'native', path: file('so') } : { type: 'web', url: file('wasm') };
  return { ...place, name: `${kind}-${name}`, ...fields };
}

let valor: Valor;

before(async () => {
  await compile(join(root, 'test/plugins/rust/behaviours.rs'), 'all');
  const behaviours = (suffix: string): string => join(folder, `behaviours.${suffix}`);
  valor = await serve(
    kinds.flatMap((kind) => [
      definition(kind, 'hello', (suffix) => example('hello-rust', suffix)),
      definition(kind, 'with-state', (suffix) => example('with-state-rust', suffix), { config: 'Alice' }),
      definition(kind, 'behaviours', behaviours, { permissions: { net: ['self'] } }),
      definition(kind, 'sibling', behaviours),
      definition(kind, 'panics', behaviours, { config: 'panic' }),
      definition(kind, 'refuses', behaviours, { config: 'refuse' }),
    ]),
    ['--log-level', 'debug'],
  );
});
after(() => valor?.stop());

for (const kind of kinds) {
  describe(kind, () => {
    const ask = (path: string) => valor.ask(`/${kind}-${path}`);
    const text = async (path: string): Promise<string> => (await ask(`behaviours/${path}`)).text;

    test('the examples answer', async () => {
      assert.equal((await ask('hello')).text, 'OK response from a plugin');
      assert.equal((await ask('with-state?who=Bob')).text, 'Alice says hello Bob!');
      assert.equal((await ask('with-state')).status, 400);
    });

    test('an Err is an answer, or a 500 whose reason is in the log only', async () => {
      const taken = await ask('behaviours/error');
      assert.deepEqual([taken.status, taken.text], [409, 'taken']);
      const failed = await ask('behaviours/failure');
      assert.equal(failed.status, 500);
      assert.doesNotMatch(failed.text, /invalid digit/);
      await valor.logged(new RegExp(`${kind}-behaviours.*invalid digit found in string`));
    });

    test('what on_create refuses, and a panic in it, make a 502 and a line in the log', async () => {
      assert.equal((await ask('refuses')).status, 502);
      await valor.logged(new RegExp(`${kind}-refuses.*refused in on_create`));
      assert.equal((await ask('panics')).status, 502);
      await valor.logged(new RegExp(`${kind}-panics.*panicked in on_create \\(.*behaviours\\.rs:\\d+:\\d+\\)`));
    });

    test('a future is dropped when its client leaves, while it sleeps or reads', async () => {
      const dropped = Number(await text('dropped'));
      for (const path of ['waits', 'reads']) {
        const request = http.request(`${valor.url}/${kind}-behaviours/${path}`, { method: 'POST' });
        request.on('error', () => {});
        request.write('the first piece of more');
        const before = Number(await text('count'));
        await eventually(async () => Number(await text('count')) - before > 1, 'the request');
        request.destroy();
      }
      await eventually(async () => Number(await text('dropped')) === dropped + 2, 'two drops');
    });

    test('a fetch sends a body in pieces', async () => {
      assert.equal(await text('upload'), String(64 * 65536));
    });

    test('handlers wait for each other', async () => {
      const received = [text('receive'), text('receive')];
      const sent = await eventually(async () => (await text('send')) !== '0' || undefined, 'a receiver');
      assert.ok(sent);
      await eventually(async () => {
        await text('send');
        return Promise.race([Promise.all(received), new Promise<void>((done) => setTimeout(done, 20))]);
      }, 'both values');
      assert.deepEqual(await Promise.all(received), ['7', '7']);
    });

    test('a task that wakes itself holds up nobody', async () => {
      const [awake, other] = await Promise.all([text('wakes-itself'), text('random')]);
      assert.equal(awake, 'awake');
      assert.match(other, /^\d+$/);
    });

    test('two plug-ins of one file have two states', async () => {
      await text('count');
      const [one, other] = [Number(await text('count')), Number((await ask('sibling/count')).text)];
      assert.ok(one > other, `${one} and ${other}`);
      assert.equal((await ask('sibling/kept?value=s')).text, 'Some([115]) false');
    });

    test('a context says where it is, and the log has every level', async () => {
      assert.match(await text('nothing'), new RegExp(`^${kind}-behaviours http://\\S+/${kind}-behaviours/ null$`));
      assert.equal((await ask('behaviours/log')).status, 204);
      for (const level of ['debug', 'info', 'warn', 'error']) {
        await valor.logged(new RegExp(`${level} +\\[${kind}-behaviours\\] said ${level}`));
      }
    });

    test('work on other threads finds its way back', async () => {
      assert.equal(await text('thread'), '190');
    });

    // A native plug-in goes on; a WASM instance, in which nothing can be caught, is replaced.
    test('a panic is told with its place, and the next request is answered', async () => {
      for (const [path, words] of [
        ['panic', 'panicked on purpose'],
        ['panic-later', 'index out of bounds'],
      ] as const) {
        const { status } = await ask(`behaviours/${path}`);
        assert.equal(status, kind === 'native' ? 500 : 502, path);
        await valor.logged(new RegExp(`${kind}-behaviours.*panicked: .*${words}.* \\(.*behaviours\\.rs:\\d+:\\d+\\)`));
        await eventually(async () => (await ask('behaviours/random')).status === 200, 'the next answer');
      }
      await assert.rejects(ask('behaviours/panic-in-stream'));
      await valor.logged(new RegExp(`${kind}-behaviours.*panicked while it wrote`));
    });

    test('abort() replaces the instance', async () => {
      await eventually(async () => (await ask('behaviours/random')).status === 200, 'an instance');
      const before = Number(await text('count'));
      const aborted = await ask('behaviours/abort');
      assert.equal(aborted.status, 502);
      assert.match(aborted.text, /given up on purpose/);
      const count = await eventually(async () => Number(await text('count')), 'a new instance');
      assert.ok(count <= before, 'it counts from the start');
    });
  });
}

describe('#[vlugin] says what it cannot take', () => {
  const mistakes: [name: string, source: string, words: RegExp][] = [
    ['struct', '#[vlugin] struct Handler;', /#\[vlugin\]: it goes on a function/],
    [
      'no-parameter',
      '#[vlugin] fn f() -> Response { 200.into() }',
      /takes \(Request\) or \(Request, Context\); .* 0 par/,
    ],
    ['three', '#[vlugin] fn f(a: Request, b: Context, c: u8) -> Response { 200.into() }', /this one has 3 parameters/],
    ['generic', '#[vlugin] fn f<T>(r: Request) -> Response { 200.into() }', /cannot be generic/],
    ['unsafe', '#[vlugin] unsafe fn f(r: Request) -> Response { 200.into() }', /without `unsafe`/],
    ['method', '#[vlugin] fn f(&self) -> Response { 200.into() }', /not one of a type/],
    [
      'argument',
      '#[vlugin(create)] fn f(r: Request) -> Response { 200.into() }',
      /`create` is unknown: it takes nothing, or/,
    ],
    ['value', '#[vlugin(on_create = "f")] fn f(r: Request) -> Response { 200.into() }', /is no name of a function/],
    ['no-value', '#[vlugin(on_create)] fn f(r: Request) -> Response { 200.into() }', /on_create = NAME_OF_A_FUNCTION/],
    ['answer', '#[vlugin] fn f(r: Request) -> f32 { 1.0 }', /`Response: From<f32>` is not satisfied/],
    [
      'hook',
      'fn create(x: u8) {} #[vlugin(on_create = create)] fn f(r: Request) -> Response { 200.into() }',
      /OnCreate<_>` is not (satisfied|implemented)|type mismatch in function arguments/,
    ],
  ];
  for (const [name, source, words] of mistakes) {
    test(name, async () => {
      const file = join(folder, `bad-${name}.rs`);
      writeFileSync(file, `use valor::*;\n${source}\n`);
      const error = await compile(file, 'native').then(
        () => assert.fail(`${source} was compiled`),
        ({ stderr }) => String(stderr),
      );
      assert.match(error, words);
      // At the mistake and not in code that nobody has written.
      assert.match(error, /bad-[a-z-]+\.rs:2:/);
    });
  }
});

/** The programs of a page: name and text. */
function programs(page: string): [string, string][] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/<!-- file (\S+\.rs) -->\n```rust\n(.*?)```/gs)].map((match) => [match[1]!, match[2]!]);
}

test('the programs of docs/plugins-rust.md compile for both targets without a warning, and their tests pass', async () => {
  const all = programs('docs/plugins-rust.md');
  assert.ok(all.length >= 7, `${all.length} programs`);
  for (const [name, source] of all) {
    const file = join(folder, `page-${name}`);
    writeFileSync(file, source);
    // The first does not look at its request, which is no reason for a warning.
    assert.doesNotMatch(await compile(file, 'all'), /warning/);
  }
  // The crate that the script has made around the file.
  const manifest = join(build, 'rust/crates/page-tested/Cargo.toml');
  const args = ['test', '--offline', '--manifest-path', manifest, '--target-dir', join(build, 'rust/page-tests')];
  const { stdout } = await run('cargo', args, { timeout: 10 * deadlineMs });
  assert.match(stdout, /test tests::greets_with_the_news \.\.\. ok/);
});

test('sdk/rust/build says what is wrong with what it is given', async () => {
  const script = join(root, 'sdk/rust/build');
  const failure = async (...args: string[]): Promise<string> =>
    run(script, args, { cwd: folder }).then(
      () => assert.fail(`${args} was built`),
      ({ stderr }) => String(stderr),
    );
  assert.match(await failure(), /which plug-in\?/);
  assert.match(await failure('nothing-here'), /there is no nothing-here/);
  assert.match(await failure('.'), /has no Cargo.toml/);
  assert.match(await failure('--target', 'both', '.'), /--target is native, wasm or all, not "both"/);
  assert.match(await failure('--fast', '.'), /unknown option --fast/);
  // Nothing but the shell's own tools: no Cargo, and no Rust for WASM.
  const tools = temporaryFolder();
  for (const tool of ['sh', 'dirname', 'basename', 'cat', 'cmp', 'cp', 'mv', 'mkdir', 'grep', 'sed', 'head', 'tr']) {
    await run('ln', ['-s', `/bin/${tool}`, join(tools, tool)]);
  }
  const bare = await run(
    script,
    ['--target', 'native', join(root, 'examples/hello-rust'), '--out', folder, '--work', folder],
    {
      env: { PATH: tools },
    },
  ).catch(({ stderr }) => String(stderr));
  assert.match(String(bare), /there is no cargo; install it with: apt-get install rustc cargo/);
});
