// Every request of the scope comes through here: which plug-in answers it, what of it goes to the network, and the answer
// as the client gets it.
import type { Core, Router } from '../core/core.ts';
import type { Body, HeaderPairs, InstanceRequest, Problem } from '../instance/instance.ts';
import type { Answer as OwnAnswer } from '../instance/own-fetch.ts';
import { isRepeatable, type PluginStatus } from '../protocol.ts';
import { type Answer, discard, problemAnswer, signed, takeBody, toResponse } from './exchange.ts';
import type { Fetching, Wanted } from './hosts.ts';
import { type Call, type Outcome, PluginHost, type SeatEvents, type Seats } from './plugin-host.ts';
import { type Memo, Recall } from './recall.ts';
import type { RegisteredPlugin } from './registry.ts';

/** As on the server (loopback/transfer.h). */
const MAX_HOPS = 16;
const LATENCIES = 32;

/** A plug-in of the registry, over all its versions. */
interface Entry {
  plugin: RegisteredPlugin;
  /** Null: browsers do not run it. */
  host: PluginHost | null;
  requests: number;
  failures: number;
  latencies: number[];
  error: string | null;
}

export interface Route {
  entry: Entry;
  host: PluginHost;
  url: string;
}

/** A request on its way to a plug-in. */
interface Asked {
  wanted: { method: string; headers: HeaderPairs; body: Body };
  /** The request that it was made for. */
  parent: Call | null;
  signal: AbortSignal;
  /** What the network has answered already. */
  first: Response | null;
  /** For the network, while the body is at hand. */
  request(): Request;
  memo: Memo | null;
}

/** Whether browsers can run it. */
function runsHere({ type, place, web }: RegisteredPlugin['definition']): boolean {
  return place !== 'server' && (type === 'web' || (type === 'native' && web !== undefined));
}

export class Dispatcher {
  readonly #core: Core;
  readonly #scope: URL;
  readonly #seats: Seats;
  readonly #recall: Recall;
  #entries = new Map<string, Entry>();
  #routed: Entry[] = [];
  #router: Router;

  constructor(core: Core, scope: string, seats: Seats) {
    this.#core = core;
    this.#scope = new URL(scope);
    this.#seats = seats;
    this.#recall = new Recall(scope);
    this.#router = core.createRouter([]);
  }

  /** Public URL of the mount: below the scope. */
  location({ definition }: RegisteredPlugin): string {
    return new URL(definition.prefix === '' ? '' : `${definition.prefix}/`, this.#scope).href;
  }

  /** What is in force from now on. Instances of other versions finish what they have. */
  update(plugins: readonly RegisteredPlugin[]): void {
    const before = this.#entries;
    this.#entries = new Map();
    for (const plugin of plugins) {
      const { name } = plugin.definition;
      const known = before.get(name);
      if (known?.plugin.version === plugin.version) {
        this.#entries.set(name, known);
        before.delete(name);
        continue;
      }
      const host = runsHere(plugin.definition) ? new PluginHost(plugin, this.#seats) : null;
      const counters = known ?? { requests: 0, failures: 0, latencies: [], error: null };
      const entry: Entry = { ...counters, plugin, host };
      if (host !== null) {
        host.onerror = (message) => {
          entry.error = message;
        };
      }
      this.#entries.set(name, entry);
    }
    for (const { host } of before.values()) host?.retire();
    this.#routed = [...this.#entries.values()];
    const root = this.#scope.pathname.slice(1);
    const mounts = this.#routed.map(({ plugin }) => `${root}${plugin.definition.prefix}`.replace(/\/$/, ''));
    this.#router = this.#core.createRouter(mounts);
  }

  /** Null: it is the network's. `url`: absolute, of the scope's origin. */
  match(url: string): Route | null {
    if (!url.startsWith(this.#scope.href) && `${url}/` !== this.#scope.href) return null;
    const match = this.#router.find(url.slice(this.#scope.origin.length));
    if (match === null) return null;
    const entry = this.#routed[match.index]!;
    return entry.host === null ? null : { entry, host: entry.host, url: match.url };
  }

  status(): PluginStatus[] {
    return this.#routed.map(({ plugin, host, requests, failures, latencies, error }) => ({
      name: plugin.definition.name,
      prefix: plugin.definition.prefix,
      state: host?.state ?? 'network',
      place: host?.place ?? null,
      version: plugin.version,
      requests,
      failures,
      latency_ms: median(latencies),
      error,
    }));
  }

  /** Seats may be better elsewhere by now. */
  move(): void {
    for (const { host } of this.#routed) host?.move();
  }

  stop(): void {
    for (const { host } of this.#routed) host?.stop();
    this.update([]);
  }

  // ---- requests of clients

  /** `clientId`: of the page or Worker that asks. */
  async answer(request: Request, route: Route, clientId: string): Promise<Response> {
    const { method, url, headers, signal } = request;
    const first = firstFromNetwork(route) ? await network(request.body === null ? request : request.clone()) : null;
    if (first !== null && !isDown(first)) return first;
    const body = await takeBody(request);
    const memo = isRepeatable(method) ? null : await this.#recall.memo(clientId, method, url, body);
    const answer = await this.#ask(route, {
      wanted: { method, headers: [...headers], body },
      parent: null,
      signal,
      first,
      request: () => (body === null ? request : new Request(request, { body: body as ArrayBuffer })),
      memo,
    });
    memo?.ended();
    return answer instanceof Response ? answer : toResponse(this.#core, answer, method);
  }

  // ---- requests of plug-ins

  /** `parent`: the id of the request that `asker` works on, 0 where that cannot be told. Null: it is the network's. */
  fetch({ url, method, headers, body }: Wanted, asker: SeatEvents, parent: number): Fetching | null {
    const route = this.match(url);
    if (route === null) return null;
    const abort = new AbortController();
    const make = (): Request =>
      new Request(url, { method, headers, body: body as ArrayBuffer | null, signal: abort.signal });
    const answer = async (): Promise<OwnAnswer> => {
      const first = firstFromNetwork(route) && !(body instanceof ReadableStream) ? await network(make()) : null;
      const wanted = { method, headers, body };
      const { signal } = abort;
      const given =
        first !== null && !isDown(first)
          ? first
          : await this.#ask(route, {
              wanted,
              parent: deepest(asker, parent),
              signal,
              first,
              request: make,
              memo: null,
            });
      if (!(given instanceof Response)) return { ...given, statusText: this.#core.statusText(given.status) };
      const { status, statusText } = given;
      return { status, statusText, headers: [...given.headers], body: given.body };
    };
    return { answer: answer(), abort: () => abort.abort() };
  }

  // ---- both

  async #ask({ entry, host, url }: Route, asked: Asked): Promise<Answer | Response> {
    const { wanted, parent, first, memo } = asked;
    const { method, headers, body } = wanted;
    const since = performance.now();
    const requestId = this.#core.requestId(headers);
    const outcome = memo?.begunBefore
      ? begunBefore
      : depth(parent) > MAX_HOPS
        ? circle
        : await submit(host, { requestId, url, method, headers: withId(headers, requestId), body }, asked);
    ++entry.requests;
    entry.latencies[entry.requests % LATENCIES] = performance.now() - since;
    if (statusOf(outcome) >= 500) ++entry.failures;
    const unanswered =
      outcome.kind === 'declined' || (outcome.kind === 'problem' && isDownStatus(outcome.problem.status));
    if (unanswered) {
      if (first !== null) return first;
      if (entry.plugin.definition.fallback === 'network' && !(body instanceof ReadableStream)) {
        const response = await network(asked.request());
        if (response !== null) return response;
      }
    }
    first?.body?.cancel().catch(() => {});
    return this.#finish(entry, outcome, requestId);
  }

