// The columns of the case table: one for each language and target, with its four plug-ins as they
// are built.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Definition, root } from '../harness.ts';
import { variants } from './variants.ts';

export interface Column {
  name: string;
  /** Definitions of the case plug-ins, mounted below the prefix NAME/. */
  plugins: Definition[];
}

export const caseNames = ['hello', 'with-state', 'echo', 'stream'] as const;

function column(name: string, place: (plugin: string) => Definition): Column {
  const plugins = caseNames.map((plugin) => ({
    ...place(plugin),
    name: `${name}-${plugin}`,
    prefix: `${name}/${plugin}`,
    ...(plugin === 'with-state' ? { config: 'Alice' } : {}),
    ...(plugin === 'echo' ? { permissions: { net: ['self', '127.0.0.1:1'] } } : {}),
  }));
  const more = variants.map(({ name: variant, of, fields }) => ({
    ...place(of),
    name: `${name}-${variant}`,
    prefix: `${name}/${variant}`,
    ...fields,
  }));
  return { name, plugins: [...plugins, ...more] };
}

const built = (language: string, plugin: string, suffix: string): string =>
  join(build, 'parity', language, `${plugin}.${suffix}`);
export const native = (language: string): Column =>
  column(`${language}-native`, (plugin) => ({ type: 'native', path: built(language, plugin, 'so') }));
export const wasm = (language: string): Column =>
  column(`${language}-wasm`, (plugin) => ({ type: 'web', url: built(language, plugin, 'wasm') }));

export const columns: Column[] = [
  column('js', (plugin) => ({ type: 'web', url: join(root, `test/parity/js/${plugin}.js`) })),
  native('cpp'),
  wasm('cpp'),
  native('c'),
  wasm('c'),
  native('rust'),
  wasm('rust'),
  wasm('assemblyscript'),
];

/** Files of a column that are not there: it has not been built. */
export function missing({ plugins }: Column): string[] {
  return plugins.map((plugin) => String(plugin.path ?? plugin.url)).filter((file) => !existsSync(file));
}
