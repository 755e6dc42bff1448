// What the algorithms have in common when they make, read and write keys.

import type { KeyFormat, KeyImport, KeyPair } from './algorithm.ts';
import { copyOf, firstBits } from './buffers.ts';
import type { KeyAlgorithm, KeySlots, KeyType } from './crypto-key.ts';
import { checkJwk, type JsonWebKey, type JwkRules, jwkBytes, toBase64Url } from './jwk.ts';
import type { Bytes, KeyHandle } from './natives.ts';
import { fail, natives, orFail } from './platform.ts';

/** All usages, in the order in which keys show them. */
export const allUsages = [
  ...['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'],
  ...['encapsulateKey', 'encapsulateBits', 'decapsulateKey', 'decapsulateBits'],
];

export function only(usages: string[], allowed: string[]): string[] {
  return allUsages.filter((usage) => usages.includes(usage) && allowed.includes(usage));
}

export function checkUsages(usages: string[], allowed: string[]): void {
  for (const usage of usages) {
    if (!allowed.includes(usage)) fail('SyntaxError', `A key of this kind is not for ${usage}`);
  }
}

export function badFormat(format: KeyFormat, algorithm: string): never {
  return fail('NotSupportedError', `${algorithm} keys have no format ${format}`);
}

export interface PairUsages {
  public: string[];
  private: string[];
}

export function makePair(
  handle: KeyHandle | undefined,
  algorithm: KeyAlgorithm,
  extractable: boolean,
  usages: string[],
  allowed: PairUsages,
): KeyPair {
  const found = orFail(handle, 'OperationError', 'The key could not be made');
  return {
    publicKey: publicKey(found, algorithm, true, only(usages, allowed.public)),
    privateKey: privateKey(found, algorithm, extractable, only(usages, allowed.private)),
  };
}

function keyOf(type: KeyType) {
  return (handle: KeyHandle, algorithm: KeyAlgorithm, extractable: boolean, usages: string[]): KeySlots => ({
    ...{ type, handle, algorithm, extractable, usages },
  });
}

export const publicKey = keyOf('public');
export const privateKey = keyOf('private');

export function handleOf(key: KeySlots, type: KeyType): KeyHandle {
  if (key.type !== type) fail('InvalidAccessError', `The key is not ${type}`);
  return key.handle as KeyHandle;
}

/** A key of a pair in DER, which must be of the type, and the curve where there is one. */
export function readDer(format: 'spki' | 'pkcs8', data: Bytes, type: string, curve = ''): KeyHandle {
  const handle = format === 'spki' ? natives.cryptoReadSpki(data) : natives.cryptoReadPkcs8(data);
  const found = orFail(handle, 'DataError', `The bytes are no key in ${format}`);
  const [foundType, foundCurve] = natives.cryptoKeyType(found) ?? ['', ''];
  if (foundType !== type || (curve !== '' && foundCurve !== curve)) {
    fail('DataError', `The bytes are a key of another kind: ${foundType} ${foundCurve}`);
  }
  return found;
}

export function writeDer(format: 'spki' | 'pkcs8', handle: KeyHandle): ArrayBuffer {
  const der = format === 'spki' ? natives.cryptoWriteSpki(handle) : natives.cryptoWritePkcs8(handle);
  return orFail(der, 'OperationError', 'The key could not be written');
}

/** The key type that an export in a format needs. */
export function requireType(key: KeySlots, format: KeyFormat): void {
  const needed = format === 'pkcs8' || format === 'raw-seed' || format === 'raw-private' ? 'private' : 'public';
  if (format !== 'jwk') handleOf(key, needed);
}

export function keyPart(handle: KeyHandle, part: 'public' | 'private' | 'seed'): ArrayBuffer {
  return orFail(natives.cryptoKeyPart(handle, part), 'OperationError', 'The key has no such part');
}

/** Reads a secret key: its bytes, unchecked. */
export function readSecret(given: KeyImport, formats: KeyFormat[], name: string, rules: JwkRules): Uint8Array {
  if (!formats.includes(given.format)) badFormat(given.format, name);
  if (given.format !== 'jwk') return copyOf(given.data);
  const { jwk } = given;
  if (jwk.kty !== 'oct') fail('DataError', 'The key\'s "kty" is not oct');
  const bytes = jwkBytes(jwk, 'k');
  checkJwk(jwk, rules, given.usages, given.extractable);
  return bytes;
}

export function writeSecret(key: KeySlots, format: KeyFormat, formats: KeyFormat[], alg: string | undefined) {
  const secret = key.secret as Uint8Array;
  if (!formats.includes(format)) badFormat(format, key.algorithm.name);
  if (format !== 'jwk') return copyOf(secret).buffer;
  const jwk: JsonWebKey = { kty: 'oct', k: toBase64Url(secret) };
  if (alg !== undefined) jwk.alg = alg;
  return withUse(jwk, key);
}

export function withUse(jwk: JsonWebKey, key: KeySlots): JsonWebKey {
  return { ...jwk, key_ops: [...key.usages], ext: key.extractable };
}

/** A key of random bits. */
export function randomSecret(bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits / 8));
  if (natives.cryptoFillRandom(bytes) !== true) fail('OperationError', 'No random bytes');
  return bits % 8 === 0 ? bytes : firstBits(bytes, bits);
}

/** The key material of a secret key with a length in bits: https://w3c.github.io/webcrypto/#hmac-operations */
export function cutToLength(secret: Uint8Array, length: number | undefined): [Uint8Array, number] {
  const bits = secret.length * 8;
  if (length === undefined || length === bits) return [secret, bits];
  if (length > bits || length <= bits - 8) fail('DataError', `A key of ${bits} bits cannot have the length ${length}`);
  return [firstBits(secret, length), length];
}
