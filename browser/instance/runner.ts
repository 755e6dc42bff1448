// Runs one instance for whoever hosts it, a Worker or the service worker: requests wait while the plug-in is loading and
// while it takes one at a time.
import type {
  Body,
  CreateInstance,
  HeaderPairs,
  Instance,
  InstanceOptions,
  InstanceRequest,
  Problem,
} from './instance.ts';

export interface RunnerEvents {
  ready(): void;
  /** For operators. Nothing comes after it. */
  loadFailed(message: string): void;
  /** The plug-in is about to be given this request: now (null), or when that is allowed. */
  begin(request: InstanceRequest): Promise<void> | null;
  respond(id: number, status: number, headers: HeaderPairs, body: Body): void;
  fail(id: number, problem: Problem): void;
  decline(id: number): void;
  /** `begun`: open requests that the plug-in has been given. Nothing comes after it. */
  broken(problem: Problem, begun: number[]): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string): void;
  /** `parent`: the request in whose handler call it is made, or 0. */
  fetch(request: Request, parent: number): Promise<Response>;
}

export class Runner {
  readonly #events: RunnerEvents;
  #instance: Instance | null = null;
  #waiting: InstanceRequest[] = [];
  readonly #open = new Set<number>();
  #oneAtATime = false;
  #handling = 0;
  #ended = false;

  constructor(create: CreateInstance, options: Omit<InstanceOptions, 'host'>, events: RunnerEvents) {
    this.#events = events;
    const ends = (id: number): boolean => !this.#ended && this.#open.delete(id);
    const loading = create({
      ...options,
      host: {
        respond: (id, status, headers, body) => {
          if (!ends(id)) {
            if (body instanceof ReadableStream) body.cancel().catch(() => {});
            return;
          }
          events.respond(id, status, headers, body);
          this.#give();
        },
        fail: (id, problem) => {
          if (!ends(id)) return;
          events.fail(id, problem);
          this.#give();
        },
        decline: (id) => {
          if (!ends(id)) return;
          events.decline(id);
          this.#give();
        },
        oneAtATime: (on) => {
          this.#oneAtATime = on;
          this.#give();
        },
        broken: (problem) => {
          if (this.#ended) return;
          this.#ended = true;
          if (this.#instance === null) events.loadFailed(problem.detail);
          else events.broken(problem, [...this.#open]);
        },
        log: (level, text) => events.log(level, text),
        fetch: (request, parent) => events.fetch(request, parent ?? this.#handling),
      },
    });
    loading.then(
      (instance) => {
        if (this.#ended) {
          instance.destroy();
          return;
        }
        this.#instance = instance;
        events.ready();
        this.#give();
      },
      (error) => {
        if (this.#ended) return;
        this.#ended = true;
        events.loadFailed(error instanceof Error ? error.message : String(error));
      },
    );
  }

  handle(request: InstanceRequest): void {
    this.#waiting.push(request);
    this.#give();
  }

  /** The request ended without the instance's doing. */
  drop(id: number, reason: 'gone' | 'timeout'): void {
    if (this.#open.delete(id)) {
      if (!this.#ended) this.#instance?.drop(id, reason);
      this.#give();
      return;
    }
    this.#waiting = this.#waiting.filter((request) => request.id !== id);
  }

  /** Ends the instance. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#instance?.destroy();
  }

  #give(): void {
    // Answers may come while a request is handed over: whoever does that goes on with the next.
    if (this.#handling !== 0) return;
    while (!this.#ended && this.#instance !== null && this.#waiting.length > 0) {
      if (this.#oneAtATime && this.#open.size > 0) return;
      const request = this.#waiting.shift()!;
      this.#open.add(request.id);
      const allowed = this.#events.begin(request);
      if (allowed === null) this.#hand(request);
      else allowed.then(() => this.#allowed(request));
    }
  }

  #allowed(request: InstanceRequest): void {
    if (this.#ended || !this.#open.has(request.id)) return;
    this.#hand(request);
    this.#give();
  }

  #hand(request: InstanceRequest): void {
    this.#handling = request.id;
    this.#instance!.handle(request);
    this.#handling = 0;
  }
}
