// Bodies of requests and responses: https://fetch.spec.whatwg.org/#bodies
// A body keeps what it was made of for as long as possible. A stream object exists only when somebody asked for one.

import { bytesOf } from '../encoding/text-decoder.ts';
import { fileApi, fileApiInUse } from '../file-api/file-api.ts';
import { natives } from '../natives.ts';
import { type ReadableStream, streams, streamsInUse } from '../streams/streams.ts';
import { isURLSearchParams } from '../url/url-search-params.ts';
import { parseUrlencoded } from '../url/urlencoded.ts';
import { isArrayBuffer } from '../webidl/buffer-source.ts';
import { toDOMString } from '../webidl/conversions.ts';
import { type BodySource, type Bytes, concat, readAll, sourceOfData } from './body-source.ts';

export interface Body {
  /** What the body was made of; null once that went into the stream or was consumed. */
  data: string | Bytes | BodySource | null;
  stream: ReadableStream | null;
  /** Consumed without a stream. */
  used: boolean;
}

export interface ExtractedBody {
  body: Body;
  /** The content type that goes with this kind of data. */
  type: string | null;
}

// What is behind streams that bodyStream() made, so that a stream which is only passed on costs nothing.
const contentOfStreams = new WeakMap<object, string | Bytes | BodySource>();

export function createBody(data: string | Bytes | BodySource): Body {
  return { data, stream: null, used: false };
}

