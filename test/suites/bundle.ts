// Makes a plug-in of a file of tests: the file and what it imports, as they are, and stand-ins for the test libraries.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { root } from '../harness.ts';
import { checkoutOf, type Suite } from './suites.ts';

const standIn = (name: string): string => join(import.meta.dirname, 'stand-ins', `${name}.ts`);

function entry(suite: Suite, file: string): string {
  const path = JSON.stringify(join(checkoutOf(suite), file));
  const handler = `import { report } from ${JSON.stringify(standIn('tests'))};\nexport default { fetch: report };\n`;
  if (suite.library === 'vitest') return `import 'vitest';\nimport ${path};\n${handler}`;
  return `import tests from ${path};
import * as library from ${JSON.stringify(join(checkoutOf(suite), 'src/index.ts'))};
import QUnit from ${JSON.stringify(standIn('qunit'))};
await tests(QUnit, library, library);
${handler}`;
}

/** What a checkout without node_modules lacks is taken from this repository's. */
const packages: Plugin = {
  name: 'packages',
  setup({ onResolve, resolve: find }) {
    onResolve({ filter: /^[\w@]/ }, async ({ path, pluginData, ...args }) => {
      if (pluginData === packages) return undefined;
      const options = { kind: args.kind, pluginData: packages };
      const found = await find(path, { ...options, importer: args.importer, resolveDir: args.resolveDir });
      return found.errors.length === 0 ? found : find(path, { ...options, resolveDir: root });
    });
  },
};

/** Writes the plug-in to `outfile`. */
export async function bundle(suite: Suite, file: string, outfile: string): Promise<void> {
  const checkout = checkoutOf(suite);
  const usesBuffer = /\bBuffer\b/.test(readFileSync(join(checkout, file), 'utf8'));
  await build({
    stdin: { contents: entry(suite, file), resolveDir: resolve(checkout, dirname(file)), loader: 'js' },
    outfile,
    bundle: true,
    format: 'esm',
    target: 'esnext',
    // Tests ask for names of functions and classes.
    keepNames: true,
    alias: {
      vitest: standIn('vitest'),
      msw: standIn('msw'),
      'msw/node': standIn('msw'),
      crypto: standIn('crypto'),
    },
    // As bundlers for browsers have it.
    define: { global: 'globalThis' },
    inject: usesBuffer ? [standIn('buffer-global')] : [],
    plugins: [packages],
    logLevel: 'silent',
    ...suite.options?.(checkout),
  });
}
