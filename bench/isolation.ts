// How long a hello plug-in's answers take while instances of another plug-in compute without pause on every core: 200
// requests a second over connections of three kinds, opened before and during the computation.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cores, percentile, type Subject } from './processes.ts';
import { type Peer, startPeerComputing, startValorComputing } from './runtimes.ts';

const perSecond = 200;
const connectionsOfKind = 8;

export const kinds = [
  'opened before, asked hello',
  'opened before, asked the computing plug-in',
  'opened during',
] as const;

export interface IsolationRun {
  /** Milliseconds, of all requests. */
  p50Ms: number;
  p99Ms: number;
  /** For each of `kinds`. */
  p99MsByKind: number[];
}

/** A connection that notes how long each answer took. Answers come in order, so the oldest request is the one answered. */
class Client {
  readonly times: number[] = [];
  #sent: number[] = [];
  #socket: net.Socket;
  #received = '';

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text) => this.#receive(String(text)));
  }

  static open(port: number): Promise<Client> {
    return new Promise((done, failed) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => done(new Client(socket)));
      socket.once('error', failed);
    });
  }

  send(path: string): void {
    this.#sent.push(performance.now());
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  }

  /** Waits for the answers to all that was sent. */
  async settle(): Promise<void> {
    const end = performance.now() + 20_000;
    while (this.#sent.length > 0) {
      if (performance.now() > end || this.#socket.destroyed) throw new Error('requests were not answered');
      await sleep(1);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#received.slice(0, end);
      if (!head.startsWith('HTTP/1.1 200')) throw new Error(`not answered with 200:\n${head}`);
      const size = end + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (this.#received.length < size) return;
      this.#received = this.#received.slice(size);
      this.times.push(performance.now() - this.#sent.shift()!);
    }
  }
}

/** Sends hellos in turn on all clients, evenly over the time, whether earlier ones were answered or not. */
async function paced(clients: Client[], path: string, seconds: number): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < perSecond * seconds; sent++) {
    const wait = start + (sent * 1000) / perSecond - performance.now();
    if (wait > 1) await sleep(wait);
    clients[sent % clients.length]!.send(path);
  }
  await Promise.all(clients.map((client) => client.settle()));
}

async function measure(
  subject: Subject,
  hello: string,
  idle: string,
  compute: (which: number) => string,
  seconds: number,
): Promise<IsolationRun> {
  const opened: Client[] = [];
  async function open(count: number): Promise<Client[]> {
    const clients = await Promise.all(Array.from({ length: count }, () => Client.open(subject.port)));
    opened.push(...clients);
    return clients;
  }
  try {
    const beforeHello = await open(connectionsOfKind);
    await paced(beforeHello, hello, 0.5);
    const beforeCompute = await open(connectionsOfKind);
    for (const client of beforeCompute) client.send(idle);
    for (const client of beforeCompute) await client.settle();
    for (let which = 0; which < cores; which++) (await open(1))[0]!.send(compute(which));
    await sleep(300);
    const during = await open(connectionsOfKind);
    const groups = [beforeHello, beforeCompute, during];
    for (const client of groups.flat()) client.times.length = 0;
    await paced(groups.flat(), hello, seconds);
    const all = groups.flat().flatMap(({ times }) => times);
    return {
      p50Ms: percentile(all, 0.5),
      p99Ms: percentile(all, 0.99),
      p99MsByKind: groups.map((group) =>
        percentile(
          group.flatMap(({ times }) => times),
          0.99,
        ),
      ),
    };
  } finally {
    for (const client of opened) client.close();
    await subject.stop();
  }
}

/** Workers of workerd share a thread, so there is nothing to measure. */
export async function measureIsolation(
  who: Exclude<Peer, 'workerd'> | 'valor',
  seconds: number,
): Promise<IsolationRun> {
  if (who === 'valor') {
    const subject = await startValorComputing(cores);
    return measure(subject, '/message', '/compute?0', () => '/compute?600000', seconds);
  }
  return measure(await startPeerComputing(who, cores), '/', '/', (which) => `/compute/${which}`, seconds);
}
