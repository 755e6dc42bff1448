// HTTP/1.1 by hand: what a test must send or see byte by byte.
import net from 'node:net';
import { deadlineMs, within } from './harness.ts';

export interface RawResponse {
  status: number;
  head: string;
  headers: Record<string, string>;
  body: string;
  /** Whether the body was sent in chunks. */
  chunked: boolean;
}

export class RawConnection {
  readonly socket: net.Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, data]);
      this.#wake();
    });
    // A reset is a way to close; tests that care look at what came before.
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
    socket.on('end', () => this.#end());
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await within(
      new Promise((done, failed) => {
        socket.once('connect', done);
        socket.once('error', failed);
      }),
      'the connection',
    );
    return new RawConnection(socket);
  }

  /** Sends text as it is; lines end as written. */
  send(...text: string[]): this {
    this.socket.write(text.join(''), 'latin1');
    return this;
  }

  /** A request without surprises. */
  get(path: string, ...headers: string[]): this {
    return this.send([`GET ${path} HTTP/1.1`, 'host: test', ...headers, '', ''].join('\r\n'));
  }

  /** Reads one response; `headOnly` for answers to HEAD. 1xx responses count as responses. */
  async response(headOnly = false, ms = deadlineMs): Promise<RawResponse> {
    const head = await this.#take(() => {
      const end = this.#buffer.indexOf('\r\n\r\n');
      return end < 0 ? -1 : end + 4;
    }, ms);
    const [statusLine = '', ...lines] = head.trimEnd().split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    if (!status) throw new Error(`not a status line: ${statusLine}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const chunked = headers['transfer-encoding'] === 'chunked';
    let body = '';
    if (!headOnly && status >= 200 && status !== 204 && status !== 304) {
      if (chunked) body = await this.#chunks();
      else if ('content-length' in headers) body = await this.bytes(Number(headers['content-length']));
      else body = await this.rest();
    }
    return { status, head, headers, body, chunked };
  }

  bytes(count: number): Promise<string> {
    return this.#take(() => (this.#buffer.length >= count ? count : -1));
  }

  /** Everything until the server closes. */
  async rest(): Promise<string> {
    await this.closed();
    const rest = this.#buffer.toString('latin1');
    this.#buffer = Buffer.alloc(0);
    return rest;
  }

  /** Waits until the server has closed its side. */
  closed(): Promise<void> {
    return within(
      this.#until(() => this.#ended),
      'the end of the connection',
    );
  }

  /** Whether anything has come that was not read. */
  get pending(): number {
    return this.#buffer.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  close(): void {
    this.socket.destroy();
  }

  async #chunks(): Promise<string> {
    let body = '';
    for (;;) {
      const line = await this.#line();
      const size = Number.parseInt(line, 16);
      if (Number.isNaN(size)) throw new Error(`not a chunk size: ${line}`);
      if (size === 0) break;
      body += await this.bytes(size);
      if ((await this.bytes(2)) !== '\r\n') throw new Error('no line end after a chunk');
    }
    let trailer = await this.#line();
    while (trailer !== '') trailer = await this.#line();
    return body;
  }

  async #line(): Promise<string> {
    const line = await this.#take(() => {
      const end = this.#buffer.indexOf('\r\n');
      return end < 0 ? -1 : end + 2;
    });
    return line.slice(0, -2);
  }

  async #take(size: () => number, ms = deadlineMs): Promise<string> {
    await within(
      this.#until(() => size() >= 0 || this.#ended),
      `more data (have ${JSON.stringify(this.#buffer.toString('latin1').slice(0, 200))})`,
      ms,
    );
    const count = size();
    if (count < 0)
      throw new Error(`connection ended early, after ${JSON.stringify(this.#buffer.toString('latin1').slice(0, 200))}`);
    const text = this.#buffer.toString('latin1', 0, count);
    this.#buffer = this.#buffer.subarray(count);
    return text;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}

/** Opens a connection, does something with it, closes it. */
export async function raw<T>(port: number, use: (connection: RawConnection) => Promise<T>): Promise<T> {
  const connection = await RawConnection.open(port);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}
