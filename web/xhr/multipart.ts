// multipart/form-data both ways: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
// and https://andreubotella.github.io/multipart-form-data/#multipart-form-data-parser

import { type Bytes, blobData, copyData, createBlob } from '../file-api/blob.ts';
import { createFile } from '../file-api/file.ts';
import { natives } from '../natives.ts';
import { entriesOf, FormData } from './form-data.ts';

const lineEnds = /\r\n|\r|\n/g;

function escapeName(name: string): string {
  return name.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');
}

/** The content and its type. */
export function encodeMultipart(form: FormData): { bytes: Bytes; type: string } {
  let boundary = '----ValorFormBoundary';
  for (let count = 0; count < 16; count++) boundary += Math.floor(Math.random() * 36).toString(36);
  const pieces: Bytes[] = [];
  for (const [name, value] of entriesOf(form)) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name.replace(lineEnds, '\r\n'))}"`;
    if (typeof value === 'string') {
      pieces.push(natives.utf8Encode(`${head}\r\n\r\n${value.replace(lineEnds, '\r\n')}\r\n`));
    } else {
      const type = value.type || 'application/octet-stream';
      pieces.push(natives.utf8Encode(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
      pieces.push(...blobData(value).pieces, natives.utf8Encode('\r\n'));
    }
  }
  pieces.push(natives.utf8Encode(`--${boundary}--\r\n`));
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { bytes: copyData({ pieces, size }), type: `multipart/form-data; boundary=${boundary}` };
}

const failure = (): TypeError => new TypeError('The body is not valid multipart/form-data');

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function indexOf(bytes: Uint8Array, text: string, from: number): number {
  const first = text.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (startsWith(bytes, at, text)) return at;
  }
  return -1;
}

interface Part {
  name: string | null;
  filename: string | null;
  type: string | null;
}

/** The value of a parameter such as name="..."; its escapes undone. */
function parameter(header: string, name: string): string | null {
  const found = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(header)?.[1];
  if (found === undefined) return null;
  return found.replace(/%0D/gi, '\r').replace(/%0A/gi, '\n').replace(/%22/g, '"');
}

function parsePartHeaders(text: string): Part {
  const part: Part = { name: null, filename: null, type: null };
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw failure();
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '');
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-disposition':
        if (!/^form-data\s*(;|$)/i.test(value)) throw failure();
        part.name = parameter(value, 'name');
        part.filename = parameter(value, 'filename');
        break;
      case 'content-type':
        part.type = value;
        break;
    }
  }
  if (part.name === null) throw failure();
  return part;
}

export function parseMultipart(bytes: Bytes, boundary: string): FormData {
  const form = new FormData();
  const delimiter = `--${boundary}`;
  let at = 0;
  while (startsWith(bytes, at, '\r\n')) at += 2;
  for (;;) {
    if (!startsWith(bytes, at, delimiter)) throw failure();
    at += delimiter.length;
    if (startsWith(bytes, at, '--')) return form;
    if (!startsWith(bytes, at, '\r\n')) throw failure();
    at += 2;
    const headEnd = indexOf(bytes, '\r\n\r\n', at);
    if (headEnd < 0) throw failure();
    const { name, filename, type } = parsePartHeaders(natives.utf8Decode(bytes.subarray(at, headEnd), false) as string);
    const start = headEnd + 4;
    const end = indexOf(bytes, `\r\n${delimiter}`, start);
    if (end < 0) throw failure();
    const content = bytes.slice(start, end);
    if (filename === null) {
      form.append(name as string, natives.utf8Decode(content, false) as string);
    } else {
      const data = { pieces: content.length > 0 ? [content] : [], size: content.length };
      form.append(name as string, createFile(data, filename, type ?? 'text/plain'));
    }
    at = end + 2;
  }
}

/** https://fetch.spec.whatwg.org/#dom-body-blob */
export function blobOf(bytes: Bytes, type: string): object {
  return createBlob({ pieces: bytes.length > 0 ? [bytes] : [], size: bytes.length }, type);
}
