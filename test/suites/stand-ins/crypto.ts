// Node's createHash, for tests that compare with it.
import { md5 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { Buffer } from './buffer-global.ts';

const hashes = { md5, sha256 };

interface Hash {
  update(data: string | Uint8Array): Hash;
  digest(encoding: BufferEncoding): string;
}

export function createHash(name: keyof typeof hashes): Hash {
  const hash = hashes[name].create();
  return {
    update(data) {
      hash.update(typeof data === 'string' ? new TextEncoder().encode(data) : data);
      return this;
    },
    digest: (encoding) => Buffer.from(hash.digest()).toString(encoding),
  };
}
