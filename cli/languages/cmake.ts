// C++ and C: the CMake package of the SDK (sdk/cpp/cmake), which makes both targets of one source.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Build, builtFiles } from '../build.ts';
import { BuildError, findProgram, needPrograms, run } from '../programs.ts';

const wasmPackages =
  'clang-19 lld-19 wasi-libc libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 libclang-rt-19-dev-wasm32 binaryen';
const wasmCompilers = ['clang++-19', ...Array.from({ length: 14 }, (_, i) => `clang++-${30 - i}`), 'clang++'];

/** A folder with a CMakeLists.txt that calls valor_add_plugin(). */
export function buildWithCmake(build: Build): string[] {
  const { folder } = build;
  compile(build, folder, join(folder, 'build'), readFileSync(join(folder, 'CMakeLists.txt'), 'utf8'));
  return builtFiles(build);
}

/** A folder of nothing but sources: one plug-in of the folder's name. */
export function buildSources(build: Build): string[] {
  const { folder, home } = build;
  const name = basename(folder);
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    throw new BuildError(`${folder}: a plug-in cannot be named '${name}'; rename the folder to A-Z a-z 0-9 . _ -`);
  }
  const sources = readdirSync(folder).filter((file) => /\.(c|cc|cpp|cxx)$/.test(file));
  const project = join(folder, 'build/project');
  const text = `cmake_minimum_required(VERSION 3.20)
project(plugin LANGUAGES C CXX)
find_package(Valor REQUIRED HINTS "${home}/sdk/cpp/cmake")
valor_add_plugin(plugin SOURCES ${sources.map((file) => `"${join(folder, file)}"`).join(' ')}
                 OUTPUT_DIRECTORY "${join(folder, 'build')}" OUTPUT_NAME "${name}")
`;
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'CMakeLists.txt'), text);
  compile(build, project, join(project, 'build'), text);
  return builtFiles(build);
}

/** `text` is that of the CMakeLists.txt in `source`. */
function compile({ folder, target = 'both', debug }: Build, source: string, work: string, text: string): void {
  const needsWasm = target !== 'native' && process.env.WASI_SDK_PATH === undefined;
  needPrograms([
    { names: ['cmake'], apt: 'cmake' },
    { names: ['ninja', 'make'], apt: 'ninja-build' },
    { names: ['c++', 'g++', 'clang++'], apt: 'g++' },
    ...(needsWasm ? [{ names: wasmCompilers, apt: wasmPackages }] : []),
  ]);
  const generator = isConfigured(source, work) || !findProgram('ninja') ? [] : ['-G', 'Ninja'];
  const type = `-DCMAKE_BUILD_TYPE=${debug ? 'Debug' : 'Release'}`;
  const wasm = `-DVALOR_WASM=${target === 'native' ? 'OFF' : 'REQUIRED'}`;
  const configure = ['-S', source, '-B', work, ...generator, type, wasm, '--log-level=WARNING'];
  run(`configuring ${folder}`, 'cmake', configure, folder);

  const names = [...text.matchAll(/^\s*valor_add_plugin\s*\(\s*([^\s)]+)/gm)].map(([, name]) => name!);
  const isPlain = names.every((name) => !name.includes('$'));
  const only = target === 'wasm' && isPlain ? ['--target', ...names.map((name) => `${name}-wasm`)] : [];
  run(`building ${folder}`, 'cmake', ['--build', work, ...only], folder);
}

/**
 * Whether CMake has worked in `work` before, by whomever, so that its generator stays. What it keeps there names folders: in
 * a project that was moved or copied it is of no use, and goes.
 */
function isConfigured(source: string, work: string): boolean {
  const cache = join(work, 'CMakeCache.txt');
  if (!existsSync(cache)) return false;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home === source) return true;
  rmSync(cache);
  rmSync(join(work, 'CMakeFiles'), { recursive: true, force: true });
  return false;
}
