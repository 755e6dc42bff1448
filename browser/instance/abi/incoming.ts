// A body that the guest reads: of a request, or of the response to a fetch.
import type { Body } from '../instance.ts';
import { GONE, WAIT } from './codes.ts';

export class Incoming {
  #rest: Uint8Array | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #reading = false;
  #broken = false;
  #news: () => void;

  /** `news`: after read() said WAIT, it is worth calling again. */
  constructor(body: Body, news: () => void) {
    this.#news = news;
    if (body instanceof ArrayBuffer) this.#rest = new Uint8Array(body);
    else this.#reader = body?.getReader();
  }

  /** Copies what is there to `target`, which is not empty. Returns how many bytes; 0: the end; WAIT; GONE: it broke off. */
  read(target: Uint8Array): number {
    const rest = this.#rest;
    if (rest?.length) {
      const piece = rest.subarray(0, target.length);
      target.set(piece);
      this.#rest = rest.subarray(piece.length);
      return piece.length;
    }
    if (this.#broken) return GONE;
    if (!this.#reader) return 0;
    if (!this.#reading) {
      this.#reading = true;
      this.#reader.read().then(
        ({ done, value }) => {
          this.#rest = value;
          if (done) this.#reader = undefined;
          this.#arrived();
        },
        () => {
          this.#broken = true;
          this.#arrived();
        },
      );
    }
    return WAIT;
  }

  #arrived(): void {
    this.#reading = false;
    this.#news();
  }

  /** Nobody wants the rest. */
  cancel(): void {
    this.#reader?.cancel().catch(() => {});
    this.#reader = undefined;
    this.#rest = undefined;
    this.#broken = true;
  }
}
