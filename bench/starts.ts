// How long an instance and a process take from their start to the first answer, and what memory an idle instance takes.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, freePort, freePorts, median, Subject } from './processes.ts';
import {
  type Definition,
  helloCommand,
  helloMessage,
  helloWasm,
  type Peer,
  startValorDormant,
  startWorkerd,
  valorCommand,
  workersCommand,
} from './runtimes.ts';

export interface InstanceRun {
  startMs: number;
  /** The same without pauses in between, where that differs: one instance starts while the next is made ready. */
  inARowMs?: number;
  rssMb: number;
}

const instances = 50;
/** Between two starts; the same in peers/. */
const pauseMs = 20;
const settleMs = 1000;

async function ask(port: number, path: string, agent: http.Agent): Promise<void> {
  await new Promise<void>((done, failed) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) done();
        else failed(new Error(`${path}: ${response.statusCode}`));
      });
    });
    request.setTimeout(20_000, () => request.destroy(new Error(`${path}: no answer`)));
    request.on('error', failed);
  });
}

/** The first request to each of 100 plug-ins that start with it, over one connection: 50 with pauses, 50 without. */
async function valorInstances(kind: Definition): Promise<InstanceRun> {
  const subject = await startValorDormant(kind, 2 * instances + 1);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    // The first one pays for what the process loads once, and warms this client up.
    await ask(subject.port, '/p0', agent);
    for (let i = 0; i < 20; i++) await ask(subject.port, '/_health', agent);
    await sleep(settleMs);
    const before = subject.rssMb();
    const paused: number[] = [];
    const inARow: number[] = [];
    for (let i = 1; i <= 2 * instances; i++) {
      if (i <= instances) await sleep(pauseMs);
      const start = performance.now();
      await ask(subject.port, `/p${i}`, agent);
      (i <= instances ? paused : inARow).push(performance.now() - start);
    }
    await sleep(settleMs);
    return {
      startMs: median(paused),
      inARowMs: median(inARow),
      rssMb: (subject.rssMb() - before) / (2 * instances),
    };
  } finally {
    agent.destroy();
    await subject.stop();
  }
}

/** 51 workers in a process of their own, against one. */
async function workerInstances(peer: Exclude<Peer, 'workerd'>): Promise<InstanceRun> {
  async function measure(count: number): Promise<{ times: number[]; rssMb: number }> {
    const subject = new Subject(workersCommand(peer, count), 0);
    try {
      const times = JSON.parse((await subject.printed(/^\[.*\]$/m))[0]) as number[];
      await sleep(settleMs);
      return { times: times.slice(1), rssMb: subject.rssMb() };
    } finally {
      await subject.stop();
    }
  }
  const one = await measure(1);
  const all = await measure(instances + 1);
  return { startMs: median(all.times), rssMb: (all.rssMb - one.rssMb) / instances };
}

/** workerd starts its isolates with the process: 51 services, each asked once, against one. */
async function workerdInstances(): Promise<InstanceRun> {
  async function measure(count: number): Promise<{ ms: number; rssMb: number }> {
    const agent = new http.Agent({ keepAlive: true });
    const ports = await freePorts(count);
    const start = performance.now();
    const subject = await startWorkerd(ports);
    try {
      for (const port of ports) await ask(port, '/', agent);
      const ms = performance.now() - start;
      await sleep(settleMs);
      return { ms, rssMb: subject.rssMb() };
    } finally {
      agent.destroy();
      await subject.stop();
    }
  }
  const one = await measure(1);
  const all = await measure(instances + 1);
  return { startMs: (all.ms - one.ms) / instances, rssMb: (all.rssMb - one.rssMb) / instances };
}

export function measureInstances(who: Peer | 'valor' | 'wasm'): Promise<InstanceRun> {
  if (who === 'valor') return valorInstances(helloMessage);
  if (who === 'wasm') return valorInstances(helloWasm);
  return who === 'workerd' ? workerdInstances() : workerInstances(who);
}

/** Milliseconds from the start of a process to its first answer. */
export async function measureProcessStart(who: Peer | 'valor'): Promise<number> {
  const port = await freePort();
  const command: Command = who === 'valor' ? valorCommand('start', [helloMessage], port) : helloCommand(who, port);
  const start = performance.now();
  const subject = new Subject(command, port);
  try {
    await subject.answers(who === 'valor' ? '/message' : '/');
    return performance.now() - start;
  } finally {
    await subject.stop();
  }
}
