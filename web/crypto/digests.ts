// SHA-1, SHA-2, SHA-3 and the functions with a free output length.

import type { Algorithm, Algorithms, Params } from './algorithm.ts';
import { bytesOfText, concat, copyOf, nothing, sizeOf } from './buffers.ts';
import type { Bytes } from './natives.ts';
import { fail, natives, orFail } from './platform.ts';

const failed = 'The digest could not be computed';

const plain: Algorithm = {
  takes: { digest: '' },
  digest: ({ name }, data) => orFail(natives.cryptoDigest(name, data), 'OperationError', failed),
};

/** The number as few bytes as possible, big-endian, at least one. */
function minimalBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes.length === 0 ? [0] : bytes;
}

// NIST SP 800-185, section 2.3.
function leftEncode(value: number): Uint8Array {
  const bytes = minimalBytes(value);
  return Uint8Array.of(bytes.length, ...bytes);
}

export function rightEncode(value: number): Uint8Array {
  const bytes = minimalBytes(value);
  return Uint8Array.of(...bytes, bytes.length);
}

export function encodeString(bytes: Bytes): Uint8Array {
  return concat(leftEncode(sizeOf(bytes) * 8), copyOf(bytes));
}

export function bytePad(bytes: Uint8Array, rate: number): Uint8Array {
  const padded = concat(leftEncode(rate), bytes);
  const rest = padded.length % rate;
  return rest === 0 ? padded : concat(padded, new Uint8Array(rate - rest));
}

export const rateOf = (strength: number): number => (strength === 128 ? 168 : 136);

/** The last bits of an output whose length is no number of bytes are zeros in front: FIPS 202, appendix B.1. */
function keepLowBits(output: ArrayBuffer, bits: number): ArrayBuffer {
  if (bits % 8 !== 0) {
    const bytes = new Uint8Array(output);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] as number) & (0xff << (8 - (bits % 8)));
  }
  return output;
}

const cShake = (strength: number): Algorithm => ({
  takes: { digest: 'CShakeParams' },
  digest({ outputLength, functionName = nothing, customization = nothing }: Params, data) {
    const size = Math.ceil(outputLength / 8);
    const isPlain = sizeOf(functionName) === 0 && sizeOf(customization) === 0;
    const prefix = isPlain
      ? nothing
      : bytePad(concat(encodeString(functionName), encodeString(customization)), rateOf(strength));
    const name = isPlain ? `SHAKE${strength}` : `KECCAK-KMAC-${strength}`;
    const output = natives.cryptoExtendable(name, prefix, data, nothing, size);
    return keepLowBits(orFail(output, 'OperationError', failed), outputLength);
  },
});

function wholeBytes(outputLength: number): number {
  if (outputLength === 0 || outputLength % 8 !== 0) {
    fail('OperationError', 'The output length is not a positive multiple of 8');
  }
  return outputLength / 8;
}

const turboShake = (strength: number): Algorithm => ({
  takes: { digest: 'TurboShakeParams' },
  digest({ outputLength, domainSeparation = 0x1f }: Params, data) {
    if (domainSeparation < 1 || domainSeparation > 0x7f) fail('OperationError', 'domainSeparation is not 1 to 127');
    const output = natives.cryptoTurboShake(strength, domainSeparation, data, wholeBytes(outputLength));
    return orFail(output, 'OperationError', failed);
  },
});

const kangarooTwelve = (strength: number): Algorithm => ({
  takes: { digest: 'KangarooTwelveParams' },
  digest({ outputLength, customization = nothing }: Params, data) {
    const output = natives.cryptoKangarooTwelve(strength, data, customization, wholeBytes(outputLength));
    return orFail(output, 'OperationError', failed);
  },
});

// NIST SP 800-185, section 4: KMAC is cSHAKE with the key in front and the length behind.
export function kmac(strength: number, key: Uint8Array, params: Params, data: Bytes): ArrayBuffer {
  const { outputLength, customization = nothing } = params;
  const rate = rateOf(strength);
  const prefix = concat(
    bytePad(concat(encodeString(bytesOfText('KMAC')), encodeString(customization)), rate),
    bytePad(encodeString(key), rate),
  );
  const size = Math.ceil(outputLength / 8);
  const name = `KECCAK-KMAC-${strength}`;
  const output = natives.cryptoExtendable(name, prefix, data, rightEncode(outputLength), size);
  return keepLowBits(orFail(output, 'OperationError', failed), outputLength);
}

export const digests: Algorithms = {
  ...{ 'SHA-1': plain, 'SHA-256': plain, 'SHA-384': plain, 'SHA-512': plain },
  ...{ 'SHA3-256': plain, 'SHA3-384': plain, 'SHA3-512': plain },
  ...{ cSHAKE128: cShake(128), cSHAKE256: cShake(256) },
  ...{ TurboSHAKE128: turboShake(128), TurboSHAKE256: turboShake(256) },
  ...{ KT128: kangarooTwelve(128), KT256: kangarooTwelve(256) },
};
