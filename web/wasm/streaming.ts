// What a potential WebAssembly response has to be: https://webassembly.github.io/spec/web-api/#streaming-modules
// V8 compiles what is pushed while the rest is still on its way.

import type { BodySource } from '../fetch/body-source.ts';
import { listGet } from '../fetch/header-list.ts';
import { isResponse, responseHead, responseState } from '../fetch/response.ts';
import { natives } from '../natives.ts';

/** One compilation of V8's (engine/webassembly.h). Either finish() or abort() is called, once. */
export interface Compilation {
  /** `before`: how many bytes were pushed before. Throws a RangeError where the plug-in's memory limit ends it. */
  push(bytes: Uint8Array, before: number): void;
  finish(url: string): void;
  abort(error: unknown): void;
}

/** https://webassembly.github.io/spec/web-api/#compile-a-potential-webassembly-response */
export async function compileSource(source: unknown, compilation: Compilation): Promise<void> {
  try {
    if (!isResponse(source)) throw new TypeError('What is to be compiled is not a Response');
    const { status, type, url, headers } = responseHead(source);
    const contentType = listGet(headers, 'content-type')?.replace(/^[\t ]+|[\t ]+$/g, '');
    if (contentType?.toLowerCase() !== 'application/wasm') {
      throw new TypeError(`The response's content type is ${contentType ?? 'missing'}, not application/wasm`);
    }
    if (type === 'opaque' || type === 'opaqueredirect') throw new TypeError(`The response is ${type}`);
    if (status < 200 || status > 299) throw new TypeError(`The response's status is ${status}, which is not ok`);
    await feed(responseState(source).body, compilation);
    compilation.finish(url);
  } catch (error) {
    compilation.abort(error);
  }
}

async function feed(body: string | Uint8Array | BodySource | null, { push }: Compilation): Promise<void> {
  if (body === null) return;
  if (typeof body === 'string') return push(natives.utf8Encode(body), 0);
  if (body instanceof Uint8Array) return push(body, 0);
  let length = 0;
  for (let piece = body.read(); piece !== null; piece = body.read()) {
    if (piece === undefined) {
      await body.ready?.();
      continue;
    }
    try {
      push(piece, length);
    } catch (error) {
      Promise.resolve(body.cancel(error)).catch(() => {});
      throw error;
    }
    length += piece.length;
  }
}
