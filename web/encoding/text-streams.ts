// https://encoding.spec.whatwg.org/#interface-textencoderstream and #interface-textdecoderstream

import { natives } from '../natives.ts';
import { streams, type TransformSides } from '../streams/streams.ts';
import { toDOMString } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/define.ts';
import { TextDecoder, type TextDecoderOptions } from './text-decoder.ts';

function endsInLeadSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00;
}

export class TextEncoderStream {
  #transform: TransformSides;
  // A surrogate pair may come in two chunks.
  #leadSurrogate = '';

  constructor() {
    this.#transform = streams().createTransform({
      start: undefined,
      cancel: undefined,
      transform: (chunk, controller) => {
        let text = this.#leadSurrogate + toDOMString(chunk);
        this.#leadSurrogate = '';
        if (endsInLeadSurrogate(text)) {
          this.#leadSurrogate = text.slice(-1);
          text = text.slice(0, -1);
        }
        if (text !== '') controller.enqueue(natives.utf8Encode(text));
      },
      flush: (controller) => {
        if (this.#leadSurrogate !== '') controller.enqueue(natives.utf8Encode(this.#leadSurrogate));
      },
    });
  }

  get encoding(): string {
    void this.#transform;
    return 'utf-8';
  }
  get readable(): object {
    return this.#transform.readable;
  }
  get writable(): object {
    return this.#transform.writable;
  }
}

export class TextDecoderStream {
  #transform: TransformSides;
  #decoder: TextDecoder;

  constructor(label: string = 'utf-8', options?: TextDecoderOptions | null) {
    const decoder = new TextDecoder(label, options);
    this.#decoder = decoder;
    this.#transform = streams().createTransform({
      start: undefined,
      cancel: undefined,
      transform(chunk, controller) {
        // Unlike decode(), a chunk must not be missing.
        if (chunk === undefined) throw new TypeError('The chunk is not an ArrayBuffer or a view of one');
        const text = decoder.decode(chunk as ArrayBufferView, { stream: true });
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== '') controller.enqueue(text);
      },
    });
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
  get readable(): object {
    return this.#transform.readable;
  }
  get writable(): object {
    return this.#transform.writable;
  }
}

export function createTextDecoderStream(): TextDecoderStream {
  return new TextDecoderStream();
}

export function installTextStreams(global: object): void {
  defineInterface(global, TextEncoderStream, 'TextEncoderStream');
  defineInterface(global, TextDecoderStream, 'TextDecoderStream', { '': 0 });
}
