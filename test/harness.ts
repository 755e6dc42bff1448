// Starts the real `valor` for a test and asks it over real HTTP. Every wait has a deadline.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const build = resolve(root, process.env.VALOR_BUILD ?? 'build/release');
export const command = join(root, 'bin/valor');

// Every server and folder of a test adds a listener that tidies up, also when the runner ends this process.
process.setMaxListeners(0);
process.once('SIGTERM', () => process.exit(1));
process.once('SIGINT', () => process.exit(1));

/** Long enough for a loaded machine; nothing is asserted about it. */
export const deadlineMs = 30_000;

export type Definition = Record<string, unknown>;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A definition of the test plug-in test/plugins/FILE (with its suffix), mounted at its name without suffix. */
export function web(file: string, fields: Definition = {}): Definition {
  return { type: 'web', name: file.replace(/\.[^.]*$/, '').replaceAll('/', '-'), url: pluginPath(file), ...fields };
}

export function pluginPath(file: string): string {
  return join(root, 'test/plugins', file);
}

/** An example in C++, as built. */
export function native(example: string, fields: Definition = {}): Definition {
  return { type: 'native', name: example, path: join(build, `examples/${example}.so`), ...fields };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Rejects when `promise` takes too long. */
export function within<T>(promise: Promise<T>, what: string, ms = deadlineMs): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks again and again until `condition` gives something. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  what: string,
  ms = deadlineMs,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${ms} ms`);
    await sleep(20);
  }
}

/** A folder of its own that goes away with the process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'valor-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs `valor` to its end. */
export async function runValor(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const valor = new Valor(args, env);
  const exit = await valor.exited('the end of the command');
  return { ...exit, stdout: valor.stdout, stderr: valor.log };
}

/** Starts `valor` with these plug-ins on a free port and waits until it listens. */
export async function serve(plugins: Definition[], args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Valor> {
  const file = join(temporaryFolder(), 'plugins.json');
  writeFileSync(file, JSON.stringify({ plugins }));
  return serveFile(file, args, env);
}

export async function serveFile(file: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Valor> {
  const valor = new Valor(['-p', file, '--port', '0', ...args], env, dirname(file));
  await valor.listening();
  return valor;
}

/** Serves examples/plugins.json, as it stands except for the build under test. */
export async function serveExamples(args: string[] = []): Promise<Valor> {
  // Beside the original, because its paths are relative to it.
  const file = join(root, 'examples', `.plugins-${process.pid}.json`);
  writeFileSync(file, readFileSync(join(root, 'examples/plugins.json'), 'utf8').replaceAll('../build/release', build));
  try {
    return await serveFile(file, args);
  } finally {
    rmSync(file);
  }
}

/** One running `valor` process. */
export class Valor {
  readonly process: ChildProcess;
  /** All of stderr up to now: the log. */
  log = '';
  stdout = '';
  port = 0;
  #exit: Promise<Exit>;

  constructor(args: string[], env: NodeJS.ProcessEnv = {}, cwd = process.cwd()) {
    const { VALOR_ADMIN_TOKEN: _, ...inherited } = process.env;
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd,
      env: { ...inherited, VALOR_BUILD: build, ...env },
    });
    this.process.stdout!.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.process.stderr!.setEncoding('utf8').on('data', (text) => {
      this.log += text;
      if (process.env.VALOR_TEST_LOG) process.stderr.write(text);
    });
    // A server that a failed test left behind must not keep the test's process.
    this.process.unref();
    for (const stream of [this.process.stdout, this.process.stderr]) (stream as Socket).unref();
    // 'close' rather than 'exit': all output has been read then.
    this.#exit = new Promise((done) => this.process.on('close', (code, signal) => done({ code, signal })));
    this.#exit.then(() => this.#showFindings());
    const kill = (): void => void this.process.kill('SIGKILL');
    process.on('exit', kill);
    this.#exit.then(() => process.off('exit', kill));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async listening(): Promise<void> {
    await eventually(() => {
      const { exitCode, signalCode } = this.process;
      if (exitCode !== null || signalCode)
        throw new Error(`valor ended (${exitCode ?? signalCode}):\n${this.stdout}${this.log}`);
      this.port = Number(/^valor listening on http:\/\/\S+:(\d+)\n/m.exec(this.stdout)?.[1] ?? 0);
      return this.port;
    }, 'the listening line');
  }

  /** What a sanitizer found fails the test's file, also when no test noticed. */
  #showFindings(): void {
    const found = /^.*(ERROR: AddressSanitizer|runtime error: )[\s\S]*/m.exec(this.log);
    if (found === null) return;
    process.stderr.write(found[0]);
    process.on('exit', () => (process.exitCode = 1));
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  exited(what = 'the end of valor', ms = deadlineMs): Promise<Exit> {
    return within(this.#exit, what, ms);
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited();
  }

  /** Waits until the log matches. */
  logged(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(() => pattern.exec(this.log), `${pattern} in the log:\n${this.log}\n`);
  }

  ask(path: string, options: AskOptions = {}): Promise<Answer> {
    return ask(this.port, path, options);
  }

  /** A field of /proc/PID/status in KiB: VmRSS now, VmHWM at most so far. */
  memoryKib(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  }

  /** How many file descriptors the process has. */
  openFiles(): number {
    return readdirSync(`/proc/${this.process.pid}/fd`).length;
  }
}

export interface AskOptions {
  method?: string;
  headers?: http.OutgoingHttpHeaders | string[];
  body?: string | Uint8Array;
  agent?: http.Agent;
  /** How long to wait for the answer. */
  patientMs?: number;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** As sent, repetitions included, names in lower case. */
  pairs: [string, string][];
  bytes: Buffer;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
  json(): any;
}

/** One request on a connection of its own (unless an agent is given); the path goes out exactly as written. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent = new http.Agent(), patientMs = deadlineMs } = options;
  const answer = new Promise<Answer>((done, failed) => {
    const request = http.request({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: headers as http.OutgoingHttpHeaders,
      agent,
    });
    request.on('error', failed);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('error', failed);
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const raw = response.rawHeaders;
        const pairs: [string, string][] = [];
        for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i]!.toLowerCase(), raw[i + 1]!]);
        const text = bytes.toString();
        done({
          status: response.statusCode!,
          headers: response.headers,
          pairs,
          bytes,
          text,
          json: () => JSON.parse(text),
        });
      });
    });
    request.end(body);
  });
  return within(answer, `the answer to ${method} ${path}`, patientMs);
}
