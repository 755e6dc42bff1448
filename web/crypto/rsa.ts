// RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP.

import type { Algorithm, Algorithms, KeyFormat, KeyImport, Params } from './algorithm.ts';
import { nothing } from './buffers.ts';
import type { KeyAlgorithm, KeySlots } from './crypto-key.ts';
import { checkJwk, type JsonWebKey, jwkBytes, toBase64Url } from './jwk.ts';
import {
  badFormat,
  checkUsages,
  handleOf,
  makePair,
  type PairUsages,
  privateKey,
  publicKey,
  readDer,
  requireType,
  withUse,
  writeDer,
} from './keys.ts';
import type { KeyHandle } from './natives.ts';
import { checkpoint, fail, natives, orFail } from './platform.ts';

/** The names of a private key's numbers in a JSON Web Key and in OpenSSL. */
const numbers = [
  ['n', 'n'],
  ['e', 'e'],
  ['d', 'd'],
  ['p', 'rsa-factor1'],
  ['q', 'rsa-factor2'],
  ['dp', 'rsa-exponent1'],
  ['dq', 'rsa-exponent2'],
  ['qi', 'rsa-coefficient1'],
] as const;

/** Whether a private key's numbers belong together. That p and q are primes is not looked into: it would take seconds. */
function belongTogether(parts: Uint8Array[]): boolean {
  const [n, e, d, p, q, dp, dq, qi] = parts.map((part) => BigInt(`0x0${part.toHex()}`)) as [
    ...[bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint],
  ];
  if (p <= 1n || q <= 1n || p * q !== n) return false;
  const inverse = e * d - 1n;
  if (inverse % (p - 1n) !== 0n || inverse % (q - 1n) !== 0n) return false;
  return dp === d % (p - 1n) && dq === d % (q - 1n) && (qi * q) % p === 1n;
}

// Larger numbers than OpenSSL takes cost much time.
const largestNumber = 16384 / 8 + 1;

function readJwk(jwk: JsonWebKey, isPrivate: boolean): KeyHandle {
  if (jwk.oth !== undefined) fail('NotSupportedError', 'RSA keys with more than two primes are not supported');
  const wanted = numbers.slice(0, isPrivate ? 8 : 2);
  const values = wanted.map(([member]) => jwkBytes(jwk, member));
  if (values.some((value) => value.length > largestNumber)) fail('DataError', 'A number is too large');
  if (isPrivate && !belongTogether(values)) fail('DataError', 'The numbers do not belong together');
  const parts = wanted.flatMap(([, name], index) => [name, values[index] as Uint8Array]);
  const handle = natives.cryptoKeyFromNumbers('RSA', isPrivate, undefined, undefined, ...parts);
  return orFail(handle, 'DataError', 'The numbers are no RSA key');
}

function numberOf(handle: KeyHandle, name: string): ArrayBuffer {
  return orFail(natives.cryptoKeyNumber(handle, name, 0), 'OperationError', 'The key could not be written');
}

