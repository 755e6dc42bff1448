// `valor new`: a plug-in project from a template, a folder of ordinary files (cli/templates/LANGUAGE) in which __name__
// stands for the plug-in's name, in file names too.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { readArguments, type Specs, suggestion, UsageError } from './arguments.ts';
import { findProgram } from './programs.ts';
import { linkSdk } from './sdk-link.ts';

export const languages = ['js', 'ts', 'cpp', 'rust', 'c', 'assemblyscript'] as const;
export type Language = (typeof languages)[number];

export interface NewOptions {
  name: string;
  /** Absolute. */
  folder: string;
  language: Language;
}

export const newSpecs = {
  lang: {
    type: 'string',
    short: 'l',
    value: 'LANGUAGE',
    fallback: 'js',
    group: 'Options',
    help: `${languages.join(', ')}.`,
  },
  help: { type: 'boolean', short: 'h', group: 'Options', help: 'Print this text.' },
} as const satisfies Specs;

// What people call them, too.
const aliases: Record<string, Language> = {
  javascript: 'js',
  typescript: 'ts',
  'c++': 'cpp',
  cxx: 'cpp',
  rs: 'rust',
  as: 'assemblyscript',
};

/** Of `valor new` without the first word. Throws UsageError. */
export function readNewArguments(args: string[]): NewOptions {
  const { values, positionals } = readArguments(args, newSpecs);
  const [path, extra] = positionals;
  if (!path) throw new UsageError('which name? valor new NAME [--lang LANGUAGE]');
  if (extra !== undefined) {
    const guess = isLanguage(extra) ? `: valor new ${path} --lang ${extra}` : '; a plug-in has one name';
    throw new UsageError(`unexpected argument '${extra}'${guess}`);
  }
  const given = String(values.lang ?? newSpecs.lang.fallback);
  const language = aliases[given.toLowerCase()] ?? given.toLowerCase();
  if (!isLanguage(language)) {
    throw new UsageError(
      `unknown language '${given}'${suggestion(language, languages)}; there are ${languages.join(', ')}`,
    );
  }
  const folder = resolve(path);
  const name = basename(folder);
  checkName(name, language);
  return { name, folder, language };
}

function isLanguage(text: string): text is Language {
  return (languages as readonly string[]).includes(text);
}

/** The rules of core/definition-parser.cpp, so that the name can be the plug-in's and its mount; and the languages' own. */
function checkName(name: string, language: Language): void {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(name) || /^\.\.?$/.test(name)) {
    throw new UsageError(`'${name}' cannot be a plug-in's name: that is 1 to 100 characters of A-Z a-z 0-9 . _ -`);
  }
  if (/^[.-]/.test(name))
    throw new UsageError(`'${name}' would be a hidden file or look like an option; begin with a letter`);
  if (language === 'rust' && /^valor([-_]macros)?$/.test(name)) {
    throw new UsageError(`'${name}' is the name of a crate that the plug-in needs; choose another one`);
  }
  if ((language === 'c' || language === 'cpp') && cmakeTarget.test(name)) {
    throw new UsageError(`'${name}' is a word of CMake, which builds the plug-in; choose another name`);
  }
  if (language === 'rust' && !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
    throw new UsageError(
      `'${name}' cannot be the name of a Rust package: that is a letter, then letters, digits, _ and -`,
    );
  }
}

/** Targets that CMake makes itself. */
const cmakeTarget =
  /^(all|all_build|clean|depend|edit_cache|help|install|package|package_source|preinstall|rebuild_cache|run_tests|test|zero_check)$/i;

/** Makes the project. `home` is Valor's folder, `types` the file that `valor types` prints. Returns what to say. */
export function createProject({ name, folder, language }: NewOptions, home: string, types: string): string {
  const template = join(home, 'cli/templates', language);
  if (!existsSync(template)) throw new Error(`${template} is missing; Valor is not complete`);
  const shown = relative('.', folder) || '.';
  try {
    refuseToOverwrite(folder);
    write(template, { name, folder, language }, types);
    if (language !== 'ts' && language !== 'js') linkSdk(folder, home);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined || !(code in refusals)) throw error;
    throw new Error(`${shown} cannot be made: ${relative('.', path ?? folder) || '.'}: ${refusals[code]}`);
  }
  const commands = /^```sh\n(.*?)^```/ms.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1] ?? '';
  const lines = [`cd ${quoted(shown)}`, ...commands.trimEnd().split('\n')];
  // The commands say `valor`, wherever this one was started from.
  if (findProgram('valor') === undefined) lines.unshift(`export PATH=${quoted(join(home, 'bin'))}:"$PATH"`);
  return `${shown}: a plug-in in ${titles[language]}. Go on with\n\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

const refusals: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  ENOTDIR: 'a file is where a folder must be',
  EEXIST: 'a file is where a folder must be',
};

/** As a shell reads it. */
function quoted(text: string): string {
  return /^[A-Za-z0-9._/+:@%-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function write(template: string, { name, folder, language }: NewOptions, types: string): void {
  for (const file of readdirSync(template, { recursive: true, encoding: 'utf8' })) {
    const from = join(template, file);
    if (statSync(from).isDirectory()) continue;
    const to = join(folder, file.replaceAll('__name__', name));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, readFileSync(from, 'utf8').replaceAll('__name__', name));
  }
  if (language === 'ts') cpSync(types, join(folder, 'valor.d.ts'));
}

const titles: Record<Language, string> = {
  js: 'JavaScript',
  ts: 'TypeScript',
  cpp: 'C++',
  rust: 'Rust',
  c: 'C',
  assemblyscript: 'AssemblyScript',
};

function refuseToOverwrite(folder: string): void {
  if (!existsSync(folder)) return;
  const shown = relative('.', folder) || '.';
  if (!statSync(folder).isDirectory()) throw new UsageError(`${shown} exists already and is no folder`);
  // A fresh clone of an empty repository is a good place.
  const [first] = readdirSync(folder).filter((file) => file !== '.git');
  if (first !== undefined) {
    throw new UsageError(`${shown} exists already and is not empty (${first}); choose another name, or remove it`);
  }
}

export const newHelp = {
  usage: ['valor new NAME [--lang LANGUAGE]'],
  about:
    'Writes a small plug-in project into the new folder NAME: source, test, plug-in file, README with the commands.',
  examples: [
    ['valor new hello', 'a plug-in in JavaScript'],
    ['valor new hello --lang cpp', 'the same in C++, for both targets'],
    ['valor new plugins/hello -l rust', 'in a folder of folders'],
  ],
} as const;
