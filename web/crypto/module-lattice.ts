// ML-DSA and ML-KEM: https://wicg.github.io/webcrypto-modern-algos/

import type { Algorithm, Algorithms, KeyFormat, KeyImport, Params } from './algorithm.ts';
import { concat, sizeOf } from './buffers.ts';
import type { KeySlots } from './crypto-key.ts';
import { checkJwk, type JsonWebKey, jwkBytes, toBase64Url } from './jwk.ts';
import {
  badFormat,
  checkUsages,
  handleOf,
  keyPart,
  makePair,
  type PairUsages,
  privateKey,
  publicKey,
  readDer,
  requireType,
  withUse,
  writeDer,
} from './keys.ts';
import type { Bytes, KeyHandle } from './natives.ts';
import { contextSigner } from './okp.ts';
import { fail, natives, orFail } from './platform.ts';

const formats: KeyFormat[] = ['raw-public', 'raw-seed', 'spki', 'pkcs8', 'jwk'];

/** A private key as PKCS #8 with the seed alone: RFC 9881 and RFC 9935. `oid` is the last two arcs. */
function seedDer(oid: [number, number], seed: Uint8Array): ArrayBuffer {
  const length = seed.length;
  const identifier = [0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, ...oid];
  const head = [0x02, 0x01, 0x00, ...identifier, 0x04, length + 2, 0x80, length];
  return concat(Uint8Array.of(0x30, head.length + length, ...head), seed).buffer;
}

function moduleLattice(
  name: string,
  oid: [number, number],
  seedSize: number,
  usages: PairUsages,
  use: string,
): Algorithm {
  function fromSeed(seed: Bytes): KeyHandle {
    if (sizeOf(seed) !== seedSize) fail('DataError', `The seed does not have ${seedSize} bytes`);
    return orFail(natives.cryptoKeyFromRaw(name, 'seed', seed), 'DataError', 'The seed gives no key');
  }

  function fromPublic(bytes: Bytes): KeyHandle {
    return orFail(natives.cryptoKeyFromRaw(name, 'public', bytes), 'DataError', 'The bytes are no public key');
  }

  function readJwk(jwk: JsonWebKey): KeyHandle {
    const bytes = jwkBytes(jwk, 'pub');
    if (jwk.priv === undefined) return fromPublic(bytes);
    const handle = fromSeed(jwkBytes(jwk, 'priv'));
    if (!natives.cryptoEqual(keyPart(handle, 'public'), bytes)) {
      fail('DataError', 'Public and private key do not belong together');
    }
    return handle;
  }

  function readBytes(format: KeyFormat, data: Bytes): KeyHandle {
    if (format === 'raw-seed') return fromSeed(data);
    if (format === 'raw-public') return fromPublic(data);
    const handle = readDer(format === 'spki' ? 'spki' : 'pkcs8', data, name);
    if (format === 'pkcs8' && natives.cryptoKeyPart(handle, 'seed') === undefined) {
      fail('NotSupportedError', 'Private keys without their seed are not supported');
    }
    return handle;
  }

  function read(_params: Params, { format, data, jwk, extractable, usages: wanted }: KeyImport): KeySlots {
    if (!formats.includes(format)) badFormat(format, name);
    const isPrivate = format === 'pkcs8' || format === 'raw-seed' || (format === 'jwk' && jwk.priv !== undefined);
    checkUsages(wanted, isPrivate ? usages.private : usages.public);
    if (format === 'jwk') {
      checkJwk(jwk, { kty: 'AKP', use, algs: [name] }, wanted, extractable);
      if (jwk.alg !== name) fail('DataError', `The key's "alg" is not ${name}`);
    }
    const handle = format === 'jwk' ? readJwk(jwk) : readBytes(format, data);
    return (isPrivate ? privateKey : publicKey)(handle, { name }, extractable, wanted);
  }

  function write(format: KeyFormat, key: KeySlots): ArrayBuffer | JsonWebKey {
    if (!formats.includes(format)) badFormat(format, name);
    requireType(key, format);
    const handle = key.handle as KeyHandle;
    if (format === 'spki') return writeDer(format, handle);
    if (format === 'raw-public') return keyPart(handle, 'public');
    if (format === 'raw-seed') return keyPart(handle, 'seed');
    if (format === 'pkcs8') return seedDer(oid, new Uint8Array(keyPart(handle, 'seed')));
    const jwk: JsonWebKey = { kty: 'AKP', alg: name, pub: toBase64Url(keyPart(handle, 'public')) };
    if (key.type === 'private') jwk.priv = toBase64Url(keyPart(handle, 'seed'));
    return withUse(jwk, key);
  }

  return {
    takes: { generateKey: '', importKey: '', exportKey: '' },
    publicUsages: usages.public,
    generateKey(_params, extractable, wanted) {
      checkUsages(wanted, [...usages.public, ...usages.private]);
      return makePair(natives.cryptoGenerateKey(name, undefined), { name }, extractable, wanted, usages);
    },
    importKey: read,
    exportKey: write,
  };
}

const mlDsa = (level: number, arc: number): Algorithm =>
  contextSigner(
    moduleLattice(`ML-DSA-${level}`, [3, arc], 32, { public: ['verify'], private: ['sign'] }, 'sig'),
    'ContextParams',
  );

export const capsules = {
  public: ['encapsulateKey', 'encapsulateBits'],
  private: ['decapsulateKey', 'decapsulateBits'],
};

function mlKem(level: number, arc: number): Algorithm {
  const base = moduleLattice(`ML-KEM-${level}`, [4, arc], 64, capsules, 'enc');
  return {
    ...base,
    takes: { ...base.takes, encapsulate: '', decapsulate: '' },
    encapsulate(key) {
      const both = natives.cryptoEncapsulate(handleOf(key, 'public'));
      return orFail(both, 'OperationError', 'No key could be encapsulated');
    },
    decapsulate(key, ciphertext) {
      const secret = natives.cryptoDecapsulate(handleOf(key, 'private'), ciphertext);
      return orFail(secret, 'OperationError', 'The key could not be decapsulated');
    },
  };
}

export const moduleLattices: Algorithms = {
  ...{ 'ML-DSA-44': mlDsa(44, 17), 'ML-DSA-65': mlDsa(65, 18), 'ML-DSA-87': mlDsa(87, 19) },
  ...{ 'ML-KEM-512': mlKem(512, 1), 'ML-KEM-768': mlKem(768, 2), 'ML-KEM-1024': mlKem(1024, 3) },
};
