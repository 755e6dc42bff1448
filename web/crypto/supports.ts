// https://wicg.github.io/webcrypto-modern-algos/#SubtleCrypto-method-supports

import type { Algorithms, Operation, Params } from './algorithm.ts';
import { sizeOf } from './buffers.ts';
import { normalize, toIdentifier } from './normalize.ts';

/** Bits of the secret that all variants of ML-KEM agree on. */
const sharedSecretBits = 256;

function tryNormalize(algorithms: Algorithms, given: object | string, operation: Operation): Params | null {
  try {
    return normalize(algorithms, given, operation);
  } catch {
    return null;
  }
}

/** Checks of parameters that need no key. */
function checksOut(algorithms: Algorithms, params: Params, operation: Operation, length: number | null): boolean {
  const algorithm = algorithms[params.name];
  if (operation === 'deriveBits' && algorithm?.checkDerivedLength) {
    try {
      algorithm.checkDerivedLength(params, length);
    } catch {
      return false;
    }
  }
  if (operation === 'generateKey' && params.name.startsWith('AES-')) {
    return params.length === 128 || params.length === 192 || params.length === 256;
  }
  if (operation === 'generateKey' || operation === 'importKey') {
    if (params.namedCurve !== undefined) return ['P-256', 'P-384', 'P-521'].includes(params.namedCurve);
    return params.length !== 0;
  }
  if (params.name === 'AES-CBC' && params.iv !== undefined) return sizeOf(params.iv) === 16;
  return true;
}

function check(
  algorithms: Algorithms,
  given: object | string,
  operation: Operation,
  length: number | null = null,
): boolean {
  const params = tryNormalize(algorithms, given, operation);
  if (params !== null) return checksOut(algorithms, params, operation, length);
  if (operation === 'wrapKey') return check(algorithms, given, 'encrypt');
  if (operation === 'unwrapKey') return check(algorithms, given, 'decrypt');
  return false;
}

/** Whether a secret of `bits` becomes a key of the algorithm. */
function takesSecret(algorithms: Algorithms, given: object | string, bits: number): boolean {
  const params = tryNormalize(algorithms, given, 'importKey');
  const read = params === null ? undefined : algorithms[params.name]?.importKey;
  if (params === null || read === undefined) return false;
  for (const usage of ['encrypt', 'sign', 'wrapKey', 'deriveBits']) {
    try {
      const data = new Uint8Array(bits / 8);
      read(params, { format: 'raw-secret', data, jwk: {}, extractable: false, usages: [usage] });
      return true;
    } catch {
      // another usage may do
    }
  }
  return false;
}

export function supports(
  algorithms: Algorithms,
  operation: string,
  algorithm: object | string,
  rest: unknown,
): boolean {
  switch (operation) {
    case 'encrypt':
    case 'decrypt':
    case 'sign':
    case 'verify':
    case 'digest':
    case 'generateKey':
    case 'importKey':
    case 'exportKey':
      return check(algorithms, algorithm, operation);
    case 'deriveBits':
      return check(algorithms, algorithm, operation, rest === null ? null : Number(rest) >>> 0);
    case 'deriveKey': {
      const derived = toIdentifier(rest);
      const params = tryNormalize(algorithms, derived, 'get key length');
      if (params === null || !check(algorithms, derived, 'importKey')) return false;
      try {
        const length = algorithms[params.name]?.getKeyLength?.(params) ?? null;
        return check(algorithms, algorithm, 'deriveBits', length);
      } catch {
        return false;
      }
    }
    case 'wrapKey':
      return check(algorithms, toIdentifier(rest), 'exportKey') && check(algorithms, algorithm, operation);
    case 'unwrapKey':
      return check(algorithms, toIdentifier(rest), 'importKey') && check(algorithms, algorithm, operation);
    case 'getPublicKey': {
      const params = tryNormalize(algorithms, algorithm, 'exportKey');
      return params !== null && algorithms[params.name]?.publicUsages !== undefined;
    }
    case 'encapsulateBits':
      return check(algorithms, algorithm, 'encapsulate');
    case 'decapsulateBits':
      return check(algorithms, algorithm, 'decapsulate');
    case 'encapsulateKey':
    case 'decapsulateKey': {
      const direction = operation === 'encapsulateKey' ? 'encapsulate' : 'decapsulate';
      return check(algorithms, algorithm, direction) && takesSecret(algorithms, toIdentifier(rest), sharedSecretBits);
    }
    default:
      return false;
  }
}
