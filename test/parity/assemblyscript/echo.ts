import { Clock, FetchResponse, fetch, now, onRequest, Request, Response, sleep } from 'valor';

onRequest((request) => {
  if (request.query('fail') !== null) {
    request.fail('asked to fail');
    return null;
  }
  if (request.query('trap') !== null) unreachable();
  if (request.query('bad-header') !== null) return new Response().header('x-bad', 'two\nlines');
  const block = request.query('block');
  if (block !== null) {
    const end = now(Clock.MONOTONIC) + U64.parseInt(block) * 1000;
    while (now(Clock.MONOTONIC) < end) {}
  }
  const wait = request.query('wait');
  if (wait !== null) sleep(U64.parseInt(wait), request, go);
  else go(request);
  return null;
});

function go(request: Request): void {
  const url = request.query('fetch');
  if (url !== null) fetch(url, request, pass);
  else request.bytes(echo);
}

function pass(request: Request, response: FetchResponse): void {
  if (response.status == 0) return request.respond(Response.text('fetch failed', 599));
  response.body.readAll(new Passing(request, response), (passing, bytes) => {
    if (bytes === null) return passing.request.respond(Response.text('fetch failed', 599));
    passing.request.respond(Response.bytes(bytes, passing.response.headers.get('content-type'), passing.response.status));
  });
}

class Passing {
  constructor(
    readonly request: Request,
    readonly response: FetchResponse,
  ) {}
}

function echo(request: Request, body: Uint8Array): void {
  const status = request.query('status');
  const type = body.length > 0 ? request.header('content-type') : null;
  const answer = Response.bytes(body, type, status === null ? 200 : I32.parseInt(status));
  answer.header('x-method', request.method).header('x-url', request.url);
  const headers = request.headers;
  for (let i = 0; i < headers.size; i++) {
    if (headers.name(i).startsWith('x-case-')) answer.header(headers.name(i), headers.value(i));
  }
  request.respond(answer);
}
