// The operations of SubtleCrypto: https://w3c.github.io/webcrypto/#subtlecrypto-interface
//
// Each runs to its end before its promise is returned, so data is read where it lies and need not be copied, whatever the
// caller does with it later.

import { toDOMString, toEnum, toSequence } from '../webidl/conversions.ts';
import type { Algorithm, Algorithms, KeyFormat, KeyImport, KeyPair, Params } from './algorithm.ts';
import { bytesOfText, isBufferSource, nothing, toBytes } from './buffers.ts';
import { ciphers } from './ciphers.ts';
import type { CryptoKey, KeySlots } from './crypto-key.ts';
import { derivations } from './derivation.ts';
import { digests } from './digests.ts';
import { ecAlgorithms } from './ec.ts';
import { hybridKems } from './hybrid-kem.ts';
import { type JsonWebKey, toJwk } from './jwk.ts';
import { allUsages, checkUsages, only, publicKey } from './keys.ts';
import { macs } from './macs.ts';
import { moduleLattices } from './module-lattice.ts';
import type { Bytes, KeyHandle } from './natives.ts';
import { normalize, toIdentifier } from './normalize.ts';
import { okpAlgorithms } from './okp.ts';
import { fail, type Platform, platform, usePlatform } from './platform.ts';
import { rsaAlgorithms } from './rsa.ts';
import { supports } from './supports.ts';

export const algorithms: Algorithms = {
  ...digests,
  ...macs,
  ...ciphers,
  ...rsaAlgorithms,
  ...ecAlgorithms,
  ...okpAlgorithms,
  ...moduleLattices,
  ...hybridKems,
  ...derivations,
};

const formats: KeyFormat[] = ['raw', 'raw-public', 'raw-private', 'raw-seed', 'raw-secret', 'spki', 'pkcs8', 'jwk'];

const toFormat = (value: unknown): KeyFormat => toEnum(value, formats, 'KeyFormat');

function toKey(value: unknown): CryptoKey {
  if (!platform.isCryptoKey(value)) throw new TypeError('A key is no CryptoKey');
  return value;
}

const toUsages = (value: unknown): string[] =>
  toSequence(value, 'The list of usages').map((usage) => toEnum(usage, allUsages, 'KeyUsage'));

export function algorithmOf(params: { name: string }): Algorithm {
  return algorithms[params.name] as Algorithm;
}

/** An operation of an algorithm: registered ones are always there. */
function need<T>(operation: T | undefined, what: string): T {
  return operation ?? fail('NotSupportedError', `${what} is not supported for this key`);
}

/** The key's slots, when it is one for this algorithm and use. */
function useKey(key: CryptoKey, params: Params, ...usages: string[]): KeySlots {
  const slots = platform.slotsOf(key);
  if (slots.algorithm.name !== params.name) fail('InvalidAccessError', `The key is not one of ${params.name}`);
  for (const usage of usages) {
    if (!slots.usages.includes(usage)) fail('InvalidAccessError', `The key may not be used for ${usage}`);
  }
  return slots;
}

function finishKey(slots: KeySlots): CryptoKey {
  if (slots.type !== 'public' && slots.usages.length === 0) fail('SyntaxError', 'The list of usages is empty');
  slots.usages = only(slots.usages, allUsages);
  return platform.createKey(slots);
}

function importWith(params: Params, given: KeyImport): CryptoKey {
  const slots = need(algorithmOf(params).importKey, 'importKey')(params, given);
  return finishKey({ ...slots, extractable: given.extractable });
}

function importBytes(
  params: Params,
  format: KeyFormat,
  data: Bytes,
  extractable: boolean,
  usages: string[],
): CryptoKey {
  return importWith(params, { format, data, jwk: {}, extractable, usages });
}

function exportFrom(format: KeyFormat, slots: KeySlots): ArrayBuffer | JsonWebKey {
  const { exportKey } = algorithmOf(slots.algorithm);
  if (exportKey === undefined) fail('NotSupportedError', `${slots.algorithm.name} keys cannot be exported`);
  if (!slots.extractable) fail('InvalidAccessError', 'The key is not extractable');
  return exportKey(format, slots);
}

const simple = (operation: 'encrypt' | 'decrypt' | 'sign') => (algorithm: unknown, key: unknown, data: unknown) => {
  const [identifier, given, bytes] = [toIdentifier(algorithm), toKey(key), toBytes(data, 'The data')];
  const params = normalize(algorithms, identifier, operation);
  const slots = useKey(given, params, operation);
  return need(algorithmOf(params)[operation], operation)(params, slots, bytes);
};

/** Wrapping is an operation of its own, or else encryption. */
function wrapping(identifier: object | string, own: 'wrapKey' | 'unwrapKey', other: 'encrypt' | 'decrypt') {
  let operation: 'wrapKey' | 'unwrapKey' | 'encrypt' | 'decrypt' = own;
  let params: Params;
  try {
    params = normalize(algorithms, identifier, own);
  } catch {
    operation = other;
    params = normalize(algorithms, identifier, other);
  }
  return { params, run: need(algorithmOf(params)[operation], operation) };
}

