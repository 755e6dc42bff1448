// `valor build`: compiles a plug-in's folder to build/NAME.so and build/NAME.wasm, with the tools of its language.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { readArguments, type Specs, suggestion, UsageError } from './arguments.ts';
import { buildAssemblyScript } from './languages/assemblyscript.ts';
import { buildWithCargo } from './languages/cargo.ts';
import { buildSources, buildWithCmake } from './languages/cmake.ts';
import { BuildError } from './programs.ts';
import { linkSdk } from './sdk-link.ts';

const targets = ['native', 'wasm', 'both'] as const;
export type Target = (typeof targets)[number];

export interface BuildOptions {
  /** Absolute. */
  folder: string;
  /** undefined: what the language can do. */
  target?: Target;
  debug: boolean;
}

export const buildSpecs = {
  target: {
    type: 'string',
    short: 't',
    value: 'TARGET',
    group: 'Options',
    help: 'native, wasm or both. Without it both, and of AssemblyScript the one that there is: wasm.',
  },
  release: { type: 'boolean', group: 'Options', help: 'Optimised. This is what happens without it, too.' },
  debug: { type: 'boolean', group: 'Options', help: 'With what a debugger needs, and hardly optimised.' },
  help: { type: 'boolean', short: 'h', group: 'Options', help: 'Print this text.' },
} as const satisfies Specs;

/** Of `valor build` without the first word. Throws UsageError. */
export function readBuildArguments(args: string[]): BuildOptions {
  const { values, positionals } = readArguments(args, buildSpecs);
  const [path = '.', extra] = positionals;
  if (extra !== undefined)
    throw new UsageError(`unexpected argument '${extra}'; one folder at a time: valor build ${path}`);
  const target = values.target as string | undefined;
  if (target !== undefined && !(targets as readonly string[]).includes(target)) {
    throw new UsageError(`--target is one of ${targets.join(', ')}, not '${target}'${suggestion(target, targets)}`);
  }
  if (values.release && values.debug) throw new UsageError('--release and --debug exclude each other');
  return {
    folder: resolve(path),
    ...(target === undefined ? {} : { target: target as Target }),
    debug: values.debug === true,
  };
}

/** A folder to build, as each language gets it. */
export interface Build extends BuildOptions {
  /** Valor's own folder. */
  home: string;
}

/** Compiles. Returns the files that it made or found up to date, relative to the working folder. */
export function buildProject(options: BuildOptions, home: string): string[] {
  const { folder } = options;
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${shown(folder)}`);
  if (!statSync(folder).isDirectory())
    throw new UsageError(`${shown(folder)} is no folder; give the one that it is in`);
  const build = languageOf(folder);
  linkSdk(folder, home);
  return build({ ...options, home }).map(shown);
}

/** What lies in the build folder of a project for these targets. */
export function builtFiles({ folder, target = 'both' }: Pick<Build, 'folder' | 'target'>): string[] {
  const suffixes = { native: ['.so'], wasm: ['.wasm'], both: ['.so', '.wasm'] }[target];
  const files = readdirSync(join(folder, 'build')).sort();
  return files.filter((file) => suffixes.includes(extname(file))).map((file) => join(folder, 'build', file));
}

function shown(path: string): string {
  return relative('.', path) || '.';
}

/** Which tools a folder is for, by what lies in it. */
function languageOf(folder: string): (build: Build) => string[] {
  const files = readdirSync(folder);
  if (files.includes('Cargo.toml')) return buildWithCargo;
  if (files.includes('CMakeLists.txt')) {
    if (readFileSync(join(folder, 'CMakeLists.txt'), 'utf8').includes('valor_add_plugin')) return buildWithCmake;
    throw new BuildError(
      `${shown(join(folder, 'CMakeLists.txt'))} makes no plug-in; it needs\n  find_package(Valor REQUIRED HINTS \${CMAKE_CURRENT_SOURCE_DIR}/.valor/sdk/cpp/cmake)\n  valor_add_plugin(NAME SOURCES ...)`,
    );
  }
  if (files.includes('asconfig.json')) return buildAssemblyScript;
  if (files.some((file) => /\.(c|cc|cpp|cxx)$/.test(file))) return buildSources;
  const script = files.find((file) => /\.m?[jt]s$/.test(file));
  if (script !== undefined) {
    throw new BuildError(
      `${shown(join(folder, script))} needs no build: name it in a plug-in file as "url". (AssemblyScript has an asconfig.json beside it.)`,
    );
  }
  throw new BuildError(
    `nothing to build in ${shown(folder)}: no CMakeLists.txt, Cargo.toml, asconfig.json, .c or .cpp file. valor new makes a project`,
  );
}

export const buildHelp = {
  usage: ['valor build [FOLDER] [options]'],
  about:
    'Compiles the plug-in in FOLDER (here, without one) to build/NAME.so and build/NAME.wasm in it. The language is that of CMakeLists.txt, Cargo.toml, asconfig.json, or of .c and .cpp files alone.',
  examples: [
    ['valor build', 'both targets, optimised'],
    ['valor build hello --target wasm', 'only the one that runs in browsers too'],
  ],
} as const;
