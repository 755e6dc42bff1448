// Objects of the platform that come from another instance, out of what their class has packed there (BindOptions.pack).

import { createKey, type KeySlots } from '../crypto/crypto-key.ts';
import type { KeyHandle } from '../crypto/natives.ts';
import { fileApi } from '../file-api/file-api.ts';
import { type ErrorParts, unpackDOMException } from '../webidl/dom-exception.ts';

export function unpackPlatformObject(kind: string, data: unknown, key: unknown): object {
  switch (kind) {
    case 'DOMException':
      return unpackDOMException(data as ErrorParts);
    case 'CryptoKey':
      return createKey({ ...(data as KeySlots), ...(key ? { handle: key as KeyHandle } : {}) });
    case 'Blob':
      return fileApi().unpackBlob(data as never);
    case 'File':
      return fileApi().unpackFile(data as never);
    default:
      throw new TypeError(`There is no ${kind} to be made of a message`);
  }
}
