import * as host from './host';
import { Body } from './body';
import { FetchFlag, Result } from './constants';
import { Headers } from './headers';
import { Operation, Unobserved } from './operation';
import { Request } from './request';
import { instance } from './self';
import { fromUtf8, toUtf8 } from './text';

export class FetchOptions {
  method: string = 'GET';
  headers: Headers = new Headers();
  body: ArrayBuffer | null = null;
  /** Do not follow redirects. */
  manual: bool = false;
  /** When this request ends, so does the fetch. */
  request: Request | null = null;
}

/** What came of a fetch. */
export class FetchResponse {
  /** 200 to 599, or 0: there was no response. */
  status: i32 = 0;
  /** Why there was no response. */
  error: string = '';
  /** Where it came from, after redirects. */
  url: string = '';
  headers: Headers = new Headers();

  constructor(readonly body: Body) {}

  get ok(): bool {
    return this.status >= 200 && this.status < 300;
  }

  /** For a response whose body is not read to its end. */
  cancel(): void {
    if (this.body.ended) return;
    this.body.end(true);
    host.fetch_cancel(instance, this.body.exchange);
  }
}

/**
 * Sends an HTTP request and calls `then` when the response's head is there, or there will be none. `url` is absolute or
 * relative to location(). Where the context is a Request, the fetch ends with it.
 */
export function fetch<T>(
  url: string,
  context: T,
  then: (context: T, response: FetchResponse) => void,
  options: FetchOptions = new FetchOptions(),
): void {
  let owner = options.request;
  if (idof<T>() == idof<Request>()) owner = changetype<Request>(changetype<usize>(context));
  const body = options.body;
  const method = toUtf8(options.method);
  const target = toUtf8(url);
  const headers = options.headers.packed();
  const operation = new Fetching<T>(context, then);
  const number = host.fetch(
    instance, owner === null ? 0 : owner.number, changetype<usize>(method), method.byteLength,
    changetype<usize>(target), target.byteLength, changetype<usize>(headers), headers.byteLength,
    body === null ? 0 : body.byteLength,
    (body === null ? 0 : FetchFlag.BODY) | (options.manual ? FetchFlag.MANUAL : 0), operation.number);
  if (number == Result.GONE) return;
  if (number <= 0) {
    const response = new FetchResponse(new Body(0, false));
    response.error = 'the request breaks a rule, which the log names';
    response.body.end(true);
    return then(context, response);
  }
  operation.fetch = number as u64;
  operation.wait();
  if (body === null) return;
  const sent = new Unobserved();
  if (host.send_body(instance, number, changetype<usize>(body), body.byteLength, sent.number) == Result.WAIT) sent.wait();
  host.send_end(instance, number);
}

class Fetching<T> extends Operation {
  fetch: u64 = 0;

  constructor(
    readonly context: T,
    readonly then: (context: T, response: FetchResponse) => void,
  ) {
    super();
  }

  completed(status: i32, data: usize, size: usize): void {
    if (status == Result.GONE) return;
    const response = new FetchResponse(new Body(this.fetch, false));
    if (status == Result.OK) {
      // A valor_response_head.
      response.status = load<u32>(data, 16);
      response.url = fromUtf8(data + load<u32>(data, 20), load<u32>(data, 24));
      response.headers = Headers.unpacked(data, data + load<u32>(data, 28), load<u32>(data, 32));
    } else {
      response.error = fromUtf8(data, size);
      response.body.end(true);
    }
    this.then(this.context, response);
  }
}