  #finish(entry: Entry, outcome: Outcome, requestId: string): Answer {
    const { name } = entry.plugin.definition;
    let answer: Answer;
    if (outcome.kind === 'response') {
      const wrong = this.#core.checkResponse(outcome.status, outcome.headers);
      if (wrong === null) answer = outcome;
      else {
        discard(outcome.body);
        answer = problemAnswer(this.#core, { status: 500, detail: wrong, plugin: name }, requestId);
      }
    } else {
      const problem: Problem = outcome.kind === 'declined' ? declined : outcome.problem;
      answer = problemAnswer(this.#core, { ...problem, plugin: name }, requestId);
    }
    return { ...answer, headers: signed(answer.headers, requestId, name, outcome.place) };
  }
}

const declined: Problem = { status: 500, detail: 'no listener of the fetch event called respondWith()' };

const circle: Outcome = {
  kind: 'problem',
  problem: {
    status: 508,
    detail: `the request was passed on from plug-in to plug-in more than ${MAX_HOPS} times; it goes round in circles`,
  },
  place: null,
};

/** Nobody sees it. */
const left: Outcome = { kind: 'problem', problem: { status: 503, detail: 'the client has left' }, place: null };

const begunBefore: Outcome = {
  kind: 'problem',
  problem: {
    status: 502,
    detail: 'the service worker was stopped while the plug-in worked on this request, which may not be repeated',
  },
  place: null,
};

function submit(host: PluginHost, request: Omit<InstanceRequest, 'id'>, asked: Asked): Promise<Outcome> {
  const { parent, signal, memo } = asked;
  return new Promise((resolve) => {
    const call = host.submit(request, parent, resolve, memo?.begun ?? null);
    if (call.over) return;
    signal.addEventListener('abort', () => {
      host.drop(call);
      resolve(left);
    });
  });
}

/** In how many circles it is: of the requests that it was made for, those that still wait for their answer. */
function depth(parent: Call | null): number {
  let hops = 0;
  for (let call = parent; call !== null && !call.over; call = call.parent) ++hops;
  return hops;
}

/** The request that a plug-in's fetch is made for. Where that cannot be told, the one that would show a circle. */
function deepest(asker: SeatEvents, parent: number): Call | null {
  const known = asker.calls.get(parent);
  if (known !== undefined) return known;
  let found: Call | null = null;
  for (const call of asker.calls.values()) if (depth(call) > depth(found)) found = call;
  return found;
}

function firstFromNetwork({ entry }: Route): boolean {
  return entry.plugin.definition.prefer === 'network-first';
}

function statusOf(outcome: Outcome): number {
  if (outcome.kind === 'response') return outcome.status;
  return (outcome.kind === 'declined' ? declined : outcome.problem).status;
}

/** Null when it cannot be reached. */
async function network(request: Request): Promise<Response | null> {
  try {
    return await fetch(request);
  } catch {
    return null;
  }
}

function isDown({ status }: Response): boolean {
  return status >= 502 && status <= 504;
}

/** What the runtime says in a plug-in's place. */
function isDownStatus(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}

function median(values: number[]): number | null {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}

function withId(headers: HeaderPairs, requestId: string): HeaderPairs {
  const others = headers.filter(([name]) => name !== 'x-request-id');
  others.push(['x-request-id', requestId]);
  return others;
}
