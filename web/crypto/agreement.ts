// ECDH, X25519 and X448: deriving bits from one's own private key and another's public key.

import type { Params } from './algorithm.ts';
import { firstBits } from './buffers.ts';
import type { KeySlots } from './crypto-key.ts';
import { handleOf } from './keys.ts';
import type { KeyHandle } from './natives.ts';
import { fail, natives, orFail, platform } from './platform.ts';

/** https://w3c.github.io/webcrypto/#ecdh-operations-derive-bits */
export function agreement(params: Params, key: KeySlots, length: number | null): ArrayBuffer {
  const own = handleOf(key, 'private');
  const peer = platform.slotsOf(params.public);
  if (peer.type !== 'public') fail('InvalidAccessError', 'The other key is not public');
  if (peer.algorithm.name !== key.algorithm.name || peer.algorithm.namedCurve !== key.algorithm.namedCurve) {
    fail('InvalidAccessError', 'The keys are of different kinds');
  }
  // OpenSSL refuses a secret of zeros alone, which X25519 and X448 give for points of small order.
  const secret = natives.cryptoAgree(own, peer.handle as KeyHandle);
  const bytes = new Uint8Array(orFail(secret, 'OperationError', 'No secret can be derived from these keys'));
  if (length === null) return bytes.buffer;
  if (length > bytes.length * 8) fail('OperationError', `The secret has ${bytes.length * 8} bits only`);
  return firstBits(bytes, length).buffer;
}
