// https://w3c.github.io/FileAPI/#blob-section

import * as idl from 'valor-idl';
import { registerInspector } from '../console/inspectors.ts';
import { bytesOf } from '../encoding/text-decoder.ts';
import { createTextDecoderStream } from '../encoding/text-streams.ts';
import { natives } from '../natives.ts';
import { type ReadableStream, streams } from '../streams/streams.ts';
import { bind } from '../webidl/bind.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that nobody changes any more, in pieces that blobs share. */
export interface BlobData {
  readonly pieces: readonly Bytes[];
  readonly size: number;
}

export interface BlobPropertyBag {
  type: string;
  endings: 'transparent' | 'native';
}

// What a stream gives in one piece.
const streamPiece = 64 * 1024;

export let isBlob: (value: unknown) => value is Blob;
export let blobData: (blob: Blob) => BlobData;

function dataOf(pieces: readonly Bytes[]): BlobData {
  return { pieces, size: pieces.reduce((size, piece) => size + piece.length, 0) };
}

/** https://w3c.github.io/FileAPI/#process-blob-parts */
function processParts(parts: readonly unknown[], endings: string): BlobData {
  const pieces: Bytes[] = [];
  for (const part of parts) {
    if (typeof part === 'string') {
      pieces.push(natives.utf8Encode(endings === 'native' ? part.replace(/\r\n?|\n/g, '\n') : part));
    } else if (isBlob(part)) {
      for (const piece of blobData(part).pieces) pieces.push(piece);
    } else {
      pieces.push(new Uint8Array(bytesOf(part)));
    }
  }
  return dataOf(pieces.filter((piece) => piece.length > 0));
}

/** https://w3c.github.io/FileAPI/#constructorBlob step 4 */
export function normaliseType(type: string): string {
  return /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : '';
}

/** The bytes from `start` to `end`, without copying. */
function sliceData(data: BlobData, start: number, end: number): BlobData {
  const pieces: Bytes[] = [];
  let offset = 0;
  for (const piece of data.pieces) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, piece.length);
    if (from < to) pieces.push(piece.subarray(from, to));
    offset += piece.length;
  }
  return dataOf(pieces);
}

/** A copy of all bytes. */
export function copyData(data: BlobData): Bytes {
  const whole = new Uint8Array(data.size);
  let offset = 0;
  for (const piece of data.pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

export function decodeData(data: BlobData): string {
  const text = natives.utf8Decode(copyData(data), false) as string;
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

export interface DataSource {
  read(): Bytes | null;
  cancel(): void;
  size: number;
  again(): DataSource;
}

export function dataSource(data: BlobData): DataSource {
  let offset = 0;
  return {
    size: data.size,
    again: () => dataSource(data),
    read() {
      if (offset >= data.size) return null;
      const piece = copyData(sliceData(data, offset, offset + streamPiece));
      offset += piece.length;
      return piece;
    },
    cancel() {
      offset = data.size;
    },
  };
}

export class Blob {
  #data: BlobData;
  #type: string;

  constructor(parts: readonly unknown[] | BlobData = [], options?: BlobPropertyBag) {
    this.#data = 'pieces' in parts ? parts : processParts(parts, options?.endings ?? 'transparent');
    this.#type = normaliseType(options?.type ?? '');
  }

  get size(): number {
    return this.#data.size;
  }
  get type(): string {
    return this.#type;
  }

  slice(start = 0, end = this.#data.size, type = ''): Blob {
    const { size } = this.#data;
    const place = (index: number): number => (index < 0 ? Math.max(size + index, 0) : Math.min(index, size));
    const from = place(start);
    return createBlob(sliceData(this.#data, from, Math.max(place(end), from)), type);
  }

  stream(): ReadableStream {
    return streams().createByteStream(dataSource(this.#data));
  }

  textStream(): ReadableStream {
    return this.stream().pipeThrough(createTextDecoderStream());
  }

  async text(): Promise<string> {
    return decodeData(this.#data);
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return copyData(this.#data).buffer;
  }
  async bytes(): Promise<Bytes> {
    return copyData(this.#data);
  }

  static {
    isBlob = (value): value is Blob => typeof value === 'object' && value !== null && #data in value;
    blobData = (blob) => blob.#data;
  }
}

export function createBlob(data: BlobData, type: string): Blob {
  return new Blob(data, { type, endings: 'transparent' });
}

/** A blob as plain data. */
export interface PackedBlob {
  bytes: Bytes;
  type: string;
}

export function unpackBlob({ bytes, type }: PackedBlob): Blob {
  return createBlob(dataOf([bytes]), type);
}

export const BlobInterface = bind(idl.Blob, Blob, isBlob, {
  clone: (blob) => createBlob(blobData(blob), blob.type),
  pack: (blob): PackedBlob => ({ bytes: copyData(blobData(blob)), type: blob.type }),
});
registerInspector(Blob.prototype, (blob: Blob) => [
  ['size', blob.size],
  ['type', blob.type],
]);
