// https://streams.spec.whatwg.org/#qs

import { type Strategy, toHighWaterMark } from './dictionaries.ts';
import type { SizeAlgorithm } from './queue.ts';

/** https://streams.spec.whatwg.org/#validate-and-normalize-high-water-mark */
export function highWaterMarkOf({ highWaterMark }: Strategy, otherwise: number): number {
  if (highWaterMark === undefined) return otherwise;
  if (!(highWaterMark >= 0)) throw new RangeError('highWaterMark is not a number from 0');
  return highWaterMark;
}

/** https://streams.spec.whatwg.org/#make-size-algorithm-from-size-function */
export function sizeOf({ size }: Strategy): SizeAlgorithm {
  // Chunks count 1 without being asked for it.
  if (size === undefined || size === countSize) return null;
  return (chunk) => +(size(chunk) as number);
}

// Functions without a prototype, one for each realm: https://streams.spec.whatwg.org/#count-queuing-strategy-size-function
const sizes = {
  byteLength: { size: (chunk: { byteLength: number }): number => chunk.byteLength }.size,
  count: { size: (): number => 1 }.size,
};
const { count: countSize, byteLength: byteLengthSize } = sizes;

export class CountQueuingStrategy {
  #highWaterMark: number;

  constructor(init: unknown) {
    this.#highWaterMark = toHighWaterMark(init);
  }

  get highWaterMark(): number {
    return this.#highWaterMark;
  }
  get size(): unknown {
    void this.#highWaterMark;
    return countSize;
  }
}

export class ByteLengthQueuingStrategy {
  #highWaterMark: number;

  constructor(init: unknown) {
    this.#highWaterMark = toHighWaterMark(init);
  }

  get highWaterMark(): number {
    return this.#highWaterMark;
  }
  get size(): unknown {
    void this.#highWaterMark;
    return byteLengthSize;
  }
}
