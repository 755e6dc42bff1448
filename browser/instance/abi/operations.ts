// What a guest waits for, by the numbers that it chose: timers, the bodies of its requests and fetches, the responses to
// its fetches. The browser's plugins/abi/operations.h.
import { FINE, GONE } from './codes.ts';

/** What the guest may wait for at one exchange (a request or a fetch), each once at a time. */
export type WaitsFor = 'body' | 'room' | 'head';

export interface Exchange {
  waiting: Partial<Record<WaitsFor, Operation>>;
}

export interface Operation {
  number: bigint;
  exchange?: Exchange;
  waitsFor?: WaitsFor;
  timer?: ReturnType<typeof setTimeout>;
}

/** As many at a time: a guest that starts them without end takes memory that no limit of it counts. */
const most = 65_536;
/** The longest that setTimeout() takes. */
const longestTimer = 2 ** 31 - 1;

export class Operations {
  #all = new Map<bigint, Operation>();
  #later: (work: () => void) => void;
  #deliver: (operation: bigint, status: number, data?: Uint8Array) => void;

  /** `later` runs work when no code of the guest runs; `deliver` calls complete() of the guest. */
  constructor(
    later: (work: () => void) => void,
    deliver: (operation: bigint, status: number, data?: Uint8Array) => void,
  ) {
    this.#later = later;
    this.#deliver = deliver;
  }

  /** Why an operation of this number cannot begin; '': it can. */
  refusal(number: bigint): string {
    if (this.#all.has(number)) return 'the number of the operation is in use';
    return this.#all.size < most ? '' : `too many operations wait (${most})`;
  }

  /** Only where nothing waits for the same. */
  wait(exchange: Exchange, waitsFor: WaitsFor, number: bigint): void {
    const operation = { number, exchange, waitsFor };
    exchange.waiting[waitsFor] = operation;
    this.#all.set(number, operation);
  }

  sleep(milliseconds: bigint, number: bigint): void {
    const operation: Operation = { number };
    this.#all.set(number, operation);
    if (milliseconds === 0n) {
      soon(() => this.#end(operation, FINE));
      return;
    }
    // Browsers round down.
    let left = milliseconds + 1n;
    const go = (): void => {
      const part = left < longestTimer ? Number(left) : longestTimer;
      left -= BigInt(part);
      operation.timer = setTimeout(() => (left > 0n ? go() : this.#end(operation, FINE)), part);
    };
    go();
  }

  /** What waits for this, if anything does, is complete. */
  complete(exchange: Exchange, waitsFor: WaitsFor, status: number, data?: Uint8Array): void {
    const operation = exchange.waiting[waitsFor];
    if (!operation) return;
    delete exchange.waiting[waitsFor];
    this.#end(operation, status, data);
  }

  #end(operation: Operation, status: number, data?: Uint8Array): void {
    this.#later(() => {
      // It may have been cancelled since.
      if (this.#all.get(operation.number) !== operation) return;
      this.#all.delete(operation.number);
      this.#deliver(operation.number, status, data);
    });
  }

  /** Whatever waits at the exchange is complete with VALOR_GONE. */
  end(exchange: Exchange): void {
    for (const waitsFor of ['body', 'room', 'head'] as const) this.complete(exchange, waitsFor, GONE);
  }

  /** Whatever waits at the exchange, or did and is complete, is forgotten. */
  forget(exchange: Exchange): void {
    exchange.waiting = {};
    for (const [number, operation] of this.#all) if (operation.exchange === exchange) this.#all.delete(number);
  }

  /** Undefined when there is no operation of that number. */
  cancel(number: bigint): Operation | undefined {
    const operation = this.#all.get(number);
    if (!operation) return undefined;
    this.#all.delete(number);
    clearTimeout(operation.timer);
    const { exchange, waitsFor } = operation;
    if (exchange && waitsFor && exchange.waiting[waitsFor] === operation) delete exchange.waiting[waitsFor];
    return operation;
  }

  clear(): void {
    for (const { timer } of this.#all.values()) clearTimeout(timer);
    this.#all.clear();
  }
}

/** As a task of its own, and without the milliseconds that setTimeout() adds when it is used again and again. */
function soon(work: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    work();
  };
  port2.postMessage(0);
}