/** https://fetch.spec.whatwg.org/#concept-bodyinit-extract */
export function extractBody(init: unknown): ExtractedBody {
  if (typeof init === 'string') return { body: createBody(init), type: 'text/plain;charset=UTF-8' };
  if (typeof init === 'object' && init !== null) {
    if (streamsInUse()?.isReadableStream(init)) {
      if (streams().isDisturbed(init) || streams().isLocked(init))
        throw new TypeError("The body's stream is disturbed or locked");
      return { body: { data: null, stream: init, used: false }, type: null };
    }
    if (isArrayBuffer(init) || ArrayBuffer.isView(init)) {
      return { body: createBody(new Uint8Array(bytesOf(init))), type: null };
    }
    const files = fileApiInUse();
    if (files?.isBlob(init)) {
      return { body: createBody(files.dataSource(files.blobData(init))), type: init.type || null };
    }
    if (files?.isFormData(init)) {
      const { bytes, type } = files.encodeMultipart(init);
      return { body: createBody(bytes), type };
    }
    if (isURLSearchParams(init)) {
      return { body: createBody(init.toString()), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    }
  }
  return { body: createBody(toDOMString(init)), type: 'text/plain;charset=UTF-8' };
}

export function bodyUsed(body: Body | null): boolean {
  return body !== null && (body.used || (body.stream !== null && streams().isDisturbed(body.stream)));
}

/** https://fetch.spec.whatwg.org/#body-unusable */
export function isUnusable(body: Body | null): boolean {
  if (body === null || body.used || body.stream === null) return body?.used ?? false;
  return streams().isDisturbed(body.stream) || streams().isLocked(body.stream);
}

function requireUsable(body: Body): void {
  if (isUnusable(body)) throw new TypeError('The body has already been used');
}

const isSource = (data: Body['data'] | undefined): data is BodySource =>
  typeof data === 'object' && data !== null && 'read' in data;

/** The body; throws what it has failed with, as it does however often it is read. */
export function intact(body: Body | null): Body | null {
  const data = body && (body.stream ? contentOfStreams.get(body.stream) : body.data);
  if (isSource(data)) data.check?.();
  return body;
}

/** Marks the body as used, without anybody reading it. */
export function disturb(body: Body): void {
  if (isUnusable(body)) return;
  const content = takeBody(body);
  if (isSource(content)) Promise.resolve(content.cancel(undefined)).catch(() => {});
}

/** The body as a stream; the same one each time. */
export function bodyStream(body: Body): ReadableStream {
  if (body.stream) return body.stream;
  const { data } = body;
  const source = data === null || typeof data === 'string' || data instanceof Uint8Array ? sourceOfData(data) : data;
  const stream = streams().createByteStream(source);
  body.data = null;
  body.stream = stream;
  // The data has been read: the stream says so in the same way.
  if (body.used) {
    streams().cancelStream(stream, undefined);
    streams().occupy(stream);
  } else contentOfStreams.set(stream, data ?? '');
  return stream;
}

/**
 * Takes the content out of a body for good, in the cheapest form it has. Throws a TypeError when it was used before.
 * https://fetch.spec.whatwg.org/#concept-body-consume-body
 */
export function takeBody(body: Body): string | Bytes | BodySource {
  requireUsable(body);
  const { data, stream } = body;
  if (!stream) {
    body.used = true;
    body.data = null;
    return data ?? '';
  }
  const content = contentOfStreams.get(stream);
  if (content === undefined) return streams().piecesOfStream(stream);
  // Nobody has read from this stream: it is bypassed, but looks read and locked from now on.
  contentOfStreams.delete(stream);
  streams().occupy(stream);
  return content;
}

/** The whole content as bytes that belong to the caller, at the start of a buffer of their own. */
export async function consumeBytes(body: Body | null): Promise<Bytes> {
  if (!body) return new Uint8Array(0);
  const content = takeBody(body);
  if (typeof content === 'string') return natives.utf8Encode(content);
  const pieces = content instanceof Uint8Array ? [content] : [];
  if (!(content instanceof Uint8Array)) await readAll(content, pieces);
  const bytes = concat(pieces);
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/** The whole content as text: UTF-8, without a byte order mark. */
export async function consumeText(body: Body | null): Promise<string> {
  if (!body) return '';
  const content = takeBody(body);
  let text: string;
  if (typeof content === 'string') {
    text = content.toWellFormed();
  } else {
    const pieces = content instanceof Uint8Array ? [content] : [];
    if (!(content instanceof Uint8Array)) await readAll(content, pieces);
    text = natives.utf8Decode(concat(pieces), false) as string;
  }
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** https://fetch.spec.whatwg.org/#concept-body-clone */
export function cloneBody(body: Body | null): Body | null {
  if (!body) return null;
  requireUsable(body);
  const { data } = body;
  if (typeof data === 'string') return createBody(data);
  if (data instanceof Uint8Array) return createBody(data.slice());
  if (data?.again && !body.stream) return createBody(data.again());
  const stream = bodyStream(body);
  contentOfStreams.delete(stream);
  const [first, second] = streams().teeStream(stream);
  body.stream = first;
  return { data: null, stream: second, used: false };
}

/** Hands the content on to a new body; the old one counts as used. The body must be usable. */
export function moveBody(body: Body): Body {
  if (body.stream === null) {
    const moved: Body = { data: body.data, stream: null, used: false };
    body.data = null;
    body.used = true;
    return moved;
  }
  return createBody(takeBody(body));
}

/** https://fetch.spec.whatwg.org/#dom-body-blob */
export async function consumeBlob(body: Body | null, type: string): Promise<object> {
  return fileApi().blobOf(await consumeBytes(body), type);
}

/** https://fetch.spec.whatwg.org/#dom-body-formdata */
export async function consumeFormData(body: Body | null, type: string): Promise<object> {
  const bytes = await consumeBytes(body);
  const essence = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
  const { FormDataClass, parseMultipart } = fileApi();
  if (essence === 'multipart/form-data') {
    const boundary = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(type);
    const value = boundary?.[1] ?? boundary?.[2];
    if (!value) throw new TypeError('The content type has no boundary');
    return parseMultipart(bytes, value);
  }
  if (essence === 'application/x-www-form-urlencoded') {
    const form = new FormDataClass();
    const list = parseUrlencoded(natives.utf8Decode(bytes, false) as string);
    for (let at = 0; at < list.length; at += 2) form.append(list[at] as string, list[at + 1] as string);
    return form;
  }
  throw new TypeError("The body's content type is not that of a form");
}