/** Text of a JSON Web Key to bytes: it is ASCII, but for what a plug-in put into the prototypes of its objects. */
function jsonBytes(jwk: JsonWebKey): Uint8Array {
  return bytesOfText(JSON.stringify(jwk));
}

function parseJson(bytes: ArrayBuffer): JsonWebKey {
  let text = '';
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  let value: unknown;
  try {
    value = JSON.parse(decodeURIComponent(escapeBytes(text)));
  } catch {
    return fail('DataError', 'What was unwrapped is no JSON Web Key');
  }
  if (typeof value !== 'object' || value === null) fail('DataError', 'What was unwrapped is no JSON Web Key');
  const jwk = toJwk(value);
  if (jwk.kty === undefined) fail('DataError', 'What was unwrapped has no "kty"');
  return jwk;
}

/** UTF-8, a character for each byte, in the notation that decodeURIComponent reads. */
function escapeBytes(text: string): string {
  return text.replace(/[%\x80-\xff]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function deriveLength(params: Params): number | null {
  return need(algorithmOf(params).getKeyLength, 'deriveKey')(params);
}

const operations: Record<string, (...args: unknown[]) => unknown> = {
  encrypt: simple('encrypt'),
  decrypt: simple('decrypt'),
  sign: simple('sign'),

  verify(algorithm, key, signature, data) {
    const [identifier, given] = [toIdentifier(algorithm), toKey(key)];
    const [signed, bytes] = [toBytes(signature, 'The signature'), toBytes(data, 'The data')];
    const params = normalize(algorithms, identifier, 'verify');
    const slots = useKey(given, params, 'verify');
    return need(algorithmOf(params).verify, 'verify')(params, slots, signed, bytes);
  },

  digest(algorithm, data) {
    const [identifier, bytes] = [toIdentifier(algorithm), toBytes(data, 'The data')];
    const params = normalize(algorithms, identifier, 'digest');
    return need(algorithmOf(params).digest, 'digest')(params, bytes);
  },

  generateKey(algorithm, extractable, keyUsages) {
    const [identifier, isExtractable, usages] = [toIdentifier(algorithm), Boolean(extractable), toUsages(keyUsages)];
    const params = normalize(algorithms, identifier, 'generateKey');
    const made = need(algorithmOf(params).generateKey, 'generateKey')(params, isExtractable, usages);
    if (!('publicKey' in made)) return finishKey(made);
    const pair: KeyPair = made;
    const secret = finishKey(pair.privateKey);
    return { publicKey: finishKey(pair.publicKey), privateKey: secret };
  },

  importKey(format, keyData, algorithm, extractable, keyUsages) {
    const keyFormat = toFormat(format);
    const given = isBufferSource(keyData) ? toBytes(keyData, 'The key') : toJwk(keyData);
    const [identifier, isExtractable, usages] = [toIdentifier(algorithm), Boolean(extractable), toUsages(keyUsages)];
    const params = normalize(algorithms, identifier, 'importKey');
    if (keyFormat === 'jwk') {
      if (isBufferSource(given)) throw new TypeError('A JSON Web Key is not made of bytes');
      return importWith(params, { format: 'jwk', data: nothing, jwk: given, extractable: isExtractable, usages });
    }
    if (!isBufferSource(given)) throw new TypeError(`A key in the format ${keyFormat} is made of bytes`);
    return importBytes(params, keyFormat, given, isExtractable, usages);
  },

  exportKey(format, key) {
    const [keyFormat, given] = [toFormat(format), toKey(key)];
    return exportFrom(keyFormat, platform.slotsOf(given));
  },

  deriveBits(algorithm, baseKey, length = null) {
    const [identifier, given] = [toIdentifier(algorithm), toKey(baseKey)];
    const bits = length === null ? null : Number(length) >>> 0;
    const params = normalize(algorithms, identifier, 'deriveBits');
    const slots = useKey(given, params, 'deriveBits');
    return need(algorithmOf(params).deriveBits, 'deriveBits')(params, slots, bits);
  },

  deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    const [identifier, given, derived] = [toIdentifier(algorithm), toKey(baseKey), toIdentifier(derivedKeyType)];
    const [isExtractable, usages] = [Boolean(extractable), toUsages(keyUsages)];
    const params = normalize(algorithms, identifier, 'deriveBits');
    const importParams = normalize(algorithms, derived, 'importKey');
    const lengthParams = normalize(algorithms, derived, 'get key length');
    const slots = useKey(given, params, 'deriveKey');
    const length = deriveLength(lengthParams);
    const secret = need(algorithmOf(params).deriveBits, 'deriveKey')(params, slots, length);
    return importBytes(importParams, 'raw-secret', secret, isExtractable, usages);
  },

  wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    const [keyFormat, given, wrapper] = [toFormat(format), toKey(key), toKey(wrappingKey)];
    const { params, run } = wrapping(toIdentifier(wrapAlgorithm), 'wrapKey', 'encrypt');
    const slots = useKey(wrapper, params, 'wrapKey');
    const exported = exportFrom(keyFormat, platform.slotsOf(given));
    return run(params, slots, exported instanceof ArrayBuffer ? exported : jsonBytes(exported));
  },

  unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedAlgorithm, extractable, keyUsages) {
    const [keyFormat, wrapped, wrapper] = [
      toFormat(format),
      toBytes(wrappedKey, 'The wrapped key'),
      toKey(unwrappingKey),
    ];
    const [identifier, unwrapped] = [toIdentifier(unwrapAlgorithm), toIdentifier(unwrappedAlgorithm)];
    const [isExtractable, usages] = [Boolean(extractable), toUsages(keyUsages)];
    const { params, run } = wrapping(identifier, 'unwrapKey', 'decrypt');
    const importParams = normalize(algorithms, unwrapped, 'importKey');
    const slots = useKey(wrapper, params, 'unwrapKey');
    const bytes = run(params, slots, wrapped);
    if (keyFormat !== 'jwk') return importBytes(importParams, keyFormat, bytes, isExtractable, usages);
    const jwk = parseJson(bytes);
    return importWith(importParams, { format: 'jwk', data: nothing, jwk, extractable: isExtractable, usages });
  },

  encapsulateBits(algorithm, encapsulationKey) {
    const [identifier, given] = [toIdentifier(algorithm), toKey(encapsulationKey)];
    const params = normalize(algorithms, identifier, 'encapsulate');
    const slots = useKey(given, params, 'encapsulateBits');
    const [ciphertext, sharedKey] = need(algorithmOf(params).encapsulate, 'encapsulateBits')(slots);
    return { sharedKey, ciphertext };
  },

  encapsulateKey(algorithm, encapsulationKey, sharedKeyAlgorithm, extractable, keyUsages) {
    const [identifier, given, shared] = [
      ...[toIdentifier(algorithm), toKey(encapsulationKey), toIdentifier(sharedKeyAlgorithm)],
    ] as [object | string, CryptoKey, object | string];
    const [isExtractable, usages] = [Boolean(extractable), toUsages(keyUsages)];
    const params = normalize(algorithms, identifier, 'encapsulate');
    const importParams = normalize(algorithms, shared, 'importKey');
    const slots = useKey(given, params, 'encapsulateKey');
    const [ciphertext, secret] = need(algorithmOf(params).encapsulate, 'encapsulateKey')(slots);
    return { sharedKey: importBytes(importParams, 'raw-secret', secret, isExtractable, usages), ciphertext };
  },

  decapsulateBits(algorithm, decapsulationKey, ciphertext) {
    const [identifier, given] = [toIdentifier(algorithm), toKey(decapsulationKey)];
    const bytes = toBytes(ciphertext, 'The ciphertext');
    const params = normalize(algorithms, identifier, 'decapsulate');
    const slots = useKey(given, params, 'decapsulateBits');
    return need(algorithmOf(params).decapsulate, 'decapsulateBits')(slots, bytes);
  },

  decapsulateKey(algorithm, decapsulationKey, ciphertext, sharedKeyAlgorithm, extractable, keyUsages) {
    const [identifier, given] = [toIdentifier(algorithm), toKey(decapsulationKey)];
    const [bytes, shared] = [toBytes(ciphertext, 'The ciphertext'), toIdentifier(sharedKeyAlgorithm)];
    const [isExtractable, usages] = [Boolean(extractable), toUsages(keyUsages)];
    const params = normalize(algorithms, identifier, 'decapsulate');
    const importParams = normalize(algorithms, shared, 'importKey');
    const slots = useKey(given, params, 'decapsulateKey');
    const secret = need(algorithmOf(params).decapsulate, 'decapsulateKey')(slots, bytes);
    return importBytes(importParams, 'raw-secret', secret, isExtractable, usages);
  },

  getPublicKey(key, keyUsages) {
    const [given, usages] = [toKey(key), toUsages(keyUsages)];
    const slots = platform.slotsOf(given);
    const { publicUsages, publicOf } = algorithmOf(slots.algorithm);
    if (publicUsages === undefined) fail('NotSupportedError', `${slots.algorithm.name} has no public keys`);
    if (slots.type !== 'private') fail('InvalidAccessError', 'The key is not private');
    checkUsages(usages, publicUsages);
    if (publicOf) return finishKey(publicOf(slots, usages));
    return finishKey(publicKey(slots.handle as KeyHandle, slots.algorithm, true, usages));
  },
};

export interface Implementation {
  call(operation: string, args: unknown[]): unknown;
  supports(operation: unknown, algorithm: unknown, rest: unknown): boolean;
}

export function create(given: Platform): Implementation {
  usePlatform(given);
  return {
    call: (operation, args) => operations[operation]?.(...args),
    supports: (operation, algorithm, rest) =>
      supports(algorithms, toDOMString(operation), toIdentifier(algorithm), rest),
  };
}
