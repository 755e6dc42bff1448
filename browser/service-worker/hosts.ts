// Where instances run: in Workers of the leader page as long as there is one, else in the service worker (SW) itself.
import type { Core } from '../core/core.ts';
import { Channel } from '../instance/channel.ts';
import type { Body, CreateInstance, HeaderPairs } from '../instance/instance.ts';
import { type Answer, bodyOf, toResponse } from '../instance/own-fetch.ts';
import { Runner } from '../instance/runner.ts';
import {
  type FromLeader,
  type FromWorker,
  instanceLock,
  leaderLock,
  type NoticeMessage,
  type OfferMessage,
  PROTOCOL,
  serviceWorkerLock,
  type ToLeader,
  type ToWorker,
} from '../protocol.ts';
import { begin, type Call, type Seat, type SeatEvents, type Seats } from './plugin-host.ts';
import type { RegisteredPlugin, Registry } from './registry.ts';

declare const self: ServiceWorkerGlobalScope;

// A page that leads answers within this time, else it is frozen and another is asked to take over.
const OFFER_MS = 1000;
const TAKE_OVER_MS = 300;
const MAX_TAKE_OVERS = 3;
// A Worker that ended alone is told by its page's answer to a ping.
const PONG_MS = 300;
// How often a leader whose Workers owe answers is looked at, and how often it may fail to show any sign of life.
const LOOK_MS = 250;
const MAX_SILENCE = 4;

/** Names this run of the service worker. */
const id = crypto.randomUUID();

/** What seats need of the rest. */
export interface Services {
  core: Core;
  registry: Registry;
  createInstance: CreateInstance;
  location(plugin: RegisteredPlugin): string;
  /** A plug-in's own fetch of something in the scope. `parent`: see FromWorker. Null: it is the network's. */
  fetch(wanted: Wanted, asker: SeatEvents, parent: number): Fetching | null;
}

export interface Wanted {
  url: string;
  method: string;
  headers: HeaderPairs;
  body: Body;
}

export interface Fetching {
  answer: Promise<Answer>;
  abort(): void;
}

export class Hosts implements Seats {
  readonly #scope: string;
  readonly #services: Services;
  #leader: Leader | null = null;
  /** Pending while it is not known whether a page leads. */
  #looking: Promise<void> | null = null;
  #found: (() => void) | null = null;
  /** Pages in which no Worker starts. */
  readonly #unable = new Set<string>();
  #watching = false;
  #release: (() => void) | null = null;
  /** A better seat may be there now. */
  onmove: (() => void) | null = null;

  constructor(scope: string, services: Services) {
    this.#scope = scope;
    this.#services = services;
    this.hold();
  }

