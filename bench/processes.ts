// Processes under measurement: starting, waiting until they answer, CPU time, memory, ending.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const root = resolve(import.meta.dirname, '..');
export const build = resolve(root, process.env.VALOR_BUILD ?? 'build/release');
export const cores = availableParallelism();

const deadlineMs = 20_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export interface Command {
  command: string;
  args: string[];
  /** Relative addresses of the command's files start here. */
  cwd?: string;
  /** Added to the environment. */
  env?: Record<string, string>;
}

/** One process that was started for a measurement. */
export class Subject {
  readonly child: ChildProcess;
  readonly port: number;
  output = '';

  constructor({ command, args, cwd = root, env = {} }: Command, port: number) {
    this.port = port;
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    this.child.on('exit', () => running.delete(this.child));
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-100_000);
      });
    }
  }

  /** Waits until `path` is answered with 200. */
  async answers(path: string): Promise<void> {
    const end = Date.now() + deadlineMs;
    while (!(await answersNow(this.port, path))) {
      if (this.child.exitCode !== null || this.child.signalCode) throw new Error(`it ended:\n${this.output}`);
      if (Date.now() > end) throw new Error(`no answer to ${path} in ${deadlineMs} ms:\n${this.output}`);
      await sleep(1);
    }
  }

  /** Waits for a line of output that matches. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const end = Date.now() + 2 * deadlineMs;
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode) throw new Error(`it ended:\n${this.output}`);
      if (Date.now() > end) throw new Error(`${pattern} was not printed:\n${this.output}`);
      await sleep(5);
    }
  }

  /** CPU time of all threads so far, in microseconds. */
  cpuUs(): number {
    let nanoseconds = 0;
    for (const task of readdirSync(`/proc/${this.child.pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${this.child.pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    }
    return nanoseconds / 1000;
  }

  /** Resident memory in MiB. */
  rssMb(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode) return;
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGKILL');
    await ended;
  }
}

function answersNow(port: number, path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    });
    let answer = '';
    socket.setTimeout(deadlineMs, () => socket.destroy());
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (answer.length >= 12) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => done(answer.startsWith('HTTP/1.1 200')));
  });
}

/** `count` ports that are free now, below those that the system gives to clients. */
export async function freePorts(count: number): Promise<number[]> {
  const free: number[] = [];
  for (let tries = 0; free.length < count; tries++) {
    if (tries > 100 * count) throw new Error('no free ports');
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (!free.includes(port) && (await canListen(port))) free.push(port);
  }
  return free;
}

function canListen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = net.createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** Runs a command to its end and returns what it printed. */
export async function run({ command, args, cwd = root }: Command, timeoutMs = 60_000): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const code = await new Promise((done, failed) => {
    child.on('close', done);
    child.on('error', failed);
  });
  clearTimeout(timer);
  running.delete(child);
  if (code !== 0) throw new Error(`${command} failed (${code}):\n${output}`);
  return output;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that `share` of the values do not exceed. */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
