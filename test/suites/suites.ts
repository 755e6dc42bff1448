// The suites: where they come from, which of their files run, and why some do not.
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { root } from '../harness.ts';

export interface Suite {
  name: string;
  /** Names the checkout; without it, it is .cache/suites/NAME. */
  variable: string;
  repository: string;
  /** Tag or branch that the expectations were made with. */
  revision: string;
  /** Which files hold tests. */
  tests: string[];
  /** Files that no worker can run, and what they need. */
  elsewhere: Record<string, string>;
  /** The library the tests are written for. */
  library: 'vitest' | 'qunit';
  options?: (checkout: string) => BuildOptions;
}

const jsdom = 'builds a DOM with jsdom';

export const suites: Suite[] = [
  {
    name: 'hono',
    variable: 'HONO_DIR',
    repository: 'https://github.com/honojs/hono',
    revision: 'v4.13.3',
    tests: ['src/**/*.test.{ts,tsx}'],
    elsewhere: {
      'src/**/*.case.test.{ts,tsx}': 'tables of cases that other files import',
      'src/jsx/dom/{client,components,context,css,index}.test.tsx': jsdom,
      'src/jsx/dom/{hooks/index,intrinsic-element/components}.test.tsx': jsdom,
      'src/jsx/{components,streaming,hooks/dom}.test.tsx': jsdom,
      'src/jsx/context-isolation.test.ts': "takes Node's process and module loader apart",
      'src/adapter/lambda-edge/handler.test.ts': 'the adapter itself imports node:crypto',
      'src/middleware/context-storage/index.test.ts': "is about Node's AsyncLocalStorage",
      'src/middleware/serve-static/path.test.ts': "compares with Node's path module",
      'src/utils/color.test.ts': 'runs esbuild, a native program',
    },
    library: 'vitest',
    // As its vitest.config.ts has it.
    options: (checkout) => ({ jsx: 'automatic', jsxImportSource: join(checkout, 'src/jsx') }),
  },
  {
    name: 'itty-router',
    variable: 'ITTY_ROUTER_DIR',
    repository: 'https://github.com/kwhitley/itty-router',
    revision: 'v5.x',
    tests: ['src/**/*.spec.ts'],
    elsewhere: {},
    library: 'vitest',
  },
  {
    name: 'jose',
    variable: 'JOSE_DIR',
    repository: 'https://github.com/panva/jose',
    revision: 'v6.2.10',
    // Its suite for runtimes that are not Node; test/ is written for Node's crypto, http and vm.
    tests: ['tap/{aes,aeskw,cookbook,ecdh,general,generate_options,hmac,jwk,jwks,jws,pbes2,pem,rsaes}.ts'],
    elsewhere: {},
    library: 'qunit',
  },
];

export function checkoutOf({ name, variable }: Suite): string {
  return resolve(root, process.env[variable] ?? join('.cache/suites', name));
}

/** Paths below the checkout. */
export function filesOf(suite: Suite): { files: string[]; elsewhere: Map<string, string> } {
  const cwd = checkoutOf(suite);
  const elsewhere = new Map<string, string>();
  for (const [pattern, reason] of Object.entries(suite.elsewhere)) {
    for (const file of globSync(pattern, { cwd })) elsewhere.set(file, reason);
  }
  const files = globSync(suite.tests, { cwd }).filter((file) => !elsewhere.has(file));
  return { files: files.sort(), elsewhere };
}