function rsa(name: string, usages: PairUsages, use: string, alg: (hash: string) => string | undefined): Algorithm {
  const describe = (handle: KeyHandle, hash: string): KeyAlgorithm => ({
    name,
    modulusLength: natives.cryptoKeyType(handle)?.[2] ?? 0,
    publicExponent: new Uint8Array(numberOf(handle, 'e')),
    hash: { name: hash },
  });

  function read({ hash }: Params, { format, data, jwk, extractable, usages: wanted }: KeyImport): KeySlots {
    const isPrivate = format === 'pkcs8' || (format === 'jwk' && jwk.d !== undefined);
    if (format !== 'spki' && format !== 'pkcs8' && format !== 'jwk') badFormat(format, name);
    checkUsages(wanted, isPrivate ? usages.private : usages.public);
    let handle: KeyHandle;
    if (format === 'jwk') {
      const expected = alg(hash.name);
      checkJwk(jwk, { kty: 'RSA', use, algs: expected === undefined ? [] : [expected] }, wanted, extractable);
      handle = readJwk(jwk, isPrivate);
    } else {
      handle = readDer(format, data, 'RSA');
    }
    return (isPrivate ? privateKey : publicKey)(handle, describe(handle, hash.name), extractable, wanted);
  }

  function write(format: KeyFormat, key: KeySlots): ArrayBuffer | JsonWebKey {
    if (format !== 'spki' && format !== 'pkcs8' && format !== 'jwk') badFormat(format, name);
    requireType(key, format);
    const handle = key.handle as KeyHandle;
    if (format !== 'jwk') return writeDer(format, handle);
    const jwk: JsonWebKey = { kty: 'RSA' };
    const shown = alg(key.algorithm.hash?.name as string);
    if (shown !== undefined) jwk.alg = shown;
    for (const [member, part] of numbers.slice(0, key.type === 'private' ? 8 : 2)) {
      jwk[member] = toBase64Url(numberOf(handle, part));
    }
    return withUse(jwk, key);
  }

  return {
    takes: { generateKey: 'RsaHashedKeyGenParams', importKey: 'RsaHashedImportParams', exportKey: '' },
    publicUsages: usages.public,
    generateKey({ modulusLength, publicExponent, hash }, extractable, wanted) {
      checkUsages(wanted, [...usages.public, ...usages.private]);
      const first = publicExponent.findIndex((byte) => byte !== 0);
      const exponent = first < 0 ? nothing : publicExponent.subarray(first);
      const last = exponent.at(-1) ?? 0;
      // OpenSSL would search for ever.
      if (last % 2 === 0 || (exponent.length === 1 && last < 3)) fail('OperationError', 'publicExponent is unusable');
      const handle = natives.cryptoGenerateRsa(modulusLength, exponent, checkpoint);
      const found = orFail(handle, 'OperationError', 'The key could not be made');
      return makePair(found, describe(found, hash.name), extractable, wanted, usages);
    },
    importKey: read,
    exportKey: write,
  };
}

const hashOf = (key: KeySlots): string => key.algorithm.hash?.name as string;

function signer(dictionary: string, saltOf: (params: Params) => number | undefined): Partial<Algorithm> {
  return {
    sign(params, key, data) {
      const handle = handleOf(key, 'private');
      const signature = natives.cryptoSign(handle, hashOf(key), saltOf(params), undefined, data);
      return orFail(signature, 'OperationError', 'The data could not be signed');
    },
    verify(params, key, signature, data) {
      const handle = handleOf(key, 'public');
      const good = natives.cryptoVerify(handle, hashOf(key), saltOf(params), undefined, data, signature);
      return orFail(good, 'OperationError', 'The signature could not be checked');
    },
    takes: { sign: dictionary, verify: dictionary },
  };
}

function oaep(encrypts: boolean): NonNullable<Algorithm['encrypt']> {
  return ({ label = nothing }, key, data) => {
    const handle = handleOf(key, encrypts ? 'public' : 'private');
    const output = natives.cryptoRsaOaep(handle, encrypts, hashOf(key), label, data);
    return orFail(output, 'OperationError', `The data could not be ${encrypts ? 'encrypted' : 'decrypted'}`);
  };
}

/** SHA-1 is "1", SHA-256 is "256"; JSON Web Algorithms has no names for SHA-3. */
const suffix = (hash: string): string | undefined => (hash.startsWith('SHA-') ? hash.slice(4) : undefined);
const jwaName = (prefix: string) => (hash: string) => {
  const end = suffix(hash);
  return end === undefined ? undefined : `${prefix}${end}`;
};

function combine(base: Algorithm, more: Partial<Algorithm>): Algorithm {
  return { ...base, ...more, takes: { ...base.takes, ...more.takes } };
}

const signing = { public: ['verify'], private: ['sign'] };

export const rsaAlgorithms: Algorithms = {
  'RSASSA-PKCS1-v1_5': combine(
    rsa('RSASSA-PKCS1-v1_5', signing, 'sig', jwaName('RS')),
    signer('', () => undefined),
  ),
  'RSA-PSS': combine(
    rsa('RSA-PSS', signing, 'sig', jwaName('PS')),
    signer('RsaPssParams', ({ saltLength }) => saltLength),
  ),
  'RSA-OAEP': combine(
    rsa('RSA-OAEP', { public: ['encrypt', 'wrapKey'], private: ['decrypt', 'unwrapKey'] }, 'enc', (hash) =>
      hash === 'SHA-1' ? 'RSA-OAEP' : jwaName('RSA-OAEP-')(hash),
    ),
    { encrypt: oaep(true), decrypt: oaep(false), takes: { encrypt: 'RsaOaepParams', decrypt: 'RsaOaepParams' } },
  ),
};
