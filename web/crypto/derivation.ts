// HKDF, PBKDF2 and Argon2.

import type { Algorithm, Algorithms, KeyFormat, Params } from './algorithm.ts';
import { copyOf, nothing, sizeOf } from './buffers.ts';
import type { KeySlots } from './crypto-key.ts';
import { badFormat, checkUsages } from './keys.ts';
import { checkpoint, fail, natives, orFail } from './platform.ts';

const failed = 'The bits could not be derived';

/** SHA-1 has 20 bytes, the others what their names say. */
const hashSize = (name: string): number => (name === 'SHA-1' ? 20 : Number(name.slice(-3)) / 8);

function derivation(
  name: string,
  formats: KeyFormat[],
  dictionary: string,
  check: (params: Params, bits: number) => void,
  derive: (params: Params, secret: Uint8Array, size: number) => ArrayBuffer | undefined,
): Algorithm {
  const checkDerivedLength = (params: Params, length: number | null): void => {
    if (length === null) fail('OperationError', 'How many bits to derive is not said');
    if (length % 8 !== 0) fail('OperationError', `${length} bits are no whole number of bytes`);
    check(params, length);
  };
  return {
    takes: { importKey: '', deriveBits: dictionary, 'get key length': '' },
    importKey(_params, { format, data, extractable, usages }): KeySlots {
      if (!formats.includes(format)) badFormat(format, name);
      checkUsages(usages, ['deriveKey', 'deriveBits']);
      if (extractable) fail('SyntaxError', `${name} keys cannot be extractable`);
      return { type: 'secret', extractable: false, algorithm: { name }, usages, secret: copyOf(data) };
    },
    checkDerivedLength,
    deriveBits(params, key, length) {
      checkDerivedLength(params, length);
      const bits = derive(params, key.secret as Uint8Array, (length as number) / 8);
      return orFail(bits, 'OperationError', failed);
    },
    getKeyLength: () => null,
  };
}

const raw: KeyFormat[] = ['raw', 'raw-secret'];

function argon2(name: string): Algorithm {
  function check({ nonce, parallelism, memory, passes, version }: Params, bits: number): void {
    if (bits < 32) fail('OperationError', 'Argon2 gives at least 32 bits');
    if (sizeOf(nonce) < 8) fail('OperationError', 'The nonce has less than 8 bytes');
    if (parallelism < 1 || parallelism > 0xffffff) fail('OperationError', 'parallelism is out of range');
    if (memory < 8 * parallelism) fail('OperationError', 'memory is less than 8 times parallelism');
    if (passes < 1) fail('OperationError', 'passes is zero');
    if (version !== undefined && version !== 0x13) fail('OperationError', `There is no version ${version}`);
  }
  return derivation(name, ['raw-secret'], 'Argon2Params', check, (params, secret, size) =>
    natives.cryptoArgon2(
      name.toUpperCase(),
      secret,
      params.nonce,
      params.secretValue ?? nothing,
      params.associatedData ?? nothing,
      params.parallelism,
      params.memory,
      params.passes,
      size,
    ),
  );
}

export const derivations: Algorithms = {
  HKDF: derivation(
    'HKDF',
    raw,
    'HkdfParams',
    ({ hash }, bits) => {
      if (bits > 255 * 8 * hashSize(hash.name)) fail('OperationError', 'HKDF does not give so many bits');
    },
    ({ hash, salt, info }, secret, size) => natives.cryptoHkdf(hash.name, secret, salt, info, size),
  ),
  PBKDF2: derivation(
    'PBKDF2',
    raw,
    'Pbkdf2Params',
    ({ iterations }) => {
      if (iterations === 0) fail('OperationError', 'iterations is zero');
    },
    ({ hash, salt, iterations }, secret, size) =>
      natives.cryptoPbkdf2(hash.name, secret, salt, iterations, size, checkpoint),
  ),
  ...{ Argon2d: argon2('Argon2d'), Argon2i: argon2('Argon2i'), Argon2id: argon2('Argon2id') },
};
