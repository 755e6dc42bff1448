// Answers a request in each style while the snapshot is built: V8 compiles a function when it is first called, and what
// is compiled by then is in the snapshot. Otherwise every instance would compile it all for its first request.
import type { Request } from '../../web/fetch/request.ts';
import { Response } from '../../web/fetch/response.ts';
import { answerBy, onFetch } from './fetch-style.ts';
import { onMessage } from './message-style.ts';

interface MessageScope {
  onmessage: unknown;
  postMessage(message: unknown): void;
}

export function warmUp(): void {
  const scope = globalThis as unknown as MessageScope;
  scope.onmessage = ({ data }: { data: { url: string } }) => {
    scope.postMessage({ status: 200, headers: [['content-type', 'text/plain']], body: data.url });
  };
  onMessage(0, 'a?b', 'GET', null, 'host', 'localhost', 'x-request-id', '1');
  scope.onmessage = null;

  const headers = 'host\0localhost\0x-request-id\x001\0';
  answerBy({
    fetch: (request: Request) =>
      new Response(request.url, { headers: { 'content-type': request.headers.get('host') ?? '' } }),
  });
  onFetch(1, 'http://localhost/a?b', false, 'GET', headers, false);
  answerBy({ fetch: async () => new Response(null, { status: 204 }) });
  onFetch(2, 'http://localhost/a?b', false, 'GET', headers, false);
  answerBy(null);
}
