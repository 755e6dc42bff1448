// `make bench`: measures Valor beside its peers and prints one table. See docs/benchmarks.md.
// Usage: bench.ts [--only NAME,...] [--rounds N] [--seconds N]
import { parseArgs } from 'node:util';
import { type IsolationRun, measureIsolation } from './isolation.ts';
import { type LoadRow, measureLoad } from './load.ts';
import { median, type Subject } from './processes.ts';
import { commitNow, keep, machineFacts, type Results, render, titles, versions, type WorkResult } from './report.ts';
import {
  type Peer,
  startFloor,
  startPeerForCore,
  startPeerForWork,
  startPeerHello,
  startPeerHono,
  startValorForCore,
  startValorForLoad,
  startValorForWork,
} from './runtimes.ts';
import { type InstanceRun, measureInstances, measureProcessStart } from './starts.ts';
import { coreWorks, measureWork, type WorkRun, works, writeBody } from './work.ts';

const peers: Peer[] = ['deno', 'bun', 'node', 'workerd'];
const everybody = ['valor', ...peers] as const;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

interface Row {
  name: string;
  label: string;
  path: string;
  start: () => Promise<Subject>;
}

let valor: Promise<Subject> | undefined;
const startValor = (): Promise<Subject> => (valor ??= startValorForLoad());

const loadRows: Row[] = [
  { name: 'floor', label: 'floor: epoll, no parsing', path: '/', start: startFloor },
  { name: 'health', label: 'Valor, built-in health', path: '/_health', start: startValor },
  { name: 'cpp', label: 'Valor, native C++', path: '/cpp', start: startValor },
  { name: 'rust', label: 'Valor, native Rust', path: '/rust', start: startValor },
  { name: 'cpp-wasm', label: 'Valor, C++ as WASM', path: '/cpp-wasm', start: startValor },
  { name: 'rust-wasm', label: 'Valor, Rust as WASM', path: '/rust-wasm', start: startValor },
  { name: 'message', label: 'Valor, JS message', path: '/message', start: startValor },
  { name: 'fetch', label: 'Valor, JS fetch', path: '/fetch', start: startValor },
  ...peers.map((peer) => ({ name: peer, label: titles[peer]!, path: '/', start: () => startPeerHello(peer) })),
  { name: 'hono', label: 'Valor, hono app', path: '/hono/books/1', start: startValor },
  ...peers.map((peer) => ({
    name: `${peer}-hono`,
    label: `${titles[peer]}, hono app`,
    path: '/books/1',
    start: () => startPeerHono(peer),
  })),
];
const otherRows = ['instances', 'process-start', 'isolation', 'work', 'core'];

