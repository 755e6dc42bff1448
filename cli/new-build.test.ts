// What `valor new` and `valor build` take from the command line, without compiling anything.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { UsageError } from './arguments.ts';
import { type BuildOptions, readBuildArguments } from './build.ts';
import { commandHelp } from './help.ts';
import { type NewOptions, readNewArguments } from './new.ts';
import { parseCommand } from './options.ts';

/** What a command line asks for; of `valor new` and `valor build` the options. */
function parse(line: string): object {
  const command = parseCommand(line.split(' '), {});
  if (command.run === 'new') return readNewArguments(command.args);
  if (command.run === 'build') return readBuildArguments(command.args);
  return command;
}

function refuses(line: string, words: RegExp): void {
  assert.throws(
    () => parse(line),
    (error) => error instanceof UsageError && words.test(error.message),
    line,
  );
}

test('valor new: name, folder and language', () => {
  const options = (line: string) => parse(line) as NewOptions;
  assert.deepEqual(options('new hello'), { name: 'hello', folder: resolve('hello'), language: 'js' });
  assert.deepEqual(options('new x/y/hello.1 --lang cpp'), {
    name: 'hello.1',
    folder: resolve('x/y/hello.1'),
    language: 'cpp',
  });
  for (const [given, language] of [
    ['TypeScript', 'ts'],
    ['C++', 'cpp'],
    ['rs', 'rust'],
    ['as', 'assemblyscript'],
  ]) {
    assert.equal(options(`new hello -l ${given}`).language, language);
  }
});

test('valor new: mistakes are named with what would be right', () => {
  refuses('new', /which name\? valor new NAME/);
  refuses('new hello rust', /unexpected argument 'rust': valor new hello --lang rust/);
  refuses('new hello world', /unexpected argument 'world'; a plug-in has one name/);
  refuses('new hello --lang rsut', /unknown language 'rsut'; did you mean rust\?; there are js, ts/);
  refuses('new hello --lang go', /unknown language 'go'; there are js/);
  refuses('new hello --lnag rust', /unknown option '--lnag'; did you mean --lang\?/);
  refuses('new hello --lang', /--lang needs a value: --lang LANGUAGE/);
  refuses('new hällo', /'hällo' cannot be a plug-in's name: that is 1 to 100 characters of A-Z a-z 0-9/);
  refuses(`new ${'a'.repeat(101)}`, /cannot be a plug-in's name/);
  refuses('new .hidden', /would be a hidden file/);
  refuses('new 2fast --lang rust', /'2fast' cannot be the name of a Rust package/);
  refuses('new a.b -l rust', /cannot be the name of a Rust package/);
  refuses('new Test --lang cpp', /'Test' is a word of CMake/);
  refuses('new all -l c', /'all' is a word of CMake/);
  refuses('new valor -l rust', /'valor' is the name of a crate that the plug-in needs/);
  refuses('new valor_macros -l rust', /is the name of a crate/);
  refuses('new ', /which name\?/);
  assert.equal((parse('new test') as NewOptions).name, 'test');
  assert.equal((parse('new 2fast.js') as NewOptions).name, '2fast.js');
});

test('valor build: folder, target and kind', () => {
  const options = (line: string) => parse(line) as BuildOptions;
  assert.deepEqual(options('build'), { folder: resolve('.'), debug: false });
  assert.deepEqual(options('build x --target wasm --debug'), { folder: resolve('x'), target: 'wasm', debug: true });
  assert.deepEqual(options('build --release -t both'), { folder: resolve('.'), target: 'both', debug: false });
  refuses('build --target wsam', /--target is one of native, wasm, both, not 'wsam'; did you mean wasm\?/);
  refuses('build a b', /unexpected argument 'b'; one folder at a time/);
  refuses('build --debug --release', /exclude each other/);
  refuses('build --port 80', /unknown option '--port'/);
});

test('--help of a command is its own', () => {
  for (const line of ['new --help', 'new hello -h', 'help new']) {
    assert.deepEqual(parse(line), { run: 'help', command: 'new' });
  }
  assert.deepEqual(parse('build -h'), { run: 'help', command: 'build' });
  for (const [command, word] of [
    ['new', '--lang'],
    ['build', '--target'],
  ] as const) {
    const text = commandHelp(command);
    assert.match(text, new RegExp(`^Usage: valor ${command}`));
    assert.ok(text.includes(word));
    for (const line of text.split('\n')) assert.ok(line.length <= 110, line);
  }
});

test('a command that is not first, or no command, is told so', () => {
  refuses('-w new hello', /'new' comes first: valor new/);
  refuses('biuld', /unknown command 'biuld'; did you mean valor build\?/);
});
