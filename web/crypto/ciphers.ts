// AES in its modes and ChaCha20-Poly1305.

import type { Algorithm, Algorithms, KeyFormat, Params } from './algorithm.ts';
import { nothing, sizeOf } from './buffers.ts';
import type { KeySlots } from './crypto-key.ts';
import { checkUsages, randomSecret, readSecret, writeSecret } from './keys.ts';
import type { Bytes } from './natives.ts';
import { fail, natives, orFail } from './platform.ts';

const usable = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];

type Code = (params: Params, key: KeySlots, data: Bytes) => ArrayBuffer;

function bothWays(code: (encrypts: boolean, params: Params, key: Uint8Array, data: Bytes) => ArrayBuffer | undefined) {
  const direction =
    (encrypts: boolean): Code =>
    (params, key, data) =>
      orFail(
        code(encrypts, params, key.secret as Uint8Array, data),
        'OperationError',
        encrypts ? 'The data could not be encrypted' : 'The data could not be decrypted',
      );
  return { encrypt: direction(true), decrypt: direction(false) };
}

const keyBits = (key: Uint8Array): number => key.length * 8;

const cbc = bothWays((encrypts, { iv }, key, data) => {
  if (sizeOf(iv) !== 16) fail('OperationError', "'iv' does not have 16 bytes");
  return natives.cryptoCipher(`AES-${keyBits(key)}-CBC`, encrypts, key, iv, data);
});

const ctr = bothWays((_encrypts, { counter, length = 0 }, key, data) => {
  if (sizeOf(counter) !== 16) fail('OperationError', "'counter' does not have 16 bytes");
  if (length < 1 || length > 128) fail('OperationError', "'length' is not 1 to 128");
  return natives.cryptoCounterMode(key, counter, length, data);
});

/** `cipher` takes the length of the key in bits. */
function authenticated(cipher: (bits: number) => string, tagLengths: number[], checkIv: (size: number) => boolean) {
  return bothWays((encrypts, { iv, additionalData = nothing, tagLength = 128 }, key, data) => {
    if (!checkIv(sizeOf(iv))) fail('OperationError', "'iv' has the wrong length");
    if (!tagLengths.includes(tagLength)) fail('OperationError', `${tagLength} is no length of a tag`);
    const name = cipher(keyBits(key));
    return natives.cryptoAuthenticated(name, encrypts, key, iv, additionalData, tagLength / 8, data);
  });
}

const gcm = authenticated(
  (bits) => `AES-${bits}-GCM`,
  [32, 64, 96, 104, 112, 120, 128],
  (size) => size > 0,
);
const ocb = authenticated(
  (bits) => `AES-${bits}-OCB`,
  [64, 96, 128],
  (size) => size > 0 && size <= 15,
);
const chaCha = authenticated(
  () => 'ChaCha20-Poly1305',
  [128],
  (size) => size === 12,
);

const wrap = bothWays((encrypts, _params, key, data) =>
  natives.cryptoCipher(`AES-${keyBits(key)}-WRAP`, encrypts, key, nothing, data),
);

function checkAesLength(length: number | undefined): number {
  if (length !== 128 && length !== 192 && length !== 256) fail('OperationError', `AES has no keys of ${length} bits`);
  return length;
}

function aes(
  mode: string,
  formats: KeyFormat[],
  allowed: string[],
  rest: Omit<Algorithm, 'takes'>,
  takes: object,
): Algorithm {
  const name = `AES-${mode}`;
  const make = (secret: Uint8Array, extractable: boolean, usages: string[]): KeySlots => ({
    ...{ type: 'secret', extractable, algorithm: { name, length: keyBits(secret) }, usages, secret },
  });
  return {
    takes: {
      ...{ generateKey: 'AesKeyGenParams', importKey: '', exportKey: '', 'get key length': 'AesDerivedKeyParams' },
      ...takes,
    },
    generateKey({ length }, extractable, usages) {
      checkUsages(usages, allowed);
      return make(randomSecret(checkAesLength(length)), extractable, usages);
    },
    importKey(_params, given) {
      checkUsages(given.usages, allowed);
      // The name of the algorithm in the key depends on how long it is.
      const secret = readSecret(given, formats, name, { kty: 'oct', use: 'enc' });
      const bits = keyBits(secret);
      if (bits !== 128 && bits !== 192 && bits !== 256) fail('DataError', `AES has no keys of ${bits} bits`);
      if (given.format === 'jwk' && given.jwk.alg !== undefined && given.jwk.alg !== `A${bits}${mode}`) {
        fail('DataError', `The key's "alg" is not A${bits}${mode}`);
      }
      return make(secret, given.extractable, given.usages);
    },
    exportKey: (format, key) => writeSecret(key, format, formats, `A${key.algorithm.length}${mode}`),
    getKeyLength: ({ length }) => checkAesLength(length),
    ...rest,
  };
}

const raw: KeyFormat[] = ['raw', 'raw-secret', 'jwk'];
const rawSecret: KeyFormat[] = ['raw-secret', 'jwk'];
const wrapOnly = ['wrapKey', 'unwrapKey'];
const crypts = (dictionary: string): object => ({ encrypt: dictionary, decrypt: dictionary });

function chaChaKey(secret: Uint8Array, extractable: boolean, usages: string[]): KeySlots {
  return { type: 'secret', extractable, algorithm: { name: 'ChaCha20-Poly1305' }, usages, secret };
}

export const ciphers: Algorithms = {
  'AES-CBC': aes('CBC', raw, usable, cbc, crypts('AesCbcParams')),
  'AES-CTR': aes('CTR', raw, usable, ctr, crypts('AesCtrParams')),
  'AES-GCM': aes('GCM', raw, usable, gcm, crypts('AeadParams')),
  'AES-OCB': aes('OCB', rawSecret, usable, ocb, crypts('AeadParams')),
  'AES-KW': aes(
    'KW',
    raw,
    wrapOnly,
    { wrapKey: wrap.encrypt, unwrapKey: wrap.decrypt },
    { wrapKey: '', unwrapKey: '' },
  ),
  'ChaCha20-Poly1305': {
    takes: { generateKey: '', importKey: '', exportKey: '', 'get key length': '', ...crypts('AeadParams') },
    generateKey(_params, extractable, usages) {
      checkUsages(usages, usable);
      return chaChaKey(randomSecret(256), extractable, usages);
    },
    importKey(_params, given) {
      checkUsages(given.usages, usable);
      const secret = readSecret(given, rawSecret, 'ChaCha20-Poly1305', { kty: 'oct', use: 'enc', algs: ['C20P'] });
      if (secret.length !== 32) fail('DataError', 'The key does not have 256 bits');
      return chaChaKey(secret, given.extractable, given.usages);
    },
    exportKey: (format, key) => writeSecret(key, format, rawSecret, 'C20P'),
    getKeyLength: () => 256,
    ...chaCha,
  },
};
