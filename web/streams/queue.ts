// Queues that grow as needed and are used again: https://streams.spec.whatwg.org/#queue-with-sizes

const none: undefined[] = [];

/** A list that is filled at one end and emptied at the other: a ring, whose size is a power of two. */
export class Queue<T> {
  length = 0;
  #slots: (T | undefined)[] = none;
  #head = 0;

  push(value: T): void {
    if (this.length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.length) & (this.#slots.length - 1)] = value;
    this.length++;
  }

  /** The first; there must be one. */
  peek(): T {
    return this.#slots[this.#head] as T;
  }

  /** Takes the first out; there must be one. */
  shift(): T {
    const value = this.#slots[this.#head] as T;
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.length--;
    return value;
  }

  /** Takes all out, in order. */
  takeAll(): T[] {
    const all: T[] = [];
    while (this.length > 0) all.push(this.shift());
    return all;
  }

  clear(): void {
    this.#slots = none;
    this.#head = 0;
    this.length = 0;
  }

  #grow(): void {
    const slots = this.#slots;
    if (slots === none) {
      this.#slots = [undefined, undefined, undefined, undefined];
      return;
    }
    const { length } = slots;
    const larger: (T | undefined)[] = [];
    for (let at = 0; at < length; at++) larger.push(slots[(this.#head + at) & (length - 1)]);
    for (let at = 0; at < length; at++) larger.push(undefined);
    this.#slots = larger;
    this.#head = 0;
  }
}

/** What a strategy's `size` says of a chunk; without one every chunk counts 1. */
export type SizeAlgorithm = ((chunk: unknown) => number) | null;

/** A queue that knows the sum of its chunks' sizes. */
export class ChunkQueue {
  total = 0;
  #chunks = new Queue<unknown>();
  #sizes: Queue<number> | null;

  constructor(size: SizeAlgorithm) {
    this.#sizes = size && new Queue();
  }

  get length(): number {
    return this.#chunks.length;
  }

  /** Throws a RangeError when the size is none. */
  push(chunk: unknown, size: number): void {
    if (!(size >= 0 && size < Infinity))
      throw new RangeError('The size that the strategy gave is not a finite number from 0');
    this.#chunks.push(chunk);
    this.#sizes?.push(size);
    this.total += size;
  }

  peek(): unknown {
    return this.#chunks.peek();
  }

  shift(): unknown {
    // Sums of fractions may end a little below zero.
    this.total = Math.max(this.total - (this.#sizes === null ? 1 : this.#sizes.shift()), 0);
    return this.#chunks.shift();
  }

  clear(): void {
    this.#chunks.clear();
    this.#sizes?.clear();
    this.total = 0;
  }
}
