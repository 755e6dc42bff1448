// Bodies that arrive: of requests, and of responses to fetch().
import * as host from './host';
import { Result } from './constants';
import { Operation, soon } from './operation';
import { instance } from './self';

const PIECE: i32 = 65536;

/** The most that readAll() takes unless told otherwise: 16 MiB. */
export const WHOLE_BODY: i32 = 16 * 1024 * 1024;

/** One reader at a time. */
export class Body {
  /** No more will come: the body has ended, or failed. */
  ended: bool = false;
  /** It broke off, or was longer than readAll() was to take: what was read is not all. */
  failed: bool = false;
  /** The limit of readAll() was passed. */
  tooLong: bool = false;
  /** Where pieces are read to, made when needed. */
  buffer: ArrayBuffer | null = null;

  constructor(
    readonly exchange: u64,
    /** Whose request it is: when that has ended, nobody is told. */
    readonly ofRequest: bool,
  ) {}

  /** Gives `then` the next bytes, at most 64 KiB, valid until the next read; null at the end (see `failed`). */
  read<T>(context: T, then: (context: T, piece: Uint8Array | null) => void): void {
    let buffer = this.buffer;
    if (buffer === null) this.buffer = buffer = new ArrayBuffer(PIECE);
    new Piece<T>(this, buffer, context, then).attempt();
  }

  /** Gives `then` all bytes; null when there are more than `limit` or the body broke off. */
  readAll<T>(context: T, then: (context: T, bytes: Uint8Array | null) => void, limit: i32 = WHOLE_BODY): void {
    new Whole<T>(this, limit, context, then).attempt();
  }

  end(failed: bool): void {
    this.ended = true;
    this.failed = failed;
    this.buffer = null;
  }
}

abstract class Read extends Operation {
  constructor(
    readonly body: Body,
    public buffer: ArrayBuffer,
  ) {
    super();
  }

  /** Bytes are there (at least one), or it is the end (0). Returns whether to read on. */
  abstract arrived(size: i32): bool;
  abstract finish(): void;

  attempt(): void {
    const body = this.body;
    let more = true;
    while (more) {
      let got = Result.OK;
      if (!body.ended) {
        const at = this.filled;
        got = host.body_read(
          instance, body.exchange, changetype<usize>(this.buffer) + at, this.buffer.byteLength - at, this.number);
      }
      if (got == Result.WAIT) return this.wait();
      if (got <= 0) {
        // The handler of a request that has ended is not called any more.
        if (got < 0 && body.ofRequest) return;
        if (!body.ended) body.end(got < 0);
        more = this.arrived(0);
      } else {
        more = this.arrived(got);
      }
    }
    soon(this);
  }

  get filled(): i32 {
    return 0;
  }

  completed(status: i32, data: usize, size: usize): void {
    if (this.done) return this.finish();
    // GONE is found again by reading.
    this.attempt();
  }

  done: bool = false;
}

class Piece<T> extends Read {
  private size: i32 = 0;

  constructor(
    body: Body,
    buffer: ArrayBuffer,
    readonly context: T,
    readonly then: (context: T, piece: Uint8Array | null) => void,
  ) {
    super(body, buffer);
  }

  arrived(size: i32): bool {
    this.size = size;
    this.done = true;
    return false;
  }

  finish(): void {
    this.then(this.context, this.size > 0 ? Uint8Array.wrap(this.buffer, 0, this.size) : null);
  }
}

class Whole<T> extends Read {
  private size: i32 = 0;

  constructor(
    body: Body,
    readonly limit: i32,
    readonly context: T,
    readonly then: (context: T, bytes: Uint8Array | null) => void,
  ) {
    super(body, new ArrayBuffer(4096));
  }

  get filled(): i32 {
    return this.size;
  }

  arrived(size: i32): bool {
    this.size += size;
    if (size > 0 && this.size > this.limit) {
      this.body.end(true);
      this.body.tooLong = true;
    }
    if (size == 0 || this.body.ended) {
      this.done = true;
      return false;
    }
    if (this.size == this.buffer.byteLength) {
      const larger = new ArrayBuffer(this.size * 2);
      memory.copy(changetype<usize>(larger), changetype<usize>(this.buffer), this.size);
      this.buffer = larger;
    }
    return true;
  }

  finish(): void {
    this.then(this.context, this.body.failed ? null : Uint8Array.wrap(this.buffer, 0, this.size));
  }
}