const names = [...loadRows.map(({ name }) => name), ...otherRows];
const only = options.only.split(/[\s,]+/).filter((name) => name !== '');
const unknown = only.filter((name) => !names.includes(name));
if (unknown.length > 0 || !(rounds >= 1) || !(seconds >= 1)) {
  if (unknown.length > 0) console.error(`bench: no row ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  else console.error('bench: --rounds and --seconds are numbers from 1');
  process.exit(2);
}
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);

function say(what: string): void {
  console.error(`bench: ${what}`);
}

async function load(): Promise<Results['load']> {
  const rows: LoadRow[] = [];
  const subjects = new Set<Subject>();
  try {
    for (const { name, label, path, start } of loadRows) {
      if (!wanted(name)) continue;
      const subject = await start();
      subjects.add(subject);
      await subject.answers(path);
      rows.push({ name, label, path, subject });
    }
    if (rows.length === 0) return [];
    say(`${rows.length} rows of load, ${rounds} rounds`);
    return await measureLoad(rows, rounds, seconds);
  } finally {
    for (const subject of subjects) await subject.stop();
  }
}

/** Measures everybody once in each round. */
async function inRounds<Name extends string, T>(
  row: string,
  who: readonly Name[],
  measure: (name: Name) => Promise<T>,
): Promise<Map<Name, T[]>> {
  const runs = new Map<Name, T[]>();
  if (!wanted(row)) return runs;
  say(`${row}, ${rounds} rounds`);
  for (let round = 0; round < rounds; round++) {
    for (const name of who) runs.set(name, [...(runs.get(name) ?? []), await measure(name)]);
  }
  return runs;
}

interface Worker {
  name: string;
  start: () => Promise<Subject>;
  prefix: string;
}

/** Every kind of work in each round, everybody one after the other. */
async function work(row: string, kinds: Record<string, { label: string }>, workers: Worker[]): Promise<WorkResult[]> {
  if (!wanted(row)) return [];
  say(`${row}, ${rounds} rounds`);
  writeBody();
  const subjects: (Worker & { subject: Subject })[] = [];
  const runs = new Map<string, (WorkRun | undefined)[]>();
  try {
    for (const worker of workers) subjects.push({ ...worker, subject: await worker.start() });
    // The round before the first is for the compilers.
    for (let round = -1; round < rounds; round++) {
      for (const kind of Object.keys(kinds)) {
        for (const { name, subject, prefix } of subjects) {
          const run = await measureWork(kind, subject, prefix);
          const key = `${kind} ${name}`;
          if (round >= 0) runs.set(key, [...(runs.get(key) ?? []), run]);
        }
      }
    }
  } finally {
    for (const { subject } of subjects) await subject.stop();
  }
  return Object.entries(kinds).map(([kind, { label }]) => ({
    kind,
    label,
    results: workers.flatMap(({ name }) => {
      const all = (runs.get(`${kind} ${name}`) ?? []).filter((run) => run !== undefined);
      if (all.length < rounds) return [];
      return [{ name, cpuMs: middle(all, ({ cpuMs }) => cpuMs), wallMs: middle(all, ({ wallMs }) => wallMs) }];
    }),
  }));
}

const platformWorkers: Worker[] = [
  { name: 'valor', start: startValorForWork, prefix: '/work' },
  ...peers.map((peer) => ({ name: peer, start: () => startPeerForWork(peer), prefix: '' })),
];
let core: Promise<Subject> | undefined;
const startCore = (): Promise<Subject> => (core ??= startValorForCore());
const coreWorkers: Worker[] = [
  { name: 'native', start: startCore, prefix: '/native' },
  { name: 'valor', start: startCore, prefix: '/wasm' },
  ...peers.map((peer) => ({ name: peer, start: () => startPeerForCore(peer), prefix: '' })),
];

const middle = <T>(runs: T[], field: (run: T) => number): number => median(runs.map(field));

const results: Results = {
  date: new Date().toISOString(),
  commit: commitNow(),
  machine: machineFacts(),
  versions: await versions(peers),
  rounds,
  load: await load(),
  instances: [...(await inRounds('instances', ['valor', 'wasm', ...peers] as const, measureInstances))].map(
    ([name, runs]) => ({
      name,
      startMs: middle<InstanceRun>(runs, ({ startMs }) => startMs),
      ...(runs.every(({ inARowMs }) => inARowMs !== undefined) && {
        inARowMs: middle<InstanceRun>(runs, ({ inARowMs }) => inARowMs!),
      }),
      rssMb: middle<InstanceRun>(runs, ({ rssMb }) => rssMb),
    }),
  ),
  processStart: [...(await inRounds('process-start', everybody, measureProcessStart))].map(([name, runs]) => ({
    name,
    ms: median(runs),
  })),
  work: await work('work', works, platformWorkers),
  core: await work('core', coreWorks, coreWorkers),
  // Those of workerd share one thread: a hello waits until the computation ends.
  isolation: [
    ...(await inRounds('isolation', ['valor', 'deno', 'bun', 'node'] as const, (who) => measureIsolation(who, 4))),
  ].map(([name, runs]) => ({
    name,
    p50Ms: middle<IsolationRun>(runs, ({ p50Ms }) => p50Ms),
    p99Ms: middle<IsolationRun>(runs, ({ p99Ms }) => p99Ms),
    p99MsByKind: runs[0]!.p99MsByKind.map((_, kind) => middle<IsolationRun>(runs, (run) => run.p99MsByKind[kind]!)),
  })),
};

console.log(render(results));
if (only.length === 0) {
  keep(results);
  say('kept in bench/results/latest.json; the table of the README is renewed');
}
process.exit(0);
