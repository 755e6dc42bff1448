// The body of an answer that the guest sends piece by piece.

/** Bytes from which on the guest is told to wait. */
const enough = 65_536;

export class Outgoing {
  readonly stream: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #left: bigint | undefined;

  /** `length`: as announced. `room`: more should be sent. `gone`: the client has left. */
  constructor(length: bigint | undefined, room: () => void, gone: () => void) {
    this.#left = length;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: room,
        cancel: gone,
      },
      new ByteLengthQueuingStrategy({ highWaterMark: enough }),
    );
  }

  /** Bytes that nobody has taken yet. */
  get queued(): number {
    return enough - (this.#controller.desiredSize ?? 0);
  }

  get full(): boolean {
    return this.queued >= enough;
  }

  /** False: these are more bytes than were announced, and the answer has broken off. */
  write(data: Uint8Array): boolean {
    if (this.#left !== undefined) {
      this.#left -= BigInt(data.length);
      if (this.#left < 0n) {
        this.break();
        return false;
      }
    }
    if (data.length > 0) this.#controller.enqueue(data.slice());
    return true;
  }

  end(): void {
    if (this.#left) this.break();
    else this.#controller.close();
  }

  break(): void {
    this.#controller.error(new TypeError('the answer broke off'));
  }
}
