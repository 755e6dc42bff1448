// One version of a plug-in: its open requests, where its instance runs, the limits, and what happens when the instance
// breaks down or the page that hosts it goes. The server's counterpart is host/.
import type { Body, HeaderPairs, InstanceRequest, Problem } from '../instance/instance.ts';
import { isRepeatable, type LogLevel, type Place } from '../protocol.ts';
import { discard } from './exchange.ts';
import type { RegisteredPlugin } from './registry.ts';

// A plug-in that does not answer a ping for so long, when a request's time is up, computes.
const COMPUTES_MS = 500;
// How often a request may be given to another instance because its own went.
const MAX_ATTEMPTS = 3;
// A new attempt to load waits for so long, twice as long each time, from the third in a row on.
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 30_000;
const REFUSE_AFTER = 3;
// How long an instance that was replaced may finish what it has.
const DRAIN_MS = 30_000;

/** How a request ended. */
export type Outcome =
  | { kind: 'response'; status: number; headers: HeaderPairs; body: Body; place: Place }
  | { kind: 'declined'; place: Place }
  | { kind: 'problem'; problem: Problem; place: Place | null };

export interface Call {
  readonly request: InstanceRequest;
  /** Of this request, and of those that it was made for: for circles. */
  readonly parent: Call | null;
  seat: Seat | null;
  begun: boolean;
  attempts: number;
  deadline: number;
  over: boolean;
  /** The plug-in was given it. */
  onbegun: (() => void) | null;
  settle(outcome: Outcome): void;
}

/** Where an instance runs: a Worker of a page, or the service worker itself. */
export interface Seat {
  readonly place: Place;
  ready: boolean;
  /** Requests, and bodies that stream from it. */
  load: number;
  give(call: Call): void;
  drop(id: number, reason: 'gone' | 'timeout'): void;
  /** Resolves to false when it does not answer in time. */
  responds(ms: number): Promise<boolean>;
  /** Ends it at once. */
  end(why: string): void;
}

/** What a seat says. */
export interface SeatEvents {
  readonly plugin: RegisteredPlugin;
  readonly calls: ReadonlyMap<number, Call>;
  ready(seat: Seat): void;
  loadFailed(seat: Seat, message: string): void;
  settle(seat: Seat, id: number, outcome: Outcome): void;
  /** `begun`: of the requests that may be repeated, those that the plug-in was given, as far as that is known. */
  broken(seat: Seat, problem: Problem, begun: number[]): void;
  /** It is gone without a word: its page was closed, has crashed, is frozen. */
  lost(seat: Seat, why: string): void;
  /** A body that streamed has ended. */
  drained(seat: Seat): void;
  log(level: LogLevel, text: string): void;
}

export interface Seats {
  /** A seat for an instance; null as long as it is not known where (see `settled`). */
  open(events: SeatEvents): Seat | null;
  /** Resolves when open() gives a seat. */
  settled(): Promise<void>;
}

let nextId = 1;

/** The plug-in is given the call by `seat`. Returns whether it may. */
export function begin(call: Call | undefined, seat: Seat): boolean {
  if (call === undefined || call.seat !== seat) return false;
  call.begun = true;
  call.onbegun?.();
  return true;
}

export class PluginHost implements SeatEvents {
  readonly plugin: RegisteredPlugin;
  readonly calls = new Map<number, Call>();
  /** The last word about an error. */
  onerror: ((message: string) => void) | null = null;
  readonly #seats: Seats;
  #seat: Seat | null = null;
  /** Replaced; they finish what they have. */
  readonly #leaving = new Set<Seat>();
  #failedLoads = 0;
  #refuseUntil = 0;
  #error = '';
  #timer = 0;
  #timerAt = 0;
  #gone = false;

  constructor(plugin: RegisteredPlugin, seats: Seats) {
    this.plugin = plugin;
    this.#seats = seats;
  }

