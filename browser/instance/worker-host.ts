// The dedicated Worker in which a page hosts one instance of a plug-in. It talks with the service worker
// (SW) over a port; when the SW was restarted, the page hands it a port of the new one, and the plug-in goes on.
import { loadCore } from '../core/core.ts';
import {
  type FromWorker,
  instanceLock,
  isRepeatable,
  type PortMessage,
  type RequestMessage,
  type StartMessage,
  serviceWorkerLock,
  type ToWorker,
} from '../protocol.ts';
import { Channel } from './channel.ts';
import type { CreateInstance, InstanceRequest, PluginFile } from './instance.ts';
import { bodyOf, toResponse } from './own-fetch.ts';
import { Runner } from './runner.ts';

// A request that waited for longer asks whether it may still begin: the page may have been frozen meanwhile.
const STALE_MS = 500;

type Question = Extract<FromWorker, { call: number }>;
type Answer = Extract<ToWorker, { call: number }>;

/** Something that the SW was asked. */
interface Call {
  question: Question;
  connection: Connection | null;
  answered(answer: Answer, connection: Connection): void;
  failed(why: string): void;
}

/** A request as a SW knows it. */
interface Open {
  connection: Connection;
  theirs: number;
  sent: number;
  allow?: () => void;
}

/** The port of one SW. */
class Connection extends Channel<FromWorker> {
  /** Our ids of its open requests, by its own. */
  readonly ours = new Map<number, number>();
}

class Host {
  readonly #start: StartMessage;
  readonly #runner: Runner;
  // The plug-in's global has another one.
  readonly #fetch = fetch.bind(globalThis);
  /** Of the SW in force; requests of the one before may still be open. */
  #current: Connection | null = null;
  readonly #connections = new Set<Connection>();
  /** By our ids, which the plug-in never sees twice. */
  readonly #open = new Map<number, Open>();
  readonly #calls = new Map<number, Call>();
  #nextId = 1;
  #nextCall = 1;
  /** What every SW has to know. */
  readonly #told: FromWorker[] = [];

  constructor(start: StartMessage, create: CreateInstance) {
    this.#start = start;
    const { definition, location, scope, instance } = start;
    navigator.locks.request(instanceLock(scope, instance), () => {
      this.#tell({ type: 'hello', instance });
      return new Promise(() => {});
    });
    this.#runner = new Runner(
      create,
      { definition, location, core: loadCore(start.core), place: 'worker', read: (url) => this.#read(url) },
      {
        ready: () => this.#tell({ type: 'ready' }),
        loadFailed: (message) => this.#tell({ type: 'load-failed', message }),
        begin: (request) => this.#begin(request),
        respond: (id, status, headers, body) => {
          const { connection, theirs } = this.#close(id);
          connection.post({ type: 'response', id: theirs, status, headers, body: connection.send(body) });
        },
        fail: (id, problem) => {
          const { connection, theirs } = this.#close(id);
          connection.post({ type: 'fail', id: theirs, problem });
        },
        decline: (id) => {
          const { connection, theirs } = this.#close(id);
          connection.post({ type: 'decline', id: theirs });
        },
        broken: (problem, begun) => {
          for (const connection of this.#connections) {
            const theirs = begun.map((id) => this.#open.get(id)!).filter((open) => open.connection === connection);
            connection.post({ type: 'broken', problem, begun: theirs.map((open) => open.theirs) });
          }
        },
        log: (level, text) => this.#current?.post({ type: 'log', level, text }),
        fetch: (request, parent) => this.#fetchOf(request, parent),
      },
    );
  }

  connect(port: MessagePort, serviceWorker: string): void {
    const connection = new Connection(port);
    this.#current = connection;
    this.#connections.add(connection);
    port.onmessage = (event) => this.#receive(event.data, connection);
    navigator.locks.request(serviceWorkerLock(this.#start.scope, serviceWorker), () => this.#disconnect(connection));
    for (const message of this.#told) connection.post(message);
    for (const call of this.#calls.values()) if (call.connection === null) this.#ask(call);
  }

  /** The SW has ended, and nobody waits for what it asked. */
  #disconnect(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#current === connection) this.#current = null;
    connection.close('the service worker has ended');
    for (const ours of connection.ours.values()) {
      this.#open.delete(ours);
      this.#runner.drop(ours, 'gone');
    }
    for (const [number, call] of this.#calls) {
      if (call.connection !== connection) continue;
      call.connection = null;
      if (call.question.type === 'read') {
        if (this.#current !== null) this.#ask(call);
      } else {
        this.#calls.delete(number);
        call.failed('the service worker has ended');
      }
    }
  }

  #tell(message: FromWorker): void {
    this.#told.push(message);
    for (const connection of this.#connections) connection.post(message);
  }

  #receive(message: ToWorker, connection: Connection): void {
    switch (message.type) {
      case 'request':
        this.#request(message, connection);
        return;
      case 'drop': {
        const ours = connection.ours.get(message.id);
        if (ours === undefined) return;
        this.#close(ours);
        this.#runner.drop(ours, message.reason);
        return;
      }
      case 'begin':
        this.#open.get(connection.ours.get(message.id) ?? 0)?.allow?.();
        return;
      case 'ping':
        connection.post({ type: 'pong' });
        return;
      case 'file':
      case 'fetched':
      case 'not-ours':
      case 'call-failed': {
        const call = this.#calls.get(message.call);
        this.#calls.delete(message.call);
        call?.answered(message, connection);
        return;
      }
      default:
        connection.take(message);
        return;
    }
  }

  #request(message: RequestMessage, connection: Connection): void {
    const { type: _, sent, id: theirs, body, ...request } = message;
    const id = this.#nextId++;
    connection.ours.set(theirs, id);
    this.#open.set(id, { connection, theirs, sent });
    this.#runner.handle({ ...request, id, body: connection.receive(body) });
  }

  #close(id: number): Open {
    const open = this.#open.get(id)!;
    this.#open.delete(id);
    open.connection.ours.delete(open.theirs);
    return open;
  }

  #begin(request: InstanceRequest): Promise<void> | null {
    if (isRepeatable(request.method)) return null;
    const open = this.#open.get(request.id)!;
    if (Date.now() - open.sent < STALE_MS) {
      open.connection.post({ type: 'begun', id: open.theirs });
      return null;
    }
    open.connection.post({ type: 'may-begin', id: open.theirs });
    return new Promise((allow) => {
      open.allow = allow;
    });
  }

  // ---- what the plug-in asks

  /** Numbers the question and puts it to the SW. Returns the call's number. */
  #question(question: Omit<Question, 'call'>, handlers: Pick<Call, 'answered' | 'failed'>): number {
    const number = this.#nextCall++;
    const call: Call = { question: { ...question, call: number } as Question, connection: null, ...handlers };
    this.#calls.set(number, call);
    this.#ask(call);
    return number;
  }

