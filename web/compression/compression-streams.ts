// https://compression.spec.whatwg.org/

import * as idl from 'valor-idl';
import { natives } from '../natives.ts';
import { streams, type TransformController, type TransformSides } from '../streams/streams.ts';
import { bind, type InterfaceDeclaration } from '../webidl/bind.ts';
import { bufferOf, isArrayBuffer } from '../webidl/buffer-source.ts';

// Counts the memory of a codec, which is outside JavaScript's heap, into the plug-in's limit. Never touched, so that it
// takes addresses only.
const codecBytes = 256 * 1024;

function createCodecStream(format: string, compress: boolean): TransformSides {
  const reserved = new ArrayBuffer(codecBytes);
  let codec: ArrayBuffer | null = natives.createCodec(format, compress);
  const run = (input: ArrayBuffer | ArrayBufferView, last: boolean, controller: TransformController): void => {
    if (codec === null || reserved.byteLength === 0) throw new TypeError('The stream has ended');
    const error = natives.runCodec(codec, input, last, (piece) => controller.enqueue(piece));
    if (error === '' && !last) return;
    codec = null;
    if (error !== '') throw new TypeError(error);
  };
  return streams().createTransform({
    start: undefined,
    cancel: undefined,
    transform(chunk, controller) {
      const buffer = ArrayBuffer.isView(chunk) ? bufferOf(chunk) : chunk;
      if (!isArrayBuffer(buffer)) throw new TypeError('The chunk is not an ArrayBuffer or a view of one');
      run(chunk as ArrayBuffer | ArrayBufferView, false, controller);
    },
    flush: (controller) => run(new ArrayBuffer(0), true, controller),
  });
}

/** The two interfaces differ in their name and their direction. */
function bindCodec(declaration: InterfaceDeclaration, compress: boolean): ReturnType<typeof bind> {
  class CodecStream {
    #transform: TransformSides;

    constructor(format: string) {
      this.#transform = createCodecStream(format, compress);
    }

    get readable(): object {
      return this.#transform.readable;
    }
    get writable(): object {
      return this.#transform.writable;
    }

    static isInstance(value: unknown): boolean {
      return typeof value === 'object' && value !== null && #transform in value;
    }
  }
  return bind(declaration, CodecStream, CodecStream.isInstance);
}

export const CompressionStreamInterface = bindCodec(idl.CompressionStream, true);
export const DecompressionStreamInterface = bindCodec(idl.DecompressionStream, false);
