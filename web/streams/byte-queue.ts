// The bytes that wait in a byte stream, as they came.

import type { PullInto } from './pull-into.ts';
import { Queue } from './queue.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** May throw a RangeError when there is no memory. */
export function copyOf(buffer: ArrayBuffer, byteOffset: number, byteLength: number): Bytes {
  const copy = new Uint8Array(byteLength);
  copy.set(new Uint8Array(buffer, byteOffset, byteLength));
  return copy;
}

export class ByteQueue {
  /** In bytes. */
  total = 0;
  readonly #entries = new Queue<Bytes>();
  /** How much of the first is gone. */
  #offset = 0;

  push(bytes: Bytes): void {
    this.#entries.push(bytes);
    this.total += bytes.length;
  }

  /** What is left of the first. */
  shift(): Bytes {
    const first = this.#entries.shift();
    const bytes = this.#offset === 0 ? first : first.subarray(this.#offset);
    this.#offset = 0;
    this.total -= bytes.length;
    return bytes;
  }

  clear(): void {
    this.#entries.clear();
    this.#offset = 0;
    this.total = 0;
  }

  /**
   * Moves bytes into memory; whether it has enough then:
   * https://streams.spec.whatwg.org/#readable-byte-stream-controller-fill-pull-into-descriptor-from-queue
   */
  fill(pullInto: PullInto): boolean {
    let rest = Math.min(this.total, pullInto.byteLength - pullInto.filled);
    const whole = pullInto.filled + rest - ((pullInto.filled + rest) % pullInto.type.elementSize);
    const enough = whole >= pullInto.minimum;
    if (enough) rest = whole - pullInto.filled;
    while (rest > 0) {
      const first = this.#entries.peek();
      const count = Math.min(rest, first.length - this.#offset);
      const target = new Uint8Array(pullInto.buffer, pullInto.byteOffset + pullInto.filled, count);
      target.set(first.subarray(this.#offset, this.#offset + count));
      this.#offset += count;
      if (this.#offset === first.length) {
        this.#entries.shift();
        this.#offset = 0;
      }
      this.total -= count;
      pullInto.filled += count;
      rest -= count;
    }
    return enough;
  }
}
