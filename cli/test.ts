// `valor test`: runs the cases of a file against a plug-in, on a real server and in a browser without a window, side by
// side. The browser gets a page of the same server, which starts the browser runtime, asks, and reports back here.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import type { Started } from './addon.ts';
import { readArguments, type Specs, suggestion, UsageError } from './arguments.ts';
import { type BrowserName, browserNames, needBrowser, openPage } from './browsers.ts';
import { readJson } from './json-lines.ts';
import { type Answer, ask, type CaseRequest } from './test-ask.ts';
import { type Case, differences, readCases } from './test-cases.ts';

export interface TestOptions {
  /** A path, or a name in `pluginFile`. */
  plugin: string;
  pluginFile?: string;
  cases: string;
  browsers: BrowserName[];
  /** JSON, for a plug-in that is given by its path. */
  config?: unknown;
}

export const testSpecs = {
  cases: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    group: 'Options',
    help: 'The requests, and what is expected of their answers. docs/cli.md describes the file.',
  },
  plugins: {
    type: 'string',
    short: 'p',
    value: 'FILE',
    group: 'Options',
    help: 'PLUGIN is the name of a plug-in of this plug-in file; its other plug-ins run, too.',
  },
  config: {
    type: 'string',
    value: 'JSON',
    group: 'Options',
    help: 'The config of a plug-in that is given by its path.',
  },
  browser: {
    type: 'string',
    short: 'b',
    value: 'BROWSER',
    fallback: 'chromium',
    group: 'Options',
    help: 'chromium, firefox or both.',
  },
  'server-only': { type: 'boolean', group: 'Options', help: 'Without a browser.' },
  help: { type: 'boolean', short: 'h', group: 'Options', help: 'Print this text.' },
} as const satisfies Specs;

export const testHelp = {
  usage: ['valor test PLUGIN --cases FILE [options]'],
  about:
    'Asks PLUGIN, a script, a .wasm or .so file or the name of one in a plug-in file, on a server and in a browser, and prints for each case and place whether the answer is as expected. The exit code is 1 when one is not.',
  examples: [
    ['valor test hello.js -c cases.json', 'server and Chromium'],
    ['valor test hello.js -c cases.json -b both', 'Firefox, too'],
    ['valor test hello -p team.json -c c.json', 'the plug-in hello of a plug-in file'],
  ],
} as const;

/** Of `valor test` without the first word. Throws UsageError. */
export function readTestArguments(args: string[]): TestOptions {
  const { values, positionals } = readArguments(args, testSpecs);
  const [plugin, extra] = positionals;
  if (plugin === undefined) throw new UsageError('which plug-in? valor test PLUGIN --cases FILE');
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'; one plug-in at a time`);
  if (values.cases === undefined) throw new UsageError(`which cases? valor test ${plugin} --cases FILE`);
  const browser = String(values.browser ?? testSpecs.browser.fallback);
  const choices = [...browserNames, 'both'];
  if (!choices.includes(browser)) {
    throw new UsageError(`--browser is one of ${choices.join(', ')}, not '${browser}'${suggestion(browser, choices)}`);
  }
  if (values['server-only'] && values.browser !== undefined) {
    throw new UsageError('--server-only and --browser exclude each other');
  }
  const options: TestOptions = {
    plugin,
    cases: String(values.cases),
    browsers: values['server-only'] ? [] : browser === 'both' ? [...browserNames] : [browser as BrowserName],
  };
  if (values.plugins !== undefined) options.pluginFile = String(values.plugins);
  if (values.config !== undefined) {
    if (options.pluginFile) throw new UsageError('--config is for a plug-in that is given by its path');
    options.config = readJson(String(values.config), '--config').value;
  }
  return options;
}

interface Target {
  pluginFile: string;
  name: string;
  prefix: string;
}

/** Where the page of the browsers is mounted. */
const pageName = 'valor-test-page';
/** A browser that starts on a loaded machine, or a case that takes its time. */
const silenceMs = 90_000;

