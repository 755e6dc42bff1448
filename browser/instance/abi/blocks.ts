// The flat blocks of the plug-in ABI: the heads of requests and of responses to fetches towards the guest, and headers
// from it. Header values are bytes; here they are strings of U+0000 to U+00FF, as everywhere in browsers.
import type { HeaderPairs } from '../instance.ts';

const headerSize = 16;

/** What belongs to the connection is not the plug-in's to say. */
const framing = /^(connection|content-length|transfer-encoding)$/;

export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function fromBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/**
 * A head: the struct of `size` bytes, behind it the array of headers, behind that all text. `spans` are written from
 * `spansAt` on, the array's place and length behind them. Whatever else the struct has is left to the caller.
 */
function pack(size: number, spansAt: number, spans: string[], headers: HeaderPairs): DataView<ArrayBuffer> {
  const texts = [...spans, ...headers.flat()];
  const textAt = size + headers.length * headerSize;
  const block = new DataView(new ArrayBuffer(texts.reduce((sum, { length }) => sum + length, textAt)));
  const set = (offset: number, value: number): void => block.setUint32(offset, value, true);
  set(0, size);
  let at = textAt;
  texts.forEach((text, i) => {
    const span = i < spans.length ? spansAt + i * 8 : size + (i - spans.length) * 8;
    set(span, at);
    set(span + 4, text.length);
    for (let j = 0; j < text.length; j++) block.setUint8(at++, text.charCodeAt(j));
  });
  set(spansAt + spans.length * 8, size);
  set(spansAt + spans.length * 8 + 4, headers.length);
  return block;
}

function setLength(block: DataView, flag: number, length: number | undefined): number {
  if (length === undefined) return 0;
  block.setBigUint64(8, BigInt(length), true);
  return flag;
}

/** The length that a head declares. */
export function declaredLength(text: string | null | undefined): number | undefined {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** valor_request_head */
export function packRequest(
  { method, url, requestId, headers }: { method: string; url: string; requestId: string; headers: HeaderPairs },
  hasBody: boolean,
  length: number | undefined,
): Uint8Array {
  const block = pack(48, 16, [method, url, requestId], headers);
  block.setUint32(4, (hasBody ? 1 : 0) | setLength(block, 2, length), true);
  return new Uint8Array(block.buffer);
}

/** valor_response_head */
export function packResponse(response: Response, url: string): Uint8Array {
  const block = pack(40, 20, [url], [...response.headers]);
  const length = declaredLength(response.headers.get('content-length'));
  block.setUint32(4, setLength(block, 1, length) | (response.redirected ? 2 : 0), true);
  block.setUint32(16, response.status, true);
  return new Uint8Array(block.buffer);
}

/** Reads a block of headers, without those that the host sets. A string says what is wrong. */
export function unpackHeaders(block: Uint8Array): HeaderPairs | string {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const headers: HeaderPairs = [];
  for (let at = 0; at < block.length; ) {
    const cut = 'a block of headers cut short';
    if (at + 8 > block.length) return cut;
    const nameAt = at + 8;
    const valueAt = nameAt + view.getUint32(at, true);
    const end = valueAt + view.getUint32(at + 4, true);
    if (end > block.length) return cut;
    const name = fromBytes(block.subarray(nameAt, valueAt)).toLowerCase();
    if (!framing.test(name)) headers.push([name, fromBytes(block.subarray(valueAt, end))]);
    at = end;
  }
  return headers;
}
