// https://streams.spec.whatwg.org/#pull-into-descriptor

import type { ViewType } from '../webidl/buffer-source.ts';

/** Memory that is to be filled. */
export class PullInto {
  buffer: ArrayBuffer;
  readonly bufferLength: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** In bytes. */
  filled = 0;
  /** In bytes. */
  readonly minimum: number;
  readonly type: ViewType;
  /** For whom: `none` when that reader is gone. */
  reader: 'default' | 'byob' | 'none';

  constructor(
    buffer: ArrayBuffer,
    byteOffset: number,
    byteLength: number,
    type: ViewType,
    minimum: number,
    reader: 'default' | 'byob',
  ) {
    this.buffer = buffer;
    this.bufferLength = buffer.byteLength;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.type = type;
    this.minimum = minimum;
    this.reader = reader;
  }
}

/** What was filled: https://streams.spec.whatwg.org/#readable-byte-stream-controller-convert-pull-into-descriptor */
export function pulledView({ buffer, byteOffset, filled, type }: PullInto): ArrayBufferView {
  return new type.make(buffer.transfer(), byteOffset, filled / type.elementSize);
}
