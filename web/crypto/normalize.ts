// https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm

import { isObject, toDOMString } from '../webidl/conversions.ts';
import type { Algorithms, Operation, Params } from './algorithm.ts';
import { copyOf, isUint8Array, toBytes } from './buffers.ts';
import type { Bytes } from './natives.ts';
import { fail, platform } from './platform.ts';

type MemberType = 'bytes' | 'octet' | 'short' | 'long' | 'string' | 'hash' | 'integer' | 'key';

/** Members in the order in which Web IDL reads them; those with "!" are required. */
const dictionaries: Record<string, Record<string, MemberType>> = {
  AesKeyGenParams: { 'length!': 'short' },
  AesDerivedKeyParams: { 'length!': 'short' },
  AesCbcParams: { 'iv!': 'bytes' },
  AesCtrParams: { 'counter!': 'bytes', 'length!': 'octet' },
  AeadParams: { additionalData: 'bytes', 'iv!': 'bytes', tagLength: 'octet' },
  RsaHashedKeyGenParams: { 'modulusLength!': 'long', 'publicExponent!': 'integer', 'hash!': 'hash' },
  RsaHashedImportParams: { 'hash!': 'hash' },
  RsaPssParams: { 'saltLength!': 'long' },
  RsaOaepParams: { label: 'bytes' },
  EcKeyParams: { 'namedCurve!': 'string' },
  EcdsaParams: { 'hash!': 'hash' },
  EcdhKeyDeriveParams: { 'public!': 'key' },
  HmacKeyParams: { 'hash!': 'hash', length: 'long' },
  KmacKeyParams: { length: 'long' },
  KmacParams: { customization: 'bytes', 'outputLength!': 'long' },
  HkdfParams: { 'hash!': 'hash', 'info!': 'bytes', 'salt!': 'bytes' },
  Pbkdf2Params: { 'hash!': 'hash', 'iterations!': 'long', 'salt!': 'bytes' },
  Argon2Params: {
    associatedData: 'bytes',
    'memory!': 'long',
    'nonce!': 'bytes',
    'parallelism!': 'long',
    'passes!': 'long',
    secretValue: 'bytes',
    version: 'octet',
  },
  ContextParams: { context: 'bytes' },
  CShakeParams: { customization: 'bytes', functionName: 'bytes', 'outputLength!': 'long' },
  TurboShakeParams: { domainSeparation: 'octet', 'outputLength!': 'long' },
  KangarooTwelveParams: { customization: 'bytes', 'outputLength!': 'long' },
};

const largest = { octet: 0xff, short: 0xffff, long: 0xffffffff };

function toInteger(value: unknown, type: keyof typeof largest, what: string): number {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= largest[type])) throw new TypeError(`${what} is out of range`);
  return number + 0;
}

/** AlgorithmIdentifier: (object or DOMString). */
export function toIdentifier(value: unknown): object | string {
  return isObject(value) ? value : toDOMString(value);
}

function convert(value: unknown, type: MemberType, what: string): unknown {
  switch (type) {
    case 'bytes':
      return toBytes(value, what);
    case 'string':
      return toDOMString(value);
    case 'hash':
      return toIdentifier(value);
    case 'integer':
      if (!isUint8Array(value)) throw new TypeError(`${what} is no Uint8Array`);
      return value;
    case 'key':
      if (!platform.isCryptoKey(value)) throw new TypeError(`${what} is no CryptoKey`);
      return value;
    default:
      return toInteger(value, type, what);
  }
}

const names = new Map<string, string>();

/** Hashes that other algorithms build on; those with a free output length are none. */
function checkFixedHash(name: string): void {
  if (!name.startsWith('SHA')) fail('NotSupportedError', `${name} cannot be used here`);
}

export function normalize(algorithms: Algorithms, given: object | string, operation: Operation): Params {
  if (names.size === 0) {
    for (const name of Object.keys(algorithms)) names.set(name.toUpperCase(), name);
  }
  const initial: Record<string, unknown> =
    typeof given === 'string' ? { name: given } : (given as Record<string, unknown>);
  if (initial.name === undefined) throw new TypeError("The algorithm has no 'name'");
  const givenName = toDOMString(initial.name);
  const name = /^[\x20-\x7e]*$/.test(givenName) ? names.get(givenName.toUpperCase()) : undefined;
  const dictionary = name === undefined ? undefined : algorithms[name]?.takes[operation];
  if (name === undefined || dictionary === undefined) {
    fail('NotSupportedError', `${operation} is not supported for ${givenName}`);
  }
  const params: Record<string, unknown> = { name };
  const members = Object.entries(dictionaries[dictionary] ?? {});
  for (const [key, type] of members) {
    const required = key.endsWith('!');
    const member = required ? key.slice(0, -1) : key;
    const value = initial[member];
    if (value !== undefined) params[member] = convert(value, type, `'${member}' of ${name}`);
    else if (required) throw new TypeError(`'${member}' of ${name} is missing`);
  }
  for (const [key, type] of members) {
    const member = key.endsWith('!') ? key.slice(0, -1) : key;
    if (params[member] === undefined) continue;
    if (type === 'bytes' || type === 'integer') params[member] = copyOf(params[member] as Bytes);
    if (type === 'hash') {
      const hash = normalize(algorithms, params[member] as object | string, 'digest');
      checkFixedHash(hash.name);
      params[member] = hash;
    }
  }
  return params as unknown as Params;
}
