// ECDSA and ECDH.

import { agreement } from './agreement.ts';
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
import { fail, natives, orFail } from './platform.ts';

interface Curve {
  openssl: string;
  /** Bytes of a coordinate, and of a private key. */
  size: number;
}

const curves: Record<string, Curve> = {
  'P-256': { openssl: 'prime256v1', size: 32 },
  'P-384': { openssl: 'secp384r1', size: 48 },
  'P-521': { openssl: 'secp521r1', size: 66 },
};

function curveNamed(name: string): Curve {
  return Object.hasOwn(curves, name) ? (curves[name] as Curve) : fail('NotSupportedError', `There is no curve ${name}`);
}

const curveOf = (key: KeySlots): Curve => curveNamed(key.algorithm.namedCurve as string);

export function importPoint(curve: string, point: Bytes): KeyHandle {
  const handle = natives.cryptoKeyFromNumbers('EC', false, curve, point);
  const found = orFail(handle, 'DataError', 'The bytes are no point of the curve');
  if (!natives.cryptoCheckKey(found, false)) fail('DataError', 'The point is not on the curve');
  return found;
}

function readJwk(jwk: JsonWebKey, { openssl, size }: Curve): KeyHandle {
  const x = jwkBytes(jwk, 'x');
  const y = jwkBytes(jwk, 'y');
  if (x.length !== size || y.length !== size) fail('DataError', 'A coordinate has the wrong length');
  const point = concat(Uint8Array.of(4), x, y);
  if (jwk.d === undefined) return importPoint(openssl, point);
  const d = jwkBytes(jwk, 'd');
  if (d.length !== size) fail('DataError', 'The private key has the wrong length');
  const handle = natives.cryptoKeyFromNumbers('EC', true, openssl, point, 'priv', d);
  const found = orFail(handle, 'DataError', 'The members are no key of the curve');
  if (!natives.cryptoCheckKey(found, false) || !natives.cryptoCheckKey(found, true)) {
    fail('DataError', 'Public and private key do not belong together');
  }
  return found;
}

const writable: KeyFormat[] = ['raw', 'raw-public', 'spki', 'pkcs8', 'jwk'];

/** The coordinates: a point is written as 4, x, y. */
function pointOf(key: KeySlots): Uint8Array {
  const point = new Uint8Array(keyPart(key.handle as KeyHandle, 'public'));
  if (point.length !== 1 + 2 * curveOf(key).size) fail('OperationError', 'The key could not be written');
  return point;
}

function elliptic(name: string, usages: PairUsages, use: string): Algorithm {
  function read({ namedCurve }: Params, { format, data, jwk, extractable, usages: wanted }: KeyImport): KeySlots {
    const curve = curveNamed(namedCurve);
    if (!writable.includes(format)) badFormat(format, name);
    const isPrivate = format === 'pkcs8' || (format === 'jwk' && jwk.d !== undefined);
    checkUsages(wanted, isPrivate ? usages.private : usages.public);
    let handle: KeyHandle;
    if (format === 'jwk') {
      checkJwk(jwk, { kty: 'EC', use }, wanted, extractable);
      if (jwk.crv !== namedCurve) fail('DataError', `The key's "crv" is not ${namedCurve}`);
      handle = readJwk(jwk, curve);
    } else if (format === 'spki' || format === 'pkcs8') {
      handle = readDer(format, data, 'EC', curve.openssl);
      if (!natives.cryptoCheckKey(handle, false)) fail('DataError', 'The point is not on the curve');
    } else {
      if (sizeOf(data) === 0) fail('DataError', 'The key is empty');
      handle = importPoint(curve.openssl, data);
    }
    return (isPrivate ? privateKey : publicKey)(handle, { name, namedCurve }, extractable, wanted);
  }

  function write(format: KeyFormat, key: KeySlots): ArrayBuffer | JsonWebKey {
    if (!writable.includes(format)) badFormat(format, name);
    requireType(key, format);
    const handle = key.handle as KeyHandle;
    if (format === 'spki' || format === 'pkcs8') return writeDer(format, handle);
    const point = pointOf(key);
    if (format !== 'jwk') return point.slice().buffer;
    const { size } = curveOf(key);
    const jwk: JsonWebKey = {
      kty: 'EC',
      crv: key.algorithm.namedCurve as string,
      x: toBase64Url(point.subarray(1, 1 + size)),
      y: toBase64Url(point.subarray(1 + size)),
    };
    if (key.type === 'private') {
      jwk.d = toBase64Url(orFail(natives.cryptoKeyNumber(handle, 'priv', size), 'OperationError', 'No private key'));
    }
    return withUse(jwk, key);
  }

  return {
    takes: { generateKey: 'EcKeyParams', importKey: 'EcKeyParams', exportKey: '' },
    publicUsages: usages.public,
    generateKey({ namedCurve }, extractable, wanted) {
      checkUsages(wanted, [...usages.public, ...usages.private]);
      const handle = natives.cryptoGenerateKey('EC', curveNamed(namedCurve).openssl);
      return makePair(handle, { name, namedCurve }, extractable, wanted, usages);
    },
    importKey: read,
    exportKey: write,
  };
}

const ecdsa = elliptic('ECDSA', { public: ['verify'], private: ['sign'] }, 'sig');
const ecdh = elliptic('ECDH', { public: [], private: ['deriveKey', 'deriveBits'] }, 'enc');

export const ecAlgorithms: Algorithms = {
  ECDSA: {
    ...ecdsa,
    takes: { ...ecdsa.takes, sign: 'EcdsaParams', verify: 'EcdsaParams' },
    sign({ hash }, key, data) {
      const der = natives.cryptoSign(handleOf(key, 'private'), hash.name, undefined, undefined, data);
      const signature = der && natives.cryptoSignatureFromDer(der, curveOf(key).size);
      return orFail(signature, 'OperationError', 'The data could not be signed');
    },
    verify({ hash }, key, signature, data) {
      const handle = handleOf(key, 'public');
      if (sizeOf(signature) !== 2 * curveOf(key).size) return false;
      const der = natives.cryptoSignatureToDer(signature);
      if (der === undefined) return false;
      const good = natives.cryptoVerify(handle, hash.name, undefined, undefined, data, der);
      return orFail(good, 'OperationError', 'The signature could not be checked');
    },
  },
  ECDH: { ...ecdh, takes: { ...ecdh.takes, deriveBits: 'EcdhKeyDeriveParams' }, deriveBits: agreement },
};
