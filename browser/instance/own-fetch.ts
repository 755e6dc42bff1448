// A plug-in's own fetch of what this scope's plug-ins answer: the request's body, and the answer as fetch() gives it.
import type { Body, HeaderPairs } from './instance.ts';

const MAX_REDIRECTS = 20;
const redirects = new WeakMap<Request, number>();

export interface Answer {
  status: number;
  statusText: string;
  headers: HeaderPairs;
  body: Body;
}

/** Without reading it, except where the browser has no Request.body (Firefox). */
export async function bodyOf(request: Request): Promise<Body> {
  if (request.body !== undefined) return request.body;
  if (request.method === 'GET' || request.method === 'HEAD') return null;
  const bytes = await request.clone().arrayBuffer();
  return bytes.byteLength === 0 ? null : bytes;
}

/** Follows redirects by means of `again`. */
export function toResponse(
  answer: Answer,
  request: Request,
  again: (request: Request) => Promise<Response>,
): Response | Promise<Response> {
  const { status, statusText, headers } = answer;
  const location = [301, 302, 303, 307, 308].includes(status)
    ? headers.find(([name]) => name === 'location')?.[1]
    : undefined;
  if (location !== undefined && request.redirect !== 'manual') {
    if (answer.body instanceof ReadableStream) answer.body.cancel().catch(() => {});
    return redirected(request, status, location, again);
  }
  const body =
    answer.body instanceof ReadableStream
      ? answer.body.pipeThrough(new TransformStream(), { signal: request.signal })
      : answer.body;
  const response = new Response(body, { status, statusText, headers });
  Object.defineProperty(response, 'url', { value: request.url });
  Object.defineProperty(response, 'redirected', { value: redirects.has(request) });
  return response;
}

// https://fetch.spec.whatwg.org/#http-redirect-fetch
async function redirected(
  request: Request,
  status: number,
  location: string,
  again: (request: Request) => Promise<Response>,
): Promise<Response> {
  const count = (redirects.get(request) ?? 0) + 1;
  if (request.redirect === 'error' || count > MAX_REDIRECTS || !URL.canParse(location, request.url)) {
    throw new TypeError(`the redirect to ${location} is not followed`);
  }
  const toGet = status === 303 ? request.method !== 'HEAD' : status <= 302 && request.method === 'POST';
  const keepsBody = !toGet && request.body !== null && request.method !== 'GET' && request.method !== 'HEAD';
  if (keepsBody && request.bodyUsed) throw new TypeError('the body of a redirected request is gone');
  const headers = new Headers(request.headers);
  if (toGet) for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name);
  const next = new Request(new URL(location, request.url), {
    method: toGet ? 'GET' : request.method,
    headers,
    signal: request.signal,
    ...(keepsBody ? { body: await request.arrayBuffer() } : {}),
  });
  redirects.set(next, count);
  return again(next);
}
