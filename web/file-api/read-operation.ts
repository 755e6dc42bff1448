// What FileReader and FileReaderSync make of bytes: https://w3c.github.io/FileAPI/#blob-package-data

import { encodingFromLabel } from '../encoding/labels.ts';
import { TextDecoder } from '../encoding/text-decoder.ts';
import { type Blob, blobData, copyData } from './blob.ts';

export type ReadType = 'ArrayBuffer' | 'BinaryString' | 'DataURL' | 'Text';

/** https://w3c.github.io/FileAPI/#packaging-data, the encoding of text */
function encodingOf(blob: Blob, label: string | undefined): string {
  if (label !== undefined && encodingFromLabel(label)) return label;
  const charset = /;\s*charset=(?:"([^"]*)"|([^;\s]*))/i.exec(blob.type);
  const named = charset?.[1] ?? charset?.[2];
  return named !== undefined && encodingFromLabel(named) ? named : 'utf-8';
}

export function readBlob(blob: Blob, type: ReadType, label?: string): string | ArrayBuffer {
  const bytes = copyData(blobData(blob));
  switch (type) {
    case 'ArrayBuffer':
      return bytes.buffer;
    case 'BinaryString': {
      let text = '';
      for (let at = 0; at < bytes.length; at += 8192) {
        text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      }
      return text;
    }
    case 'DataURL':
      return `data:${blob.type || 'application/octet-stream'};base64,${bytes.toBase64()}`;
    case 'Text': {
      // A byte order mark wins: https://encoding.spec.whatwg.org/#decode
      const [first, second, third] = bytes;
      let encoding = encodingOf(blob, label);
      if (first === 0xef && second === 0xbb && third === 0xbf) encoding = 'utf-8';
      else if (first === 0xfe && second === 0xff) encoding = 'utf-16be';
      else if (first === 0xff && second === 0xfe) encoding = 'utf-16le';
      return new TextDecoder(encoding).decode(bytes);
    }
  }
}
