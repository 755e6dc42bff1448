// CPU time per request and requests per second under wrk: 64 connections, plain and with 16 requests in a write.
import { join } from 'node:path';
import { median, root, run, type Subject } from './processes.ts';

export interface LoadRow {
  name: string;
  label: string;
  path: string;
  subject: Subject;
}

export interface LoadRun {
  cpuUs: number;
  perSecond: number;
}

export interface LoadResult {
  name: string;
  label: string;
  plain: LoadRun;
  pipelined: LoadRun;
  /** The single runs behind the medians. */
  runs: Record<Mode, LoadRun[]>;
}

export type Mode = 'plain' | 'pipelined';
const modes: Mode[] = ['plain', 'pipelined'];

async function load({ subject, path, name }: LoadRow, mode: Mode, seconds: number): Promise<LoadRun> {
  const script = mode === 'pipelined' ? ['-s', join(root, 'bench/pipelined.lua')] : [];
  const before = subject.cpuUs();
  const output = await run({
    command: 'wrk',
    args: ['-t1', '-c64', `-d${seconds}s`, ...script, `http://127.0.0.1:${subject.port}${path}`],
  });
  const cpu = subject.cpuUs() - before;
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  const trouble = /^.*(Non-2xx|Socket errors).*$/m.exec(output)?.[0];
  if (!(requests > 0) || trouble) throw new Error(`${name}, ${mode}: ${trouble ?? 'no answers'}\n${output}`);
  return { cpuUs: cpu / requests, perSecond };
}

/** Every row once in each round, so that what disturbs the machine for a while disturbs all alike. */
export async function measureLoad(rows: LoadRow[], rounds: number, seconds: number): Promise<LoadResult[]> {
  const runs = rows.map((): Record<Mode, LoadRun[]> => ({ plain: [], pipelined: [] }));
  // Compilers have had their time before anything counts.
  for (const row of rows) for (const mode of modes) await load(row, mode, 1);
  for (let round = 0; round < rounds; round++) {
    for (const mode of modes) {
      for (const [at, row] of rows.entries()) runs[at]![mode].push(await load(row, mode, seconds));
    }
  }
  const middle = (list: LoadRun[]): LoadRun => ({
    cpuUs: median(list.map(({ cpuUs }) => cpuUs)),
    perSecond: median(list.map(({ perSecond }) => perSecond)),
  });
  return rows.map(({ name, label }, at) => ({
    name,
    label,
    plain: middle(runs[at]!.plain),
    pipelined: middle(runs[at]!.pipelined),
    runs: runs[at]!,
  }));
}
