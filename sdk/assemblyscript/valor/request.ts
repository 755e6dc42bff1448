import * as host from './host';
import { Body, WHOLE_BODY } from './body';
import { LENGTH_UNKNOWN, RequestFlag, Result } from './constants';
import { Headers } from './headers';
import { Response } from './response';
import { instance } from './self';
import { decodeQuery, fromUtf8, toUtf8 } from './text';
import { Writer } from './writer';

/** Requests that are answered later, by number. */
const open = new Map<u64, Request>();

/** A request, and the way to answer it later. Its parts are decoded when they are asked for. */
export class Request {
  private decodedUrl: string | null = null;
  private decodedHeaders: Headers | null = null;
  private madeBody: Body | null = null;
  private gone: ((request: Request) => void) | null = null;
  private hasEnded: bool = false;

  constructor(
    /** The host's number of it. */
    readonly number: u64,
    /** A valor_request_head and what is behind it. */
    private readonly head: ArrayBuffer,
  ) {}

  /** As sent: methods are case-sensitive. */
  get method(): string {
    return this.span(16);
  }

  /** Relative to the mount: no leading slash, with the query; empty for the mount itself. */
  get url(): string {
    let url = this.decodedUrl;
    if (url === null) this.decodedUrl = url = this.span(24);
    return url;
  }

  /** The x-request-id. */
  get id(): string {
    return this.span(32);
  }

  /** The url without the query. */
  get path(): string {
    const url = this.url;
    const query = url.indexOf('?');
    return query < 0 ? url : url.substring(0, query);
  }

  /** The first value of a query parameter, decoded; null when there is none of that name. */
  query(name: string): string | null {
    const url = this.url;
    let at = url.indexOf('?') + 1;
    while (at > 0) {
      let end = url.indexOf('&', at);
      if (end < 0) end = url.length;
      let equals = url.indexOf('=', at);
      if (equals < 0 || equals > end) equals = end;
      if (decodeQuery(url.substring(at, equals)) == name) {
        return equals < end ? decodeQuery(url.substring(equals + 1, end)) : '';
      }
      at = end < url.length ? end + 1 : 0;
    }
    return null;
  }

  /** Names are in lower case, values characters U+0000 to U+00FF: bytes. */
  get headers(): Headers {
    let headers = this.decodedHeaders;
    if (headers === null) {
      const head = changetype<usize>(this.head);
      headers = Headers.unpacked(head, head + load<u32>(head, 40), load<u32>(head, 44));
      this.decodedHeaders = headers;
    }
    return headers;
  }

  /** The first header of this name (in lower case), or null. */
  header(name: string): string | null {
    return this.headers.get(name);
  }

  get hasBody(): bool {
    return (load<u32>(changetype<usize>(this.head), 4) & RequestFlag.HAS_BODY) != 0;
  }

  /** To read piece by piece. */
  get body(): Body {
    let body = this.madeBody;
    if (body === null) this.madeBody = body = new Body(this.number, true);
    return body;
  }

  /** Reads the whole body, at most `limit` bytes: a longer one is answered with 413. */
  bytes(then: (request: Request, bytes: Uint8Array) => void, limit: i32 = WHOLE_BODY): void {
    this.body.readAll<WholeBody>(
      new WholeBody(this, then),
      (context, bytes) => {
        if (bytes !== null) context.then(context.request, bytes);
        else if (context.request.body.tooLong) context.request.respond(Response.text('the body is too long', 413));
      },
      limit,
    );
  }

  /** Answers. What comes after the first answer is ignored. */
  respond(response: Response): void {
    if (this.hasEnded) return;
    this.ended();
    const headers = response.headers.packed();
    host.respond(
      instance, this.number, response.status, changetype<usize>(headers), headers.byteLength,
      changetype<usize>(response.body), response.body.byteLength);
  }

  /** Begins an answer: status and headers of `response`. Its body is written to what is returned, `length` bytes if known. */
  stream(response: Response, length: u64 = LENGTH_UNKNOWN): Writer {
    const headers = response.headers.packed();
    const result = host.send_head(
      instance, this.number, response.status, changetype<usize>(headers), headers.byteLength, length);
    if (result != Result.OK) this.ended();
    return new Writer(this);
  }

  /** The plug-in failed: the client gets 500, the log `message`. */
  fail(message: string): void {
    if (this.hasEnded) return;
    this.ended();
    const text = toUtf8(message);
    host.fail(instance, this.number, changetype<usize>(text), text.byteLength);
  }

  /** Calls `then` when the client leaves, or the time limit passes, before the answer is complete. */
  onGone(then: (request: Request) => void): void {
    this.gone = then;
  }

  /** Whether somebody still waits for an answer, or for the rest of it. */
  get isOpen(): bool {
    return !this.hasEnded;
  }


  private span(offset: usize): string {
    const head = changetype<usize>(this.head);
    return fromUtf8(head + load<u32>(head + offset), load<u32>(head + offset, 4));
  }

  /** The answer is complete, or will never be. */
  ended(): void {
    this.hasEnded = true;
    open.delete(this.number);
  }

  /** The host says that it has ended. */
  dropped(): void {
    this.ended();
    const then = this.gone;
    if (then !== null) then(this);
  }
}

class WholeBody {
  constructor(
    readonly request: Request,
    readonly then: (request: Request, bytes: Uint8Array) => void,
  ) {}
}

/** Remembers a request that its handler has not answered. */
export function keep(request: Request): void {
  if (request.isOpen) open.set(request.number, request);
}

export function drop(number: u64): void {
  if (open.has(number)) open.get(number).dropped();
}
