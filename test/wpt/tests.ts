// Which tests there are: every *.any.js that is meant for a dedicated worker and every *.worker.js, once for each of its
// variants. https://web-platform-tests.org/writing-tests/testharness.html#multi-global-tests
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Protocol } from './server.ts';

/** What the project answers for, in the order of the report. */
export const directories = [
  ...['url', 'encoding', 'streams', 'WebCryptoAPI', 'FileAPI', 'compression', 'console', 'hr-time'],
  ...['html/webappapis/timers', 'html/webappapis/atob', 'html/webappapis/microtask-queuing'],
  ...['html/webappapis/structured-clone', 'webmessaging', 'dom/abort', 'dom/events', 'wasm/jsapi', 'wasm/webapi'],
  ...['urlpattern', 'fetch/api', 'fetch/data-urls', 'webidl', 'user-timing', 'performance-timeline', 'scheduler'],
];

export interface Test {
  /** Path of the file with the variant: "url/url-constructor.any.js?include=file". */
  id: string;
  /** The directory of the report that it counts for. */
  directory: string;
  /** Path below the server's root of the script that a browser would start the worker with. */
  worker: string;
  /** "" or "?..." */
  variant: string;
  /** With which the script comes, and what it fetches from its own place. */
  protocol: Protocol;
  long: boolean;
}

function metadata(source: string): [string, string][] {
  const found: [string, string][] = [];
  for (const line of source.split('\n')) {
    const match = /^\/\/\s*META:\s*(\w*)=(.*)$/.exec(line.trimEnd());
    if (!match) break;
    found.push([match[1]!, match[2]!.trim()]);
  }
  return found;
}

function testsOf(file: string, source: string, directory: string): Test[] {
  const meta = metadata(source);
  const values = (key: string): string[] => meta.filter(([name]) => name === key).map(([, value]) => value);
  const scopes = (values('global')[0] ?? 'window,dedicatedworker').split(',').map((scope) => scope.trim());
  const multiGlobal = file.endsWith('.any.js');
  if (multiGlobal && !scopes.includes('dedicatedworker') && !scopes.includes('worker')) return [];
  const variants = values('variant');
  return (variants.length > 0 ? variants : ['']).map((variant) => ({
    id: file + variant,
    directory,
    worker: multiGlobal ? file.replace(/\.any\.js$/, '.any.worker.js') : file,
    variant,
    protocol: /\.h2\./.test(file) ? 'h2' : /\.https\./.test(file) ? 'https' : 'http',
    long: values('timeout').includes('long'),
  }));
}

export function findTests(checkout: string, wanted: readonly string[]): Test[] {
  return wanted.flatMap((directory) => {
    const files = globSync(['**/*.any.js', '**/*.worker.js'], { cwd: join(checkout, directory) }).sort();
    return files.flatMap((file) => {
      const path = join(directory, file);
      return testsOf(path, readFileSync(join(checkout, path), 'utf8'), directory);
    });
  });
}
