// When a source is asked for more: what the two controllers of readable streams have in common.

import { pending, promiseOf, react, runInMicrotask } from './reactions.ts';
import type { Controller, Readable, ReadRequest, Source } from './readable.ts';

export abstract class PullController implements Controller {
  readonly stream: Readable;
  readonly highWaterMark: number;
  /** Null once nothing more is wanted of it. */
  source: Source | null;
  closeRequested = false;
  #started = false;
  #pulling = false;
  #pullAgain = false;
  #pulled: (() => void) | null = null;
  #failed: ((reason: unknown) => void) | null = null;

  constructor(stream: Readable, source: Source, highWaterMark: number) {
    this.stream = stream;
    this.source = source;
    this.highWaterMark = highWaterMark;
    stream.controller = this;
  }

  /** Throws what the source's `start` throws. */
  start(): void {
    const result = this.source?.start?.(this);
    const started = (): void => this.started();
    if (result === undefined) runInMicrotask(started);
    else if (result !== pending) react(result, started, (reason) => this.error(reason));
  }

  /** The source is ready to be asked: called by those whose `start` returned `pending`, in a microtask. */
  started(): void {
    this.#started = true;
    this.pullIfNeeded();
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-controller-call-pull-if-needed */
  pullIfNeeded(): void {
    if (!this.#started || !this.shouldPull()) return;
    if (this.#pulling) {
      this.#pullAgain = true;
      return;
    }
    this.#pulling = true;
    this.#pulled ??= () => this.pulled();
    this.#failed ??= (reason) => this.error(reason);
    let result: unknown;
    try {
      result = this.source?.pull?.(this);
    } catch (error) {
      const fail = this.#failed;
      runInMicrotask(() => fail(error));
      return;
    }
    if (result !== pending) react(result, this.#pulled, this.#failed);
  }

  /** The source is done with a pull: called by those that returned `pending`, in a microtask. */
  pulled(): void {
    this.#pulling = false;
    if (!this.#pullAgain) return;
    this.#pullAgain = false;
    this.pullIfNeeded();
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-controller-should-call-pull */
  shouldPull(): boolean {
    if (!this.canEnqueue || !this.#started) return false;
    const { reader } = this.stream;
    if (reader !== null && reader.requests.length > 0) return true;
    return this.highWaterMark - this.queued > 0;
  }

  /** https://streams.spec.whatwg.org/#readable-stream-default-controller-can-close-or-enqueue */
  get canEnqueue(): boolean {
    return !this.closeRequested && this.stream.state === 'readable';
  }

  /** How much waits to be read. */
  protected abstract get queued(): number;

  get desiredSize(): number | null {
    const { state } = this.stream;
    if (state === 'errored') return null;
    return state === 'closed' ? 0 : this.highWaterMark - this.queued;
  }

  abstract error(reason: unknown): void;
  abstract clear(): void;
  abstract pullFor(request: ReadRequest): void;
  abstract release(): void;

  cancel(reason: unknown): Promise<unknown> {
    this.clear();
    const { source } = this;
    this.source = null;
    return promiseOf(() => source?.cancel?.(reason));
  }
}
