// AssemblyScript: asc, from the project or, where it has none, from Valor's own packages.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { UsageError } from '../arguments.ts';
import type { Build } from '../build.ts';
import { BuildError, run } from '../programs.ts';

export function buildAssemblyScript({ folder, target = 'wasm', debug, home }: Build): string[] {
  if (target !== 'wasm') throw new UsageError(`AssemblyScript compiles to WASM only: --target wasm, not '${target}'`);
  const compiler = findCompiler(folder) ?? findCompiler(home);
  if (compiler === undefined) {
    throw new BuildError(`the compiler asc is missing; install it with: ${installation(folder)}`);
  }
  const module = join('build', `${nameOf(folder)}.wasm`);
  mkdirSync(join(folder, 'build'), { recursive: true });
  const args = [compiler, '--config', 'asconfig.json', '--target', debug ? 'debug' : 'release', '-o', module];
  run(`compiling ${folder}`, process.execPath, args, folder);
  return [join(folder, module)];
}

function findCompiler(folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'package.json')).resolve('assemblyscript/bin/asc.js');
  } catch {
    return undefined;
  }
}

function installation(folder: string): string {
  const file = join(folder, 'package.json');
  const named = existsSync(file) && readFileSync(file, 'utf8').includes('"assemblyscript"');
  return named ? `cd ${folder} && npm install` : `cd ${folder} && npm install --save-dev assemblyscript`;
}

/** That of the entry file, which asconfig.json names. */
function nameOf(folder: string): string {
  const file = join(folder, 'asconfig.json');
  try {
    const { entries } = JSON.parse(readFileSync(file, 'utf8'));
    return basename(String(entries[0]), '.ts');
  } catch (error) {
    throw new BuildError(`${file}: "entries" must name the plug-in's file first: ${(error as Error).message}`);
  }
}
