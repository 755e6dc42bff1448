// What `make bench` prints, keeps in bench/results/, and puts into the README.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { IsolationRun } from './isolation.ts';
import type { LoadResult } from './load.ts';
import { cores, root } from './processes.ts';
import { type Peer, version } from './runtimes.ts';
import type { InstanceRun } from './starts.ts';
import type { WorkRun } from './work.ts';

export interface WorkResult {
  kind: string;
  label: string;
  results: ({ name: string } & WorkRun)[];
}

/** Medians, with the single runs where they are of use. */
export interface Results {
  date: string;
  commit: string;
  machine: { cpu: string; cores: number; memoryGb: number; kernel: string };
  versions: Record<string, string>;
  rounds: number;
  load: LoadResult[];
  instances: ({ name: string } & InstanceRun)[];
  processStart: { name: string; ms: number }[];
  isolation: ({ name: string } & IsolationRun)[];
  work: WorkResult[];
  /** Of the same C, native and as WASM. */
  core: WorkResult[];
}

export const resultsFile = join(root, 'bench/results/latest.json');
const readme = join(root, 'README.md');

export const titles: Record<string, string> = {
  valor: 'Valor',
  deno: 'Deno',
  bun: 'Bun',
  node: 'Node',
  workerd: 'workerd',
};

export function machineFacts(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  };
}

export function commitNow(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '');
}

export async function versions(peers: Peer[]): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(peers.map(async (peer) => [peer, await version(peer)])));
}

const one = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
const thousands = (value: number): string => `${(value / 1000).toFixed(0)}k`;

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map((_, at) => (at === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** A row for each kind of work: CPU and wall time of everybody. */
function workTable(works: WorkResult[], who: string[]): string {
  const cells = ({ results: runs }: WorkResult, field: keyof WorkRun): string[] =>
    who.map((name) => {
      const run = runs.find((one) => one.name === name);
      return run ? one(run[field]) : '-';
    });
  return table(
    ['one connection, ms of CPU / ms', ...who.map((name) => titles[name] ?? 'Valor, native')],
    works.map((kind) => {
      const [cpu, wall] = [cells(kind, 'cpuMs'), cells(kind, 'wallMs')];
      return [kind.label, ...cpu.map((each, at) => (each === '-' ? '-' : `${each} / ${wall[at]}`))];
    }),
  );
}

/** The tables, as Markdown. */
export function render(results: Results): string {
  const parts: string[] = [];
  if (results.load.length > 0) {
    parts.push(
      table(
        ['64 connections', 'CPU µs/request', 'requests/s', 'CPU µs/request, pipelined', 'requests/s, pipelined'],
        results.load.map(({ label, plain, pipelined }) => [
          label,
          one(plain.cpuUs),
          thousands(plain.perSecond),
          one(pipelined.cpuUs),
          thousands(pipelined.perSecond),
        ]),
      ),
    );
  }
  const names = ['valor', 'wasm', ...Object.keys(titles).slice(1)].filter((name) =>
    [results.instances, results.processStart, results.isolation].some((list) => list.some((row) => row.name === name)),
  );
  if (names.length > 0) {
    const rows: string[][] = [];
    function add(what: string, value: (name: string) => number | undefined, digits = 1): void {
      const values = names.map(value);
      if (values.every((each) => each === undefined)) return;
      rows.push([what, ...values.map((each) => (each === undefined ? '-' : each.toFixed(digits)))]);
    }
    const of = <T extends { name: string }>(list: T[], name: string): T | undefined =>
      list.find((row) => row.name === name);
    add('instance: start to first answer, ms', (name) => of(results.instances, name)?.startMs);
    add('the same, 50 right after each other, ms', (name) => of(results.instances, name)?.inARowMs);
    add('idle instance: memory, MB', (name) => of(results.instances, name)?.rssMb, 2);
    add('process: start to first answer, ms', (name) => of(results.processStart, name)?.ms, 0);
    add('hello beside computing instances: p50, ms', (name) => of(results.isolation, name)?.p50Ms);
    add('hello beside computing instances: p99, ms', (name) => of(results.isolation, name)?.p99Ms);
    parts.push(table(['', ...names.map((name) => titles[name] ?? 'Valor, WASM plug-in')], rows));
  }
  const everybody = Object.keys(titles);
  if (results.work?.length > 0) parts.push(workTable(results.work, everybody));
  if (results.core?.length > 0) parts.push(workTable(results.core, ['native', ...everybody]));
  return parts.join('\n');
}

/** The part of the README that is made of results. */
export function readmeSection(results: Results): string {
  const { cpu, cores: count, kernel } = results.machine;
  const used = Object.entries(results.versions)
    .map(([name, text]) => `${titles[name]} ${text}`)
    .join(', ');
  return `${render(results)}
Medians of ${results.rounds} interleaved runs on ${count} cores (${cpu}, Linux ${kernel}), ${results.date.slice(0, 10)}: ${used}.
`;
}

const section = /(<!-- bench results -->\n).*?(<!-- end of bench results -->)/s;

export function readmeWith(results: Results): string {
  const text = readFileSync(readme, 'utf8');
  if (!section.test(text)) throw new Error('README.md has no place for the results');
  return text.replace(section, (_, begin, end) => `${begin}${readmeSection(results)}${end}`);
}

export function keep(results: Results): void {
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(readme, readmeWith(results));
}

export function lastResults(): Results {
  return JSON.parse(readFileSync(resultsFile, 'utf8')) as Results;
}
