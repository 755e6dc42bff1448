// Reading a command line by a table of options, in the same manner for every command.
import { parseArgs } from 'node:util';
import { nearest } from './nearest.ts';

/** A mistake in what the user wrote: exit code 2. */
export class UsageError extends Error {}

export interface Spec {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: true;
  /** What stands for the value in --help. */
  value?: string;
  fallback?: string;
  group: string;
  help: string;
}

export type Specs = Record<string, Spec>;
export type Values<S extends Specs> = Partial<Record<keyof S & string, string | boolean | string[]>>;

/** The options and words of `args`. Throws UsageError. */
export function readArguments<S extends Specs>(args: string[], specs: S): { values: Values<S>; positionals: string[] } {
  const parsed = parseArgs({ args, options: specs, strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, string | boolean | string[]> = {};
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    const { name } = token;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (!spec) throw new UsageError(unknownOption(token.rawName, specs));
    if (spec.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      values[name] = true;
      continue;
    }
    // Without this, `-p -w` would read a plug-in file named "-w".
    if (token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-'))) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${spec.value}`);
    }
    if (spec.multiple) {
      values[name] = [...((values[name] as string[] | undefined) ?? []), token.value];
    } else if (values[name] !== undefined) {
      throw new UsageError(`${token.rawName} is given more than once`);
    } else {
      values[name] = token.value;
    }
  }
  return { values: values as Values<S>, positionals: parsed.positionals };
}

/** "; did you mean X?" where one of `words` is near. */
export function suggestion(word: string, words: readonly string[], prefix = ''): string {
  const guess = nearest(word, words);
  return guess ? `; did you mean ${prefix}${guess}?` : '';
}

function unknownOption(rawName: string, specs: Specs): string {
  return `unknown option '${rawName}'${suggestion(rawName.replace(/^-+/, ''), Object.keys(specs), '--')}`;
}