/** Returns the report, and whether all is as expected. `start` serves plug-in files, with the browser runtime. */
export async function testPlugin(
  options: TestOptions,
  start: (pluginFiles: string[]) => Promise<Started>,
): Promise<{ report: string; passed: boolean }> {
  const cases = readCases(read(options.cases), options.cases);
  for (const browser of options.browsers) needBrowser(browser);
  const folder = mkdtempSync(join(tmpdir(), 'valor-test-'));
  try {
    const target = targetOf(options, folder);
    const page = writePage(folder);
    const { port } = await start([target.pluginFile, page]);
    const origin = `http://127.0.0.1:${port}`;
    const mount = `${origin}${target.prefix && `/${target.prefix}`}`;
    const listed = options.browsers.length > 0 ? await listedForBrowsers(origin, target.name) : undefined;
    const requests = cases.map(({ request }) => request);
    const columns: Column[] = [];
    if (listed?.place !== 'browser') {
      const answers: Answer[] = [];
      for (const request of requests) answers.push(await ask(mount, request));
      columns.push({ place: 'server', found: compared(cases, answers) });
    }
    for (const browser of listed ? options.browsers : []) {
      const answers = await askInBrowser(browser, `${origin}/${pageName}/`, mount, requests, folder);
      const network = listed?.fallback === 'network' || listed?.prefer === 'network-first';
      if (!network) for (const answer of answers) tellNetwork(answer);
      columns.push({ place: browser, found: compared(cases, answers) });
    }
    const alone = options.browsers.length > 0 && !listed;
    return reportOf(cases, columns, alone ? `${target.name} does not run in browsers: it is of the server only` : '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

// ---- what is tested

function targetOf({ plugin, pluginFile, config }: TestOptions, folder: string): Target {
  if (pluginFile !== undefined) return listedTarget(plugin, pluginFile);
  const path = resolve(plugin);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new UsageError(`there is no file ${plugin}; the name of a plug-in goes with its plug-in file: -p FILE`);
  }
  const name = basename(path, extname(path)).replace(/[^A-Za-z0-9_.-]/g, '-');
  const place = extname(path) === '.so' ? { type: 'native', path } : { type: 'web', url: path };
  const file = join(folder, 'plugins.json');
  writeFileSync(file, JSON.stringify({ plugins: [{ ...place, name, ...(config === undefined ? {} : { config }) }] }));
  return { pluginFile: file, name, prefix: name };
}

/** The server says what is wrong with the plug-in file itself. */
function listedTarget(name: string, file: string): Target {
  const { plugins } = (readJson(read(file), file).value ?? {}) as { plugins?: { name: string; prefix?: string }[] };
  if (!Array.isArray(plugins)) throw new UsageError(`${file}: there is no list "plugins"`);
  const names = plugins.map((one) => String(one.name));
  const found = plugins.find((one) => one.name === name);
  if (!found) {
    throw new UsageError(
      `${file} has no plug-in '${name}'${suggestion(name, names) || `; it has ${names.join(', ')}`}`,
    );
  }
  const prefix = String(found.prefix ?? name).replace(/^[\s/]+|[\s/]+$/g, '');
  return { pluginFile: resolve(file), name, prefix };
}

interface Listed {
  name: string;
  place?: string;
  fallback?: string;
  prefer?: string;
}

async function listedForBrowsers(origin: string, name: string): Promise<Listed | undefined> {
  const response = await fetch(`${origin}/_valor/plugins.json`);
  if (!response.ok) throw new Error('the browser runtime is not built; run: make web');
  const { plugins } = (await response.json()) as { plugins: Listed[] };
  return plugins.find((one) => one.name === name);
}

// ---- the browser

/** What runs in the page. `ask` is that of test-ask.ts. */
const script = (askText: string): string => `const ask = ${askText};
const { mount, requests } = await (await fetch('cases.json')).json();
const report = new URLSearchParams(location.search).get('report');
const say = (message) => fetch(report, { method: 'POST', mode: 'no-cors', body: JSON.stringify(message) });
try {
  const { start } = await import('/_valor/valor.js');
  const valor = await start();
  if (valor.state !== 'ready') throw new Error('the state of the browser runtime is ' + valor.state);
  for (const request of requests) await say({ answer: await ask(mount, request) });
} catch (error) {
  await say({ error: String(error) });
}
`;

/** Writes the page, and a plug-in file that serves it. */
function writePage(folder: string): string {
  const path = join(folder, 'page');
  mkdirSync(path);
  writeFileSync(
    join(path, 'index.html'),
    '<!doctype html><title>valor test</title><script type="module" src="run.js"></script>\n',
  );
  writeFileSync(join(path, 'run.js'), script(String(ask)));
  const file = join(folder, 'page.json');
  writeFileSync(file, JSON.stringify({ plugins: [{ type: 'static', builtin: 'files', name: pageName, path }] }));
  return file;
}

async function askInBrowser(
  browser: BrowserName,
  page: string,
  mount: string,
  requests: CaseRequest[],
  folder: string,
): Promise<Answer[]> {
  writeFileSync(join(folder, 'page/cases.json'), JSON.stringify({ mount, requests }));
  const answers: Answer[] = [];
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const late = (): NodeJS.Timeout =>
    setTimeout(() => reject(new Error(`${browser} has said nothing for ${silenceMs / 1000} seconds`)), silenceMs);
  let timer = late();
  // Others on this machine do not know the path.
  const path = `/${randomUUID()}`;
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    response.end();
    if (request.url !== path) return;
    clearTimeout(timer);
    timer = late();
    const said = JSON.parse(text) as { answer?: Answer; error?: string };
    if (said.error !== undefined) reject(new Error(`${browser}: ${said.error}`));
    else if (said.answer && answers.push(said.answer) === requests.length) resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const report = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const open = openPage(browser, `${page}?report=${encodeURIComponent(report)}`);
  try {
    await Promise.race([done, open.ended]);
    return answers;
  } finally {
    clearTimeout(timer);
    await open.close();
    server.close();
    server.closeAllConnections();
  }
}

/** Makes a difference of an answer that the plug-in in the browser did not give. */
function tellNetwork(answer: Answer): void {
  const opaque = answer.error !== undefined || answer.redirected;
  if (!opaque && !answer.headers.some(([name]) => name === 'x-valor-place')) {
    answer.error = `status ${answer.status} from the network, not from the plug-in in the browser`;
  }
}

// ---- the report

interface Column {
  place: string;
  /** What is not as expected, for each case. */
  found: string[][];
}

function compared(cases: Case[], answers: Answer[]): string[][] {
  return cases.map(({ expect }, i) => differences(answers[i]!, expect));
}

function reportOf(cases: Case[], columns: Column[], note: string): { report: string; passed: boolean } {
  const title = 'case';
  const width = Math.max(title.length, ...cases.map(({ name }) => name.length));
  const row = (first: string, cells: string[]): string =>
    `${first.padEnd(width)}  ${cells.map((cell, i) => cell.padEnd(columns[i]!.place.length)).join('  ')}`.trimEnd();
  const lines = [
    row(
      title,
      columns.map(({ place }) => place),
    ),
  ];
  let count = 0;
  cases.forEach(({ name }, i) => {
    lines.push(
      row(
        name,
        columns.map(({ found }) => (found[i]!.length > 0 ? 'FAIL' : 'ok')),
      ),
    );
    for (const { place, found } of columns) {
      for (const difference of found[i]!) lines.push(`    ${place}: ${difference}`);
      if (found[i]!.length > 0) count++;
    }
  });
  const total = cases.length * columns.length;
  lines.push(
    '',
    count === 0 ? `${total} of ${total} answers are as expected` : `${count} of ${total} answers are not as expected`,
  );
  if (note) lines.push(note);
  return { report: `${lines.join('\n')}\n`, passed: count === 0 };
}
