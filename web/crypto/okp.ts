// Ed25519, Ed448, X25519 and X448.

import { agreement } from './agreement.ts';
import type { Algorithm, Algorithms, KeyFormat, KeyImport, Params } from './algorithm.ts';
import { copyOf, nothing, sizeOf } from './buffers.ts';
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
import type { KeyHandle } from './natives.ts';
import { fail, natives, orFail } from './platform.ts';

const formats: KeyFormat[] = ['raw', 'raw-public', 'spki', 'pkcs8', 'jwk'];

function octetPair(name: string, usages: PairUsages, use: string, algs: string[]): Algorithm {
  const type = name.toUpperCase();

  function readJwk(jwk: JsonWebKey): KeyHandle {
    const x = jwkBytes(jwk, 'x');
    const isPrivate = jwk.d !== undefined;
    const bytes = isPrivate ? jwkBytes(jwk, 'd') : x;
    const handle = natives.cryptoKeyFromRaw(type, isPrivate ? 'private' : 'public', bytes);
    const found = orFail(handle, 'DataError', 'The key has the wrong length');
    if (isPrivate && !natives.cryptoEqual(keyPart(found, 'public'), x)) {
      fail('DataError', 'Public and private key do not belong together');
    }
    return found;
  }

  function read(_params: Params, { format, data, jwk, extractable, usages: wanted }: KeyImport): KeySlots {
    if (!formats.includes(format)) badFormat(format, name);
    const isPrivate = format === 'pkcs8' || (format === 'jwk' && jwk.d !== undefined);
    checkUsages(wanted, isPrivate ? usages.private : usages.public);
    let handle: KeyHandle;
    if (format === 'jwk') {
      checkJwk(jwk, { kty: 'OKP', use, algs }, wanted, extractable);
      if (jwk.crv !== name) fail('DataError', `The key's "crv" is not ${name}`);
      handle = readJwk(jwk);
    } else if (format === 'spki' || format === 'pkcs8') {
      handle = readDer(format, data, type);
    } else {
      handle = orFail(natives.cryptoKeyFromRaw(type, 'public', data), 'DataError', 'The key has the wrong length');
    }
    return (isPrivate ? privateKey : publicKey)(handle, { name }, extractable, wanted);
  }

  function write(format: KeyFormat, key: KeySlots): ArrayBuffer | JsonWebKey {
    if (!formats.includes(format)) badFormat(format, name);
    requireType(key, format);
    const handle = key.handle as KeyHandle;
    if (format === 'spki' || format === 'pkcs8') return writeDer(format, handle);
    const bytes = keyPart(handle, 'public');
    if (format !== 'jwk') return bytes;
    const jwk: JsonWebKey = { kty: 'OKP', crv: name, x: toBase64Url(bytes) };
    if (algs[0] !== undefined) jwk.alg = algs[0];
    if (key.type === 'private') jwk.d = toBase64Url(keyPart(handle, 'private'));
    return withUse(jwk, key);
  }

  return {
    takes: { generateKey: '', importKey: '', exportKey: '' },
    publicUsages: usages.public,
    generateKey(_params, extractable, wanted) {
      checkUsages(wanted, [...usages.public, ...usages.private]);
      return makePair(natives.cryptoGenerateKey(type, undefined), { name }, extractable, wanted, usages);
    },
    importKey: read,
    exportKey: write,
  };
}

/** `dictionary` is that of the parameters; only ContextParams has any. */
export function contextSigner(base: Algorithm, dictionary: string): Algorithm {
  const contextOf = ({ context = nothing }: Params) =>
    sizeOf(context) > 255 ? fail('OperationError', 'The context has more than 255 bytes') : context;
  return {
    ...base,
    takes: { ...base.takes, sign: dictionary, verify: dictionary },
    sign(params, key, data) {
      const handle = handleOf(key, 'private');
      const signature = natives.cryptoSign(handle, '', undefined, contextOf(params), data);
      return orFail(signature, 'OperationError', 'The data could not be signed');
    },
    verify(params, key, signature, data) {
      const handle = handleOf(key, 'public');
      const good = natives.cryptoVerify(handle, '', undefined, contextOf(params), data, signature);
      return orFail(good, 'OperationError', 'The signature could not be checked');
    },
  };
}

function exchange(name: string): Algorithm {
  const base = octetPair(name, { public: [], private: ['deriveKey', 'deriveBits'] }, 'enc', []);
  return { ...base, takes: { ...base.takes, deriveBits: 'EcdhKeyDeriveParams' }, deriveBits: agreement };
}

/** The y coordinates of Ed25519's points of small order: such a key accepts one signature for nearly every message. */
const smallOrder = new Set([
  ...['00', '01', 'ec', 'ed', 'ee'].map((first) => first + (first < 'a' ? '00'.repeat(31) : `${'ff'.repeat(30)}7f`)),
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
]);

function isSmallOrder(point: Uint8Array): boolean {
  const y = copyOf(point.subarray(0, 32));
  y[31] = (y[31] as number) & 0x7f;
  return smallOrder.has(y.toHex());
}

/** https://w3c.github.io/webcrypto/#ed25519-operations-verify, which asks for more than OpenSSL checks. */
function strictEd25519(base: Algorithm): Algorithm {
  return {
    ...base,
    verify(params, key, signature, data) {
      const publicPoint = new Uint8Array(keyPart(handleOf(key, 'public'), 'public'));
      if (sizeOf(signature) !== 64 || isSmallOrder(publicPoint) || isSmallOrder(copyOf(signature))) return false;
      return base.verify?.(params, key, signature, data) ?? false;
    },
  };
}

const signing = { public: ['verify'], private: ['sign'] };

export const okpAlgorithms: Algorithms = {
  Ed25519: strictEd25519(contextSigner(octetPair('Ed25519', signing, 'sig', ['Ed25519', 'EdDSA']), '')),
  Ed448: contextSigner(octetPair('Ed448', signing, 'sig', ['Ed448', 'EdDSA']), 'ContextParams'),
  X25519: exchange('X25519'),
  X448: exchange('X448'),
};