  /** Workers know by a lock that this service worker runs. */
  hold(): void {
    if (this.#release !== null) return;
    const released = new Promise<void>((done) => {
      this.#release = done;
    });
    navigator.locks.request(serviceWorkerLock(this.#scope, id), () => released);
  }

  /** For them, it has ended. */
  release(): void {
    this.#release?.();
    this.#release = null;
  }

  /** At the start, and when a leader was lost. */
  look(useless?: string): void {
    if (this.#services.registry.settings.hosting === 'service-worker') return;
    this.#looking ??= this.#look(useless).finally(() => {
      this.#looking = null;
    });
  }

  open(events: SeatEvents): Seat | null {
    if (this.#looking !== null || this.#leader?.suspect) return null;
    if (this.#leader === null) return new LocalSeat(this.#services, events);
    this.#watch();
    return new WorkerSeat(this.#scope, this.#services, this.#leader, events);
  }

  settled(): Promise<void> {
    return this.#looking ?? this.#leader?.suspect ?? Promise.resolve();
  }

  offered(message: OfferMessage, client: Client, port: MessagePort, inForce: readonly RegisteredPlugin[]): void {
    if (this.#services.registry.settings.hosting === 'service-worker' || this.#unable.has(client.id)) {
      port.close();
      return;
    }
    if (this.#leader?.client === client.id) {
      // Its offer and the call for it have crossed.
      this.#leader.use(port);
      return;
    }
    const before = this.#leader;
    const leader = new Leader(client.id, port, (why, useless) => this.#lost(leader, why, useless));
    this.#leader = leader;
    before?.lose('another page took over');
    for (const { name, version } of message.workers) {
      const used = inForce.some((plugin) => plugin.definition.name === name && plugin.version === version);
      if (!used) leader.post({ type: 'terminate', name, version });
    }
    this.#found?.();
    this.onmove?.();
  }

  /** Nothing runs in pages any more. */
  leave(): void {
    this.#leader?.lose('pages host no plug-ins any more');
  }

  #lost(leader: Leader, why: string, useless: Useless | undefined): void {
    if (useless === 'unable') this.#unable.add(leader.client);
    if (this.#leader === leader) {
      this.#leader = null;
      this.look(useless && leader.client);
    }
    for (const seat of [...leader.seats]) seat.lose(why);
  }

  /** `useless`: the page that holds the lock and hosts nothing. */
  async #look(useless?: string): Promise<void> {
    const offer = new Promise<void>((resolve) => {
      this.#found = resolve;
    });
    const lock = leaderLock(this.#scope);
    const { held = [], pending = [] } = await navigator.locks.query();
    if (![...held, ...pending].some(({ name }) => name === lock) || this.#leader !== null) return;
    const clients = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const pages = clients.filter(({ id }) => id !== useless && !this.#unable.has(id));
    const tell = (page: Client, type: 'seek' | 'take-over'): void =>
      page.postMessage({ valor: PROTOCOL, scope: this.#scope, type, sent: Date.now() } satisfies NoticeMessage);
    if (useless === undefined) {
      for (const page of pages) tell(page, 'seek');
      await Promise.race([offer, sleep(OFFER_MS)]);
    }
    pages.sort((a, b) => Number(b.visibilityState === 'visible') - Number(a.visibilityState === 'visible'));
    for (const page of pages.slice(0, MAX_TAKE_OVERS)) {
      if (this.#leader !== null) return;
      tell(page, 'take-over');
      await Promise.race([offer, sleep(TAKE_OVER_MS)]);
    }
  }

  /** While Workers owe answers. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    let silence = 0;
    let seen: Leader | null = null;
    const look = (): void => {
      const leader = this.#leader;
      if (leader === null || !leader.owes()) {
        this.#watching = false;
        return;
      }
      if (seen !== leader || leader.heard) silence = 0;
      seen = leader;
      leader.heard = false;
      if (++silence > MAX_SILENCE) {
        leader.lose('its page does not move', 'frozen');
        return;
      }
      leader.ping();
      setTimeout(look, LOOK_MS);
    };
    setTimeout(look, LOOK_MS);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Why another page has to take the lock from this one. */
type Useless = 'frozen' | 'unable';

/** The page that hosts Workers. */
class Leader {
  readonly client: string;
  readonly seats = new Set<WorkerSeat>();
  /** It, or one of its Workers, has said something since this was set to false. */
  heard = true;
  /** Pending while it is not known whether it is still there. */
  suspect: Promise<void> | null = null;
  #port: MessagePort | null = null;
  readonly #lost: (why: string, useless: Useless | undefined) => void;
  #over = false;
  #ponged: (() => void) | null = null;

  constructor(client: string, port: MessagePort, lost: (why: string, useless: Useless | undefined) => void) {
    this.client = client;
    this.#lost = lost;
    this.use(port);
  }

  use(port: MessagePort): void {
    this.#port?.close();
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<FromLeader>) => this.#receive(data);
    port.addEventListener('close', () => {
      if (this.#port === port) this.lose('its page is gone');
    });
  }

  post(message: ToLeader, transfer: Transferable[] = []): void {
    if (!this.#over) this.#port?.postMessage(message, transfer);
  }

  owes(): boolean {
    for (const seat of this.seats) if (seat.load > 0) return true;
    return false;
  }

  ping(): void {
    this.post({ type: 'ping' });
    for (const seat of this.seats) if (seat.load > 0) seat.ping();
  }

  /** One of its Workers is gone: is it? */
  doubt(): void {
    if (this.#over || this.suspect !== null) return;
    this.post({ type: 'ping' });
    const known = new Promise<void>((resolve) => {
      this.#ponged = resolve;
    });
    this.suspect = Promise.race([known, sleep(PONG_MS)]).then(() => {
      this.suspect = null;
    });
  }

  lose(why: string, useless?: Useless): void {
    if (this.#over) return;
    this.#over = true;
    this.#port?.close();
    this.suspect = null;
    this.#ponged?.();
    this.#lost(why, useless);
  }

  #receive(message: FromLeader): void {
    this.heard = true;
    switch (message.type) {
      case 'pong':
        this.#ponged?.();
        return;
      case 'resign':
        this.lose('its page has left');
        return;
      case 'failed':
        console.warn(`valor: a page cannot host plug-ins: ${message.message}`);
        this.lose(message.message, 'unable');
        return;
    }
  }
}

class WorkerSeat implements Seat {
  readonly place = 'worker';
  ready = false;
  load = 0;
  readonly #scope: string;
  readonly #services: Services;
  readonly #leader: Leader;
  readonly #events: SeatEvents;
  readonly #channel: Channel<ToWorker>;
  readonly #fetches = new Map<number, Fetching>();
  readonly #lock = new AbortController();
  #over = false;
  #ponged: (() => void) | null = null;

  constructor(scope: string, services: Services, leader: Leader, events: SeatEvents) {
    this.#scope = scope;
    this.#services = services;
    this.#leader = leader;
    this.#events = events;
    const { port1, port2 } = new MessageChannel();
    this.#channel = new Channel(port1);
    port1.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    port1.addEventListener('close', () => this.lose('its Worker is gone'));
    const { definition, version } = events.plugin;
    const location = services.location(events.plugin);
    leader.seats.add(this);
    leader.post({ type: 'host', definition, version, location, serviceWorker: id }, [port2]);
  }

  give({ request }: Call): void {
    const body = this.#channel.send(request.body);
    this.#channel.post({ ...request, type: 'request', body, sent: Date.now() });
  }

  drop(id: number, reason: 'gone' | 'timeout'): void {
    this.#channel.post({ type: 'drop', id, reason });
  }

  ping(): void {
    this.#channel.post({ type: 'ping' });
  }

  responds(ms: number): Promise<boolean> {
    const pong = new Promise<boolean>((resolve) => {
      this.#ponged = () => resolve(true);
    });
    this.ping();
    return Promise.race([pong, sleep(ms).then(() => false)]);
  }

  end(why: string): void {
    if (this.#over) return;
    const { definition, version } = this.#events.plugin;
    this.#leader.post({ type: 'terminate', name: definition.name, version });
    this.#close(why);
  }

  /** The Worker is gone, or nobody hears from it. */
  lose(why: string): void {
    if (this.#over) return;
    this.#close(why);
    this.#leader.doubt();
    this.#events.lost(this, why);
  }

  #close(why: string): void {
    this.#over = true;
    this.#leader.seats.delete(this);
    this.#lock.abort();
    this.#channel.close(why);
    for (const fetching of this.#fetches.values()) fetching.abort();
  }

  #receive(message: FromWorker): void {
    this.#leader.heard = true;
    switch (message.type) {
      case 'response': {
        const body = this.#channel.receive(message.body, () => this.#events.drained(this));
        const { status, headers } = message;
        this.#events.settle(this, message.id, { kind: 'response', status, headers, body, place: this.place });
        return;
      }
      case 'begun':
        begin(this.#events.calls.get(message.id), this);
        return;
      case 'may-begin':
        if (begin(this.#events.calls.get(message.id), this)) this.#channel.post({ type: 'begin', id: message.id });
        return;
      case 'fail':
        this.#events.settle(this, message.id, { kind: 'problem', problem: message.problem, place: this.place });
        return;
      case 'decline':
        this.#events.settle(this, message.id, { kind: 'declined', place: this.place });
        return;
      case 'hello':
        this.#watch(message.instance);
        return;
      case 'ready':
        this.#events.ready(this);
        return;
      case 'load-failed':
        this.#events.loadFailed(this, message.message);
        return;
      case 'broken':
        this.#events.broken(this, message.problem, message.begun);
        return;
      case 'log':
        this.#events.log(message.level, message.text);
        return;
      case 'pong':
        this.#ponged?.();
        return;
      case 'read':
        this.#read(message.call, message.url);
        return;
      case 'fetch':
        this.#fetch(message);
        return;
      case 'fetch-aborted':
        this.#fetches.get(message.call)?.abort();
        return;
      default:
        this.#channel.take(message);
        return;
    }
  }

  /** Waits for the Worker's death: its lock is free then. */
  async #watch(instance: string): Promise<void> {
    const { signal } = this.#lock;
    try {
      await navigator.locks.request(instanceLock(this.#scope, instance), { signal }, () => {});
      this.lose('its Worker is gone');
    } catch {
      // The seat was given up before.
    }
  }

  async #read(call: number, url: string): Promise<void> {
    try {
      const file = await this.#services.registry.read(this.#events.plugin, url);
      const { bytes } = file;
      this.#channel.post({ type: 'file', call, url: file.url, mediaType: file.type, bytes });
    } catch (error) {
      this.#channel.post({ type: 'call-failed', call, message: messageOf(error) });
    }
  }

  async #fetch(message: Extract<FromWorker, { type: 'fetch' }>): Promise<void> {
    const { call, parent } = message;
    const body = this.#channel.receive(message.body);
    const fetching = this.#services.fetch({ ...message, body }, this.#events, parent);
    if (fetching === null) {
      this.#channel.post({ type: 'not-ours', call });
      return;
    }
    this.#fetches.set(call, fetching);
    try {
      const answer = await fetching.answer;
      this.#channel.post({ type: 'fetched', call, ...answer, body: this.#channel.send(answer.body) });
    } catch (error) {
      this.#channel.post({ type: 'call-failed', call, message: messageOf(error) });
    }
    this.#fetches.delete(call);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An instance in the service worker itself. It shares its thread with everything else. */
class LocalSeat implements Seat {
  readonly place = 'service-worker';
  ready = false;
  load = 0;
  readonly #runner: Runner;
  readonly #streams = new Set<ReadableStreamDefaultController>();
  readonly #events: SeatEvents;

  constructor(services: Services, events: SeatEvents) {
    this.#events = events;
    const { plugin } = events;
    this.#runner = new Runner(
      services.createInstance,
      {
        definition: plugin.definition,
        location: services.location(plugin),
        core: services.core,
        place: this.place,
        read: (url) => services.registry.read(plugin, url),
      },
      {
        ready: () => events.ready(this),
        loadFailed: (message) => events.loadFailed(this, message),
        begin: ({ id }) => {
          begin(events.calls.get(id), this);
          return null;
        },
        respond: (id, status, headers, body) => {
          const watched = body instanceof ReadableStream ? this.#watched(body) : body;
          events.settle(this, id, { kind: 'response', status, headers, body: watched, place: this.place });
        },
        fail: (id, problem) => events.settle(this, id, { kind: 'problem', problem, place: this.place }),
        decline: (id) => events.settle(this, id, { kind: 'declined', place: this.place }),
        broken: (problem, begun) => events.broken(this, problem, begun),
        log: (level, text) => events.log(level, text),
        fetch: (request, parent) => this.#fetch(request, parent, services),
      },
    );
  }

  give({ request }: Call): void {
    // A copy: the plug-in may change its own, and another instance may be given the request.
    const body = request.body instanceof ArrayBuffer ? request.body.slice(0) : request.body;
    this.#runner.handle(body === null ? request : { ...request, body });
  }

  drop(id: number, reason: 'gone' | 'timeout'): void {
    this.#runner.drop(id, reason);
  }

  /** It shares this thread. */
  responds(): Promise<boolean> {
    return Promise.resolve(true);
  }

  end(why: string): void {
    this.#runner.end();
    for (const stream of this.#streams) stream.error(new TypeError(why));
    this.#streams.clear();
  }

  /** Tells when the body has ended. */
  #watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const ended = (): void => {
      if (this.#streams.delete(controller)) this.#events.drained(this);
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (started) => {
          controller = started;
          this.#streams.add(started);
        },
        pull: async () => {
          try {
            const { done, value } = await reader.read();
            if (done) controller.close();
            else controller.enqueue(value);
            if (done) ended();
          } catch (error) {
            ended();
            throw error;
          }
        },
        cancel: (reason) => {
          ended();
          return reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #fetch(request: Request, parent: number, services: Services): Promise<Response> {
    const { url, method, headers, signal } = request;
    signal.throwIfAborted();
    const fetching = services.fetch(
      { url, method, headers: [...headers], body: await bodyOf(request) },
      this.#events,
      parent,
    );
    if (fetching === null) return fetch(request);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        fetching.abort();
        reject(signal.reason);
      });
      fetching.answer.then(
        (answer) => resolve(toResponse(answer, request, (next) => this.#fetch(next, parent, services))),
        reject,
      );
    });
  }
}
