// An HTTP/1.1 client for tests that send many requests: it does little else than cut answers out of what comes.
import net from 'node:net';
import { deadlineMs, within } from './harness.ts';

export interface LeanResponse {
  status: number;
  head: string;
  body: string;
  /** False when the connection ended within the body. */
  complete: boolean;
}

/** The value of a header that the server writes in lower case. */
export function headerOf(response: LeanResponse, name: string): string | undefined {
  const at = response.head.indexOf(`\r\n${name}: `);
  if (at < 0) return undefined;
  const start = at + name.length + 4;
  const end = response.head.indexOf('\r\n', start);
  return response.head.slice(start, end < 0 ? undefined : end);
}

export class LeanConnection {
  readonly socket: net.Socket;
  ended = false;
  #text = '';
  #responses: LeanResponse[] = [];
  #wake: (() => void) | undefined;

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (data: Buffer) => {
      this.#text += data.toString('latin1');
      this.#cut();
    });
    // A reset is a way to close; what came before it counts.
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
      this.#cutOff();
      this.#wake?.();
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Resolves when the system has taken everything sent so far: who closes earlier has sent nothing. */
  sent(): Promise<void> {
    return new Promise((resolve) => this.socket.write('', () => resolve()));
  }

  /** The next answer, or null when the connection ended without one. */
  async next(ms = deadlineMs): Promise<LeanResponse | null> {
    if (this.#responses.length === 0 && !this.ended) {
      await within(
        new Promise<void>((wake) => {
          this.#wake = wake;
        }),
        'an answer',
        ms,
      );
    }
    return this.#responses.shift() ?? null;
  }

  close(): void {
    this.socket.destroy();
  }

  #cut(): void {
    let at = 0;
    for (;;) {
      const headEnd = this.#text.indexOf('\r\n\r\n', at);
      if (headEnd < 0) break;
      const head = this.#text.slice(at, headEnd);
      const found = bodyOf(this.#text, headEnd + 4, head);
      if (found === undefined) break;
      this.#responses.push({ status: Number(head.slice(9, 12)), head, body: found.body, complete: true });
      at = found.end;
    }
    if (at > 0) this.#text = this.#text.slice(at);
    if (this.#responses.length > 0) this.#wake?.();
  }

  #cutOff(): void {
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#text.slice(0, headEnd);
    const body = this.#text.slice(headEnd + 4);
    this.#responses.push({ status: Number(head.slice(9, 12)), head, body, complete: false });
  }
}

function bodyOf(text: string, start: number, head: string): { body: string; end: number } | undefined {
  const lengthAt = head.indexOf('\r\ncontent-length: ');
  if (lengthAt >= 0) {
    const end = start + Number.parseInt(head.slice(lengthAt + 18), 10);
    return text.length < end ? undefined : { body: text.slice(start, end), end };
  }
  if (!head.includes('\r\ntransfer-encoding: chunked')) return { body: '', end: start };
  let body = '';
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    const end = line + 2 + size;
    if (text.length < end + 2) return undefined;
    body += text.slice(line + 2, end);
    at = end + 2;
    if (size === 0) return { body, end: at };
  }
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}
