import { PLAIN_TEXT } from './constants';
import { Headers } from './headers';
import { toUtf8 } from './text';

/** An answer with its whole body. */
export class Response {
  readonly headers: Headers = new Headers();

  /** `status` is 200 to 599. */
  constructor(
    readonly status: i32 = 200,
    readonly body: ArrayBuffer = new ArrayBuffer(0),
  ) {}

  static text(text: string, status: i32 = 200): Response {
    return new Response(status, toUtf8(text)).header('content-type', PLAIN_TEXT);
  }

  /** `json` is JSON text already. */
  static json(json: string, status: i32 = 200): Response {
    return new Response(status, toUtf8(json)).header('content-type', 'application/json');
  }

  static bytes(bytes: Uint8Array, type: string | null = null, status: i32 = 200): Response {
    const start = bytes.byteOffset;
    const whole = start == 0 && bytes.length == bytes.buffer.byteLength;
    const response = new Response(status, whole ? bytes.buffer : bytes.buffer.slice(start, start + bytes.length));
    return type === null ? response : response.header('content-type', type);
  }

  /** Adds a header; names may repeat. */
  header(name: string, value: string): Response {
    this.headers.append(name, value);
    return this;
  }
}