  get state(): 'idle' | 'starting' | 'running' | 'failed' {
    if (this.#seat?.ready) return 'running';
    if (this.#error !== '') return 'failed';
    return this.#seat === null ? 'idle' : 'starting';
  }

  get place(): Place | null {
    return this.#seat?.place ?? null;
  }

  /** Gives the request to the plug-in. `settle` is called once, maybe at once, unless drop() comes first. */
  submit(
    request: Omit<InstanceRequest, 'id'>,
    parent: Call | null,
    settle: (outcome: Outcome) => void,
    onbegun: (() => void) | null = null,
  ): Call {
    const { timeout_ms, queue } = this.plugin.definition.limits;
    const now = performance.now();
    const call: Call = {
      request: { ...request, id: nextId++ },
      parent,
      seat: null,
      begun: false,
      attempts: 0,
      deadline: now + timeout_ms,
      over: false,
      onbegun,
      settle,
    };
    if (now < this.#refuseUntil) {
      this.#finish(call, { kind: 'problem', problem: this.#loadProblem(), place: null });
    } else if (this.calls.size >= queue) {
      const detail = 'too many requests wait for the plug-in';
      const problem = { status: 503, detail, limit: 'queue', limit_value: queue, retry_after_s: 1 };
      this.#finish(call, { kind: 'problem', problem, place: null });
    } else {
      this.calls.set(call.request.id, call);
      this.#arm(call.deadline);
      this.#seatFor(call);
    }
    return call;
  }

  /** The client has left. */
  drop(call: Call): void {
    if (call.over) return;
    call.over = true;
    this.calls.delete(call.request.id);
    this.#unseat(call)?.drop(call.request.id, 'gone');
    discard(call.request.body);
  }

  /** New requests go to another seat, if there is a better one by now. */
  move(): void {
    if (this.#seat === null) return;
    this.#leave(this.#seat);
    this.#seat = null;
  }

  /** Another version takes over. */
  retire(): void {
    this.#gone = true;
    this.move();
  }

  /** Everything ends now. */
  stop(): void {
    this.#gone = true;
    clearTimeout(this.#timer);
    for (const call of [...this.calls.values()]) {
      const problem = { status: 503, detail: 'the runtime stops', retry_after_s: 1 };
      this.#finish(call, { kind: 'problem', problem, place: call.seat?.place ?? null });
    }
    for (const seat of [this.#seat, ...this.#leaving]) seat?.end('the runtime stops');
    this.#seat = null;
    this.#leaving.clear();
  }

  // ---- seats

  #seatFor(call: Call): void {
    if (this.#seat === null) {
      this.#seat = this.#seats.open(this);
      if (this.#seat === null) {
        this.#seats.settled().then(() => {
          if (!call.over && call.seat === null) this.#seatFor(call);
        });
        return;
      }
      this.#expectLoaded(this.#seat);
    }
    const seat = this.#seat;
    call.seat = seat;
    call.begun = false;
    ++call.attempts;
    ++seat.load;
    seat.give(call);
  }

  #unseat(call: Call): Seat | null {
    const seat = call.seat;
    call.seat = null;
    if (seat !== null) {
      --seat.load;
      this.#endIfDrained(seat);
    }
    return seat;
  }

  #leave(seat: Seat): void {
    this.#leaving.add(seat);
    this.#endIfDrained(seat);
    setTimeout(() => {
      if (!this.#leaving.delete(seat)) return;
      this.#fail(seat, { status: 503, detail: 'the plug-in was replaced', retry_after_s: 1 }, () => true);
      seat.end('the plug-in was replaced');
    }, DRAIN_MS);
  }

  #endIfDrained(seat: Seat): void {
    if (seat.load === 0 && this.#leaving.delete(seat)) seat.end('it has nothing more to do');
  }

  #forget(seat: Seat, why: string): void {
    if (this.#seat === seat) this.#seat = null;
    this.#leaving.delete(seat);
    seat.end(why);
  }

  #expectLoaded(seat: Seat): void {
    const { timeout_ms } = this.plugin.definition.limits;
    setTimeout(() => {
      if (seat.ready || this.#seat !== seat) return;
      this.loadFailed(seat, `it did not finish loading within timeout_ms (${timeout_ms} ms)`);
    }, timeout_ms);
  }

  // ---- what seats say

  ready(seat: Seat): void {
    seat.ready = true;
    if (this.#seat !== seat) return;
    this.#failedLoads = 0;
    this.#refuseUntil = 0;
    this.#error = '';
    // A request that came while the plug-in was loaded has its full time from here.
    const deadline = performance.now() + this.plugin.definition.limits.timeout_ms;
    for (const call of this.calls.values()) if (call.seat === seat) call.deadline = deadline;
    if (this.calls.size > 0) this.#arm(deadline);
  }

  loadFailed(seat: Seat, message: string): void {
    const now = performance.now();
    this.#error = message;
    if (++this.#failedLoads >= REFUSE_AFTER) {
      this.#refuseUntil = now + Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failedLoads - 1));
    }
    this.log('error', `could not be created: ${message}`);
    this.#forget(seat, message);
    this.#fail(seat, this.#loadProblem(), () => true);
  }

  broken(seat: Seat, problem: Problem, begun: number[]): void {
    this.log('error', problem.detail + (problem.stack ? `\n${problem.stack}` : ''));
    this.#error = problem.detail;
    this.#forget(seat, problem.detail);
    this.#fail(seat, problem, (call) => begun.includes(call.request.id) || call.begun);
  }

  lost(seat: Seat, why: string): void {
    this.#forget(seat, why);
    const problem = { status: 502, detail: `the plug-in's instance is gone: ${why}` };
    this.#fail(seat, problem, (call) => call.begun && !isRepeatable(call.request.method));
  }

  settle(seat: Seat, id: number, outcome: Outcome): void {
    const call = this.calls.get(id);
    if (call === undefined || call.seat !== seat) {
      if (outcome.kind === 'response') discard(outcome.body);
      return;
    }
    this.#finish(call, outcome);
  }

  drained(seat: Seat): void {
    --seat.load;
    this.#endIfDrained(seat);
  }

  log(level: LogLevel, text: string): void {
    console[level](`valor: ${this.plugin.definition.name}: ${text}`);
    if (level === 'error') this.onerror?.(text);
  }

  #loadProblem(): Problem {
    return { status: 502, detail: `the plug-in could not be created: ${this.#error}` };
  }

  /** The seat's requests fail where `fails` says so; the others are given to another instance. */
  #fail(seat: Seat, problem: Problem, fails: (call: Call) => boolean): void {
    for (const call of [...this.calls.values()]) {
      if (call.seat !== seat) continue;
      const bodyGone = call.request.body instanceof ReadableStream;
      if (fails(call) || bodyGone || call.attempts >= MAX_ATTEMPTS || this.#gone) {
        this.#finish(call, { kind: 'problem', problem, place: seat.place });
      } else {
        this.#unseat(call);
        this.#seatFor(call);
      }
    }
  }

  #finish(call: Call, outcome: Outcome): void {
    if (call.over) return;
    call.over = true;
    this.calls.delete(call.request.id);
    const seat = call.seat;
    if (outcome.kind === 'response' && outcome.body instanceof ReadableStream && seat !== null) ++seat.load;
    this.#unseat(call);
    call.settle(outcome);
  }

