// A MessagePort on which bodies stream in both directions. Transferred streams would do the same, but who holds one is
// never told that the other side has died, and each piece costs a round trip. Here the receiver grants bytes: never more
// than WINDOW of a body are under way or wait to be read.
import type { StreamMessage, WireBody } from '../protocol.ts';
import type { Body } from './instance.ts';

const WINDOW = 256 * 1024;

interface Outgoing {
  pull(bytes: number): void;
  cancel(): void;
}

interface Incoming {
  chunk(bytes: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
}

export class Channel<Sent extends { type: string }> {
  readonly #port: MessagePort;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #incoming = new Map<number, Incoming>();
  #next = 1;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  post(message: Sent | StreamMessage, transfer: Transferable[] = []): void {
    if (!this.#closed) this.#port.postMessage(message, transfer);
  }

  /** How `body` goes out in the next message. `lazy`: nothing is read from it before the other side asks. */
  send(body: Body, lazy = false): WireBody {
    if (body === null || body instanceof ArrayBuffer) return body;
    const stream = this.#next++;
    const window = lazy ? 0 : WINDOW;
    const outgoing = this.#outgoingOf(stream, body);
    this.#outgoing.set(stream, outgoing);
    // After the message that names it.
    if (!lazy) queueMicrotask(() => outgoing.pull(window));
    return { stream, window };
  }

  /** A body that was sent lazily and not asked for is its owner's again. */
  withdraw(body: WireBody): void {
    if (body !== null && !(body instanceof ArrayBuffer)) this.#outgoing.delete(body.stream);
  }

  /** The body that a message names. `ended` is called once a stream needs the other side no more. */
  receive(body: WireBody, ended?: () => void): Body {
    if (body === null || body instanceof ArrayBuffer) return body;
    const { stream } = body;
    let underWay = body.window;
    const done = (): void => {
      if (this.#incoming.delete(stream)) ended?.();
    };
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const grant = (): void => {
      const room = controller.desiredSize! - underWay;
      if (room < WINDOW / 2) return;
      underWay += room;
      this.post({ type: 'pull', stream, bytes: room });
    };
    const readable = new ReadableStream<Uint8Array>(
      {
        start: (started) => {
          controller = started;
        },
        pull: grant,
        cancel: () => {
          done();
          this.post({ type: 'cancel', stream });
        },
      },
      { highWaterMark: WINDOW, size: (chunk) => chunk.byteLength },
    );
    this.#incoming.set(stream, {
      chunk: (bytes) => {
        underWay -= bytes.byteLength;
        controller.enqueue(bytes);
      },
      end: () => {
        controller.close();
        done();
      },
      fail: (error) => {
        controller.error(error);
        done();
      },
    });
    if (this.#closed) this.#incoming.get(stream)!.fail(new TypeError('the other side has ended'));
    return readable;
  }

  /** Handles a message that is about a stream; returns whether it was. */
  take(message: { type: string }): boolean {
    const about = message as StreamMessage;
    switch (about.type) {
      case 'chunk':
        this.#incoming.get(about.stream)?.chunk(about.bytes);
        return true;
      case 'end':
        this.#incoming.get(about.stream)?.end();
        return true;
      case 'error':
        this.#incoming.get(about.stream)?.fail(new TypeError(about.message));
        return true;
      case 'pull':
        this.#outgoing.get(about.stream)?.pull(about.bytes);
        return true;
      case 'cancel':
        this.#outgoing.get(about.stream)?.cancel();
        return true;
      default:
        return false;
    }
  }

  /** Bodies under way break off with `reason`. Nothing is posted from here on. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.onmessage = null;
    this.#port.close();
    for (const incoming of [...this.#incoming.values()]) incoming.fail(new TypeError(reason));
    for (const outgoing of [...this.#outgoing.values()]) outgoing.cancel();
  }

  #outgoingOf(stream: number, body: ReadableStream<Uint8Array>): Outgoing {
    let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
    let granted = 0;
    let reading = false;
    const finish = (message: StreamMessage): void => {
      if (this.#outgoing.delete(stream)) this.post(message);
    };
    const pump = async (): Promise<void> => {
      reading = true;
      try {
        reader ??= body.getReader();
        while (granted > 0 && this.#outgoing.has(stream)) {
          const { done, value } = await reader.read();
          if (done) {
            finish({ type: 'end', stream });
          } else if (!((value as unknown) instanceof Uint8Array)) {
            throw new TypeError('a body consists of pieces that are Uint8Arrays');
          } else if (value.byteLength > 0 && this.#outgoing.has(stream)) {
            granted -= value.byteLength;
            // A copy: the piece may be a part of a larger buffer, and whoever made it may use it again.
            const bytes = value.slice();
            this.post({ type: 'chunk', stream, bytes }, [bytes.buffer]);
          }
        }
      } catch (error) {
        finish({ type: 'error', stream, message: error instanceof Error ? error.message : String(error) });
        reader?.cancel(error).catch(() => {});
      }
      reading = false;
    };
    return {
      pull: (bytes) => {
        granted += bytes;
        if (!reading) pump();
      },
      cancel: () => {
        if (!this.#outgoing.delete(stream)) return;
        (reader ?? body).cancel().catch(() => {});
      },
    };
  }
}
