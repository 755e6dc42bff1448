// `msw` and `msw/node`, as far as the suites use them: handlers by method and URL that answer in fetch's place.

type Resolver = (info: { request: Request }) => Response | undefined | Promise<Response | undefined>;
interface Handler {
  method: string;
  url: string;
  resolver: Resolver;
}

const handlerFor =
  (method: string) =>
  (url: string, resolver: Resolver): Handler => ({ method, url, resolver });

export const http = {
  get: handlerFor('GET'),
  post: handlerFor('POST'),
  put: handlerFor('PUT'),
  delete: handlerFor('DELETE'),
};

/** Phrases are said where a test does not choose one. */
const phrases: Record<number, string> = { 200: 'OK', 201: 'Created', 404: 'Not Found', 500: 'Internal Server Error' };

function answerOf(body: BodyInit | null, type: string, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  if (!headers.has('content-type')) headers.set('content-type', type);
  return new Response(body, { statusText: phrases[init.status ?? 200] ?? '', ...init, headers });
}

export class HttpResponse extends Response {
  static override json(value?: unknown, init?: ResponseInit): Response {
    return answerOf(JSON.stringify(value), 'application/json', init);
  }

  static text(value: string | null, init?: ResponseInit): Response {
    return answerOf(value, 'text/plain', init);
  }

  static arrayBuffer(value: ArrayBuffer, init?: ResponseInit): Response {
    return answerOf(value, 'application/octet-stream', init);
  }
}

/** A request that no handler is for is an error of the network. */
export function setupServer(...handlers: Handler[]) {
  const real = globalThis.fetch;
  const answer: typeof fetch = async (input, init) => {
    const request = new Request(input as Request, init);
    const { origin, pathname } = new URL(request.url);
    for (const { method, url, resolver } of handlers) {
      if (method !== request.method || new URL(url).href !== origin + pathname) continue;
      try {
        const response = await resolver({ request });
        if (response) return response;
      } catch (error) {
        const { name, message } = error as Error;
        return HttpResponse.json({ name, message }, { status: 500 });
      }
    }
    throw new TypeError('fetch failed');
  };
  return {
    listen(): void {
      globalThis.fetch = answer;
    },
    resetHandlers(): void {},
    close(): void {
      globalThis.fetch = real;
    },
  };
}