  // ---- deadlines

  #arm(deadline: number): void {
    if (this.#timer !== 0 && this.#timerAt <= deadline) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => this.#expire(), deadline - performance.now());
  }

  #expire(): void {
    this.#timer = 0;
    const now = performance.now();
    const { timeout_ms } = this.plugin.definition.limits;
    let next = Number.POSITIVE_INFINITY;
    const suspects = new Set<Seat>();
    for (const call of [...this.calls.values()]) {
      const { seat } = call;
      // Loading has a deadline of its own.
      if (seat !== null && !seat.ready) continue;
      if (call.deadline > now) {
        next = Math.min(next, call.deadline);
        continue;
      }
      this.log('warn', `did not answer request ${call.request.requestId} within timeout_ms (${timeout_ms} ms)`);
      if (seat !== null) {
        seat.drop(call.request.id, 'timeout');
        suspects.add(seat);
      }
      const detail = 'the plug-in did not answer in time';
      const problem = { status: 504, detail, limit: 'timeout_ms', limit_value: timeout_ms };
      this.#finish(call, { kind: 'problem', problem, place: seat?.place ?? null });
      discard(call.request.body);
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
    for (const seat of suspects) this.#examine(seat, now);
  }

  /** A seat that has let a request's time pass: does it compute? */
  async #examine(seat: Seat, since: number): Promise<void> {
    if (!seat.ready || (await seat.responds(COMPUTES_MS)) || (this.#seat !== seat && !this.#leaving.has(seat))) return;
    const { timeout_ms } = this.plugin.definition.limits;
    const detail = `the plug-in did not pause for ${Math.round(timeout_ms + performance.now() - since)} ms and was stopped`;
    const limit = { limit: 'timeout_ms', limit_value: timeout_ms };
    this.broken(seat, { status: 502, detail, ...limit }, []);
  }
}
