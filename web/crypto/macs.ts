// HMAC and KMAC.

import type { Algorithm, Algorithms, KeyFormat, KeyImport, Params } from './algorithm.ts';
import type { KeySlots } from './crypto-key.ts';
import { kmac } from './digests.ts';
import { checkUsages, cutToLength, randomSecret, readSecret, writeSecret } from './keys.ts';
import { fail, natives, orFail } from './platform.ts';

const usable = ['sign', 'verify'];

/** Block sizes in bits: what a key is long by default. */
const blockBits: Record<string, number> = {
  ...{ 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 },
  ...{ 'SHA3-256': 1088, 'SHA3-384': 832, 'SHA3-512': 576 },
};

const hmacFormats: KeyFormat[] = ['raw', 'raw-secret', 'jwk'];
const hmacAlg = (hash: string): string =>
  hash === 'SHA-1' ? 'HS1' : `HS${hash.replace(/^SHA-?/, '').replace(/^3-/, '3-')}`;

function hmacKey(secret: Uint8Array, hash: string, length: number, extractable: boolean, usages: string[]): KeySlots {
  return { type: 'secret', extractable, algorithm: { name: 'HMAC', hash: { name: hash }, length }, usages, secret };
}

function signHmac(key: KeySlots, data: Parameters<typeof natives.cryptoHmac>[2]): ArrayBuffer {
  const { secret, algorithm } = key;
  const signature = natives.cryptoHmac(algorithm.hash?.name as string, secret as Uint8Array, data);
  return orFail(signature, 'OperationError', 'The code could not be computed');
}

function hmacLength({ hash, length }: Params): number {
  if (length === 0) throw new TypeError('The length of a key is not zero');
  return length ?? (blockBits[hash.name] as number);
}

const hmac: Algorithm = {
  takes: {
    ...{ generateKey: 'HmacKeyParams', importKey: 'HmacKeyParams', exportKey: '', sign: '', verify: '' },
    'get key length': 'HmacKeyParams',
  },
  generateKey(params, extractable, usages) {
    checkUsages(usages, usable);
    if (params.length === 0) fail('OperationError', 'The length of a key is not zero');
    const bits = hmacLength(params);
    return hmacKey(randomSecret(bits), params.hash.name, bits, extractable, usages);
  },
  importKey(params, given) {
    checkUsages(given.usages, usable);
    const rules = { kty: 'oct', use: 'sig', algs: [hmacAlg(params.hash.name)] };
    const bytes = readSecret(given, hmacFormats, 'HMAC', rules);
    if (bytes.length === 0) fail('DataError', 'The key is empty');
    const [secret, length] = cutToLength(bytes, params.length);
    return hmacKey(secret, params.hash.name, length, given.extractable, given.usages);
  },
  exportKey: (format, key) => writeSecret(key, format, hmacFormats, hmacAlg(key.algorithm.hash?.name as string)),
  sign: (_params, key, data) => signHmac(key, data),
  verify: (_params, key, signature, data) => natives.cryptoEqual(signHmac(key, data), signature),
  getKeyLength: hmacLength,
};

const kmacFormats: KeyFormat[] = ['raw-secret', 'jwk'];

function kmacOf(strength: number): Algorithm {
  const name = `KMAC${strength}`;
  const make = (secret: Uint8Array, length: number, extractable: boolean, usages: string[]): KeySlots => ({
    ...{ type: 'secret', extractable, algorithm: { name, length }, usages, secret },
  });
  return {
    takes: {
      ...{ generateKey: 'KmacKeyParams', importKey: 'KmacKeyParams', exportKey: '' },
      ...{ sign: 'KmacParams', verify: 'KmacParams', 'get key length': 'KmacKeyParams' },
    },
    generateKey({ length = strength }: Params, extractable, usages) {
      checkUsages(usages, usable);
      if (length === 0) fail('OperationError', 'The length of a key is not zero');
      return make(randomSecret(length), length, extractable, usages);
    },
    importKey(params, given: KeyImport) {
      checkUsages(given.usages, usable);
      const rules = { kty: 'oct', use: 'sig', algs: [`K${strength}`] };
      const [secret, length] = cutToLength(readSecret(given, kmacFormats, name, rules), params.length);
      return make(secret, length, given.extractable, given.usages);
    },
    exportKey: (format, key) => writeSecret(key, format, kmacFormats, `K${strength}`),
    sign: (params, key, data) => kmac(strength, key.secret as Uint8Array, params, data),
    verify: (params, key, signature, data) =>
      natives.cryptoEqual(kmac(strength, key.secret as Uint8Array, params, data), signature),
    getKeyLength: ({ length = strength }) => length,
  };
}

export const macs: Algorithms = { HMAC: hmac, KMAC128: kmacOf(128), KMAC256: kmacOf(256) };
