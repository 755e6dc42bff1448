// The page's side of host.ts: what a test calls.
import type { Problem } from '../../instance.ts';
import type { Ask, Ending, FromHost, PageApi, ToHost } from './messages.ts';

const script = '/valor-host.js';

class Instance {
  readonly log: string[] = [];
  oneAtATime = false;
  broken: Problem | null = null;
  readonly port: MessagePort;
  #next = 1;
  readonly #waiting = new Map<number, (ending: Ending) => void>();
  readonly #worker: Worker | null;

  constructor(port: MessagePort, worker: Worker | null) {
    this.port = port;
    this.#worker = worker;
  }

  receive(message: FromHost): void {
    if (message.type === 'log') this.log.push(message.text);
    if (message.type === 'one-at-a-time') this.oneAtATime = true;
    if (message.type === 'broken') this.broken = message.problem;
    if (message.type !== 'ending') return;
    this.#waiting.get(message.id)?.(message.ending);
    this.#waiting.delete(message.id);
  }

  /** Of the next request. */
  get next(): number {
    return this.#next;
  }

  ask(ask: Ask): Promise<Ending> {
    const id = this.#next++;
    return new Promise((done) => {
      this.#waiting.set(id, done);
      this.send({ type: 'ask', id, ...ask });
    });
  }

  send(message: ToHost): void {
    this.port.postMessage(message);
  }

  end(): void {
    this.send({ type: 'destroy' });
    this.#worker?.terminate();
  }
}

const instances: Instance[] = [];

async function serviceWorker(): Promise<ServiceWorker> {
  const registration = await navigator.serviceWorker.register(script);
  await navigator.serviceWorker.ready;
  return registration.active!;
}

const api: PageApi = {
  async start(message) {
    const { port1, port2 } = new MessageChannel();
    let worker: Worker | null = null;
    if (message.place === 'worker') {
      worker = new Worker(script);
      worker.addEventListener('error', (event) => console.error(`the Worker failed: ${event.message}`));
      worker.postMessage(message, [port2]);
    } else {
      (await serviceWorker()).postMessage(message, [port2]);
    }
    const instance = new Instance(port1, worker);
    return new Promise((done) => {
      port1.onmessage = ({ data }: MessageEvent<FromHost>) => {
        if (data.type === 'ready') done(instances.push(instance) - 1);
        else if (data.type === 'load-failed') done(data.message);
        else instance.receive(data);
      };
    });
  },
  ask: (number, ask) => instances[number]!.ask(ask),
  drop(number, ask, reason, ms) {
    const instance = instances[number]!;
    const id = instance.next;
    instance.ask(ask);
    setTimeout(() => instance.send({ type: 'drop', id, reason }), ms);
  },
  async leave(number, ask) {
    const instance = instances[number]!;
    const id = instance.next;
    await instance.ask({ ...ask, hold: true });
    instance.send({ type: 'cancel', id });
  },
  log: (number) => instances[number]!.log,
  oneAtATime: (number) => instances[number]!.oneAtATime,
  broken: (number) => instances[number]!.broken,
  end: (number) => instances[number]!.end(),
};

Object.assign(globalThis, { api });
