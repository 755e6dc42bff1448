// Between the service worker's Request and Response and what instances get and give.
import type { Core } from '../core/core.ts';
import type { Body, HeaderPairs, Problem } from '../instance/instance.ts';
import type { Place } from '../protocol.ts';

// A body up to here travels in the message that carries the request, and is kept for another attempt.
const SMALL_BODY = 64 * 1024;
// What is not there by then streams: the page sends it piece by piece.
const PATIENCE_MS = 50;

/** An answer that is on its way to a client: a plug-in's or an error in its place. */
export interface Answer {
  status: number;
  headers: HeaderPairs;
  body: Body;
}

/** Takes the body from the request: in one piece where it is small and whole by now, else as a stream. */
export async function takeBody(request: Request): Promise<Body> {
  if (request.body === null || request.method === 'GET' || request.method === 'HEAD') return null;
  if (request.body === undefined) {
    // Firefox.
    const bytes = await request.arrayBuffer();
    return bytes.byteLength === 0 ? null : bytes;
  }
  const reader = request.body.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  const whole = async (): Promise<boolean> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      pieces.push(value);
      size += value.byteLength;
      if (size > SMALL_BODY || late) return false;
    }
  };
  let late = false;
  let timer = 0;
  const reading = whole();
  const patience = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve(false);
    }, PATIENCE_MS);
  });
  const done = await Promise.race([reading, patience]);
  clearTimeout(timer);
  if (done) return joined(pieces, size);
  // The read that is under way ends before the stream goes on.
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const ended = await reading;
        for (const piece of pieces.splice(0)) controller.enqueue(piece);
        if (ended) {
          controller.close();
          return;
        }
        if (controller.desiredSize !== null && controller.desiredSize < 0) return;
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function joined(pieces: Uint8Array[], size: number): ArrayBuffer {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes.buffer;
}

export function discard(body: Body): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
}

/** core/problem.h's to_head() and to_json(). */
export function problemAnswer(core: Core, problem: Problem, requestId: string): Answer {
  const headers: HeaderPairs = [
    ['content-type', 'application/problem+json'],
    ['cache-control', 'no-store'],
  ];
  if (problem.retry_after_s) headers.push(['retry-after', String(problem.retry_after_s)]);
  const { buffer } = new TextEncoder().encode(core.problemJson(problem, requestId));
  return { status: problem.status, headers, body: buffer };
}

/** What the runtime says in every answer, whatever the plug-in says. */
export function signed(headers: HeaderPairs, requestId: string, plugin: string, place: Place | null): HeaderPairs {
  const all = headers.filter(([name]) => !ours.has(name));
  all.push(['x-correlation-id', requestId], ['x-valor-plugin', plugin]);
  if (place !== null) all.push(['x-valor-place', place]);
  return all;
}

const ours = new Set(['x-correlation-id', 'x-valor-plugin', 'x-valor-place']);
const nullBodyStatus = new Set([204, 205, 304]);

export function toResponse(core: Core, answer: Answer, method: string): Response {
  let { status, body } = answer;
  if (body !== null && (method === 'HEAD' || nullBodyStatus.has(status))) {
    discard(body);
    body = null;
  }
  if (body instanceof ArrayBuffer) body = streamed(body);
  return new Response(body, { status, statusText: core.statusText(status), headers: answer.headers });
}

/** Chromium hands a body in one piece to the page as a Blob, which takes half as long again as a stream. */
function streamed(bytes: ArrayBuffer): ReadableStream<Uint8Array> | null {
  if (bytes.byteLength === 0) return null;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
}