  #ask(call: Call): void {
    if (this.#current === null) return; // the next connection asks it
    call.connection = this.#current;
    call.connection.post(call.question);
  }

  #read(url: string): Promise<PluginFile> {
    const question: Omit<Extract<Question, { type: 'read' }>, 'call'> = { type: 'read', url };
    return new Promise((resolve, reject) => {
      this.#question(question, {
        answered: (answer) => {
          if (answer.type === 'file') resolve({ url: answer.url, type: answer.mediaType, bytes: answer.bytes });
          else reject(new Error(answer.type === 'call-failed' ? answer.message : 'no file'));
        },
        failed: (why) => reject(new Error(why)),
      });
    });
  }

  async #fetchOf(request: Request, parent: number): Promise<Response> {
    const connection = this.#current;
    if (!request.url.startsWith(this.#start.scope) || connection === null) return this.#fetch(request);
    request.signal.throwIfAborted();
    // Nothing of it is read before the SW asks: the network needs it whole if this is the network's.
    const body = connection.send(await bodyOf(request), true);
    const question: Omit<Extract<Question, { type: 'fetch' }>, 'call'> = {
      type: 'fetch',
      parent: this.#open.get(parent)?.theirs ?? 0,
      url: request.url,
      method: request.method,
      headers: [...request.headers],
      body,
    };
    return new Promise((resolve, reject) => {
      const number = this.#question(question, {
        answered: (answer, from) => {
          if (answer.type === 'not-ours') {
            connection.withdraw(body);
            resolve(this.#fetch(request));
          } else if (answer.type === 'fetched') {
            const taken = { ...answer, body: from.receive(answer.body) };
            resolve(toResponse(taken, request, (next) => this.#fetchOf(next, parent)));
          } else {
            reject(new TypeError(answer.type === 'call-failed' ? answer.message : 'no answer'));
          }
        },
        failed: (why) => reject(new TypeError(why)),
      });
      request.signal.addEventListener('abort', () => {
        if (this.#calls.delete(number)) connection.post({ type: 'fetch-aborted', call: number });
        reject(request.signal.reason);
      });
    });
  }
}

/** Waits for what the page has to say. Before plug-in code runs, which has a global of its own to listen on. */
export function hostOne(create: CreateInstance): void {
  addEventListener(
    'message',
    ({ data, ports: [control, port] }: MessageEvent<StartMessage>) => {
      const host = new Host(data, create);
      control!.onmessage = ({ data: { serviceWorker }, ports }: MessageEvent<PortMessage>) =>
        host.connect(ports[0]!, serviceWorker);
      host.connect(port!, data.serviceWorker);
    },
    { once: true },
  );
  // So that the page knows that this script could be loaded.
  postMessage('loaded');
}
