// ML-KEM together with a Diffie-Hellman of elliptic curves: who wants the shared key has to break both.
// https://datatracker.ietf.org/doc/draft-irtf-cfrg-concrete-hybrid-kems/, and for MLKEM768-X25519, which is X-Wing,
// https://datatracker.ietf.org/doc/draft-connolly-cfrg-xwing-kem/

import type { Algorithm, Algorithms, KeyFormat, KeyImport } from './algorithm.ts';
import { bytesOfText, concat, copyOf, nothing, sizeOf } from './buffers.ts';
import type { KeySlots } from './crypto-key.ts';
import { importPoint } from './ec.ts';
import { checkJwk, type JsonWebKey, jwkBytes, toBase64Url } from './jwk.ts';
import { badFormat, checkUsages, keyPart, only, randomSecret, withUse } from './keys.ts';
import { capsules } from './module-lattice.ts';
import type { Bytes, KeyHandle } from './natives.ts';
import { fail, natives, orFail } from './platform.ts';

/** The half that is not ML-KEM. */
interface Group {
  /** Bytes of the seed of a private key, and of a public key. */
  seedSize: number;
  publicSize: number;
  generate(): KeyHandle | undefined;
  fromSeed(seed: Uint8Array): KeyHandle;
  fromPublic(bytes: Uint8Array): KeyHandle;
}

const x25519: Group = {
  seedSize: 32,
  publicSize: 32,
  generate: () => natives.cryptoGenerateKey('X25519', undefined),
  fromSeed: (seed) => rawKey('X25519', 'private', seed),
  fromPublic: (bytes) => rawKey('X25519', 'public', bytes),
};

function rawKey(type: string, part: 'public' | 'private' | 'seed', bytes: Uint8Array): KeyHandle {
  return orFail(natives.cryptoKeyFromRaw(type, part, bytes), 'DataError', 'The bytes give no key');
}

/** `order` is that of the group; `head` is a PKCS #8 key up to the number that is the private key. */
function nist(curve: string, size: number, seedSize: number, order: string, head: string): Group {
  const numbers = BigInt(`0x${order}`);
  const before = Uint8Array.fromHex(head);
  return {
    seedSize,
    publicSize: 1 + 2 * size,
    generate: () => natives.cryptoGenerateKey('EC', curve),
    fromSeed(seed) {
      for (let at = 0; at + size <= seed.length; at += size) {
        const scalar = seed.subarray(at, at + size);
        const number = BigInt(`0x${scalar.toHex()}`);
        if (number === 0n || number >= numbers) continue;
        return orFail(natives.cryptoReadPkcs8(concat(before, scalar)), 'OperationError', 'The seed gives no key');
      }
      return fail('OperationError', 'The seed gives no key');
    },
    fromPublic: (bytes) => importPoint(curve, bytes),
  };
}

const p256 = nist(
  'prime256v1',
  32,
  128,
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
);
const p384 = nist(
  'secp384r1',
  48,
  48,
  'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  '304e020100301006072a8648ce3d020106052b81040022043730350201010430',
);

const seedSize = 32;
const latticeSeedSize = 64;
const formats: KeyFormat[] = ['raw-public', 'raw-seed', 'jwk'];

interface Lattice {
  name: string;
  publicSize: number;
  ciphertextSize: number;
}

function hybrid(name: string, lattice: Lattice, group: Group, label: Uint8Array): Algorithm {
  const algorithm = { name };
  const latticePart = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, lattice.publicSize);
  const groupPart = (bytes: Uint8Array): Uint8Array => bytes.subarray(lattice.publicSize);

  /** The halves of a private key. */
  function expand(seed: Uint8Array): { lattice: KeyHandle; group: KeyHandle } {
    const size = latticeSeedSize + group.seedSize;
    const both = natives.cryptoExtendable('SHAKE256', nothing, seed, nothing, size);
    const bytes = new Uint8Array(orFail(both, 'OperationError', 'The seed gives no key'));
    return {
      lattice: rawKey(lattice.name, 'seed', bytes.subarray(0, latticeSeedSize)),
      group: group.fromSeed(bytes.subarray(latticeSeedSize)),
    };
  }

  function publicOf(seed: Uint8Array): Uint8Array {
    const halves = expand(seed);
    return concat(new Uint8Array(keyPart(halves.lattice, 'public')), new Uint8Array(keyPart(halves.group, 'public')));
  }

  const publicKey = (bytes: Uint8Array, extractable: boolean, usages: string[]): KeySlots => ({
    ...{ type: 'public', bytes, algorithm, extractable, usages },
  });
  const privateKey = (bytes: Uint8Array, extractable: boolean, usages: string[]): KeySlots => ({
    ...{ type: 'private', bytes, algorithm, extractable, usages },
  });

  function bytesOf(key: KeySlots, type: 'public' | 'private'): Uint8Array {
    if (key.type !== type) fail('InvalidAccessError', `The key is not ${type}`);
    return key.bytes as Uint8Array;
  }

  function readSeed(data: Bytes): Uint8Array {
    if (sizeOf(data) !== seedSize) fail('DataError', `The seed does not have ${seedSize} bytes`);
    return copyOf(data);
  }

  function readPublic(data: Bytes): Uint8Array {
    const bytes = copyOf(data);
    if (bytes.length !== lattice.publicSize + group.publicSize) fail('DataError', 'The key has the wrong length');
    rawKey(lattice.name, 'public', latticePart(bytes));
    group.fromPublic(groupPart(bytes));
    return bytes;
  }

  function readJwk(jwk: JsonWebKey): Uint8Array {
    const bytes = readPublic(jwkBytes(jwk, 'pub'));
    if (jwk.priv === undefined) return bytes;
    const seed = readSeed(jwkBytes(jwk, 'priv'));
    if (!natives.cryptoEqual(publicOf(seed), bytes)) fail('DataError', 'Public and private key do not belong together');
    return seed;
  }

  /** What both sides make of all that they know. */
  function combine(ofLattice: ArrayBuffer, ofGroup: ArrayBuffer, sent: Uint8Array, receiver: Uint8Array): ArrayBuffer {
    const all = concat(new Uint8Array(ofLattice), new Uint8Array(ofGroup), sent, receiver, label);
    return orFail(natives.cryptoDigest('SHA3-256', all), 'OperationError', 'The key could not be derived');
  }

  return {
    takes: { generateKey: '', importKey: '', exportKey: '', encapsulate: '', decapsulate: '' },
    publicUsages: capsules.public,
    publicOf: (key, usages) => publicKey(publicOf(bytesOf(key, 'private')), true, usages),
    generateKey(_params, extractable, wanted) {
      checkUsages(wanted, [...capsules.public, ...capsules.private]);
      const seed = randomSecret(seedSize * 8);
      return {
        publicKey: publicKey(publicOf(seed), true, only(wanted, capsules.public)),
        privateKey: privateKey(seed, extractable, only(wanted, capsules.private)),
      };
    },
    importKey(_params, { format, data, jwk, extractable, usages }: KeyImport) {
      if (!formats.includes(format)) badFormat(format, name);
      const isPrivate = format === 'raw-seed' || (format === 'jwk' && jwk.priv !== undefined);
      checkUsages(usages, isPrivate ? capsules.private : capsules.public);
      if (format === 'jwk') {
        checkJwk(jwk, { kty: 'AKP', use: 'enc', algs: [name] }, usages, extractable);
        if (jwk.alg !== name) fail('DataError', `The key's "alg" is not ${name}`);
        return (isPrivate ? privateKey : publicKey)(readJwk(jwk), extractable, usages);
      }
      if (!isPrivate) return publicKey(readPublic(data), extractable, usages);
      const seed = readSeed(data);
      expand(seed);
      return privateKey(seed, extractable, usages);
    },
    exportKey(format, key) {
      if (!formats.includes(format)) badFormat(format, name);
      if (format === 'raw-public') return copyOf(bytesOf(key, 'public')).buffer;
      if (format === 'raw-seed') return copyOf(bytesOf(key, 'private')).buffer;
      const own = key.bytes as Uint8Array;
      const isPrivate = key.type === 'private';
      const pub = toBase64Url(isPrivate ? publicOf(own) : own);
      return withUse({ kty: 'AKP', alg: name, pub, ...(isPrivate && { priv: toBase64Url(own) }) }, key);
    },
    encapsulate(key) {
      const receiver = bytesOf(key, 'public');
      const ofLattice = natives.cryptoEncapsulate(rawKey(lattice.name, 'public', latticePart(receiver)));
      const ephemeral = orFail(group.generate(), 'OperationError', 'No key could be encapsulated');
      const ofGroup = natives.cryptoAgree(ephemeral, group.fromPublic(groupPart(receiver)));
      const [ciphertext, secret] = orFail(ofLattice, 'OperationError', 'No key could be encapsulated');
      const sent = new Uint8Array(keyPart(ephemeral, 'public'));
      const agreed = orFail(ofGroup, 'OperationError', 'No key could be encapsulated');
      return [concat(new Uint8Array(ciphertext), sent).buffer, combine(secret, agreed, sent, groupPart(receiver))];
    },
    decapsulate(key, ciphertext) {
      const halves = expand(bytesOf(key, 'private'));
      const bytes = copyOf(ciphertext);
      if (bytes.length !== lattice.ciphertextSize + group.publicSize) {
        fail('OperationError', 'The ciphertext has the wrong length');
      }
      const sent = bytes.subarray(lattice.ciphertextSize);
      const secret = natives.cryptoDecapsulate(halves.lattice, bytes.subarray(0, lattice.ciphertextSize));
      let peer: KeyHandle;
      try {
        peer = group.fromPublic(sent);
      } catch {
        return fail('OperationError', 'The key could not be decapsulated');
      }
      return combine(
        orFail(secret, 'OperationError', 'The key could not be decapsulated'),
        orFail(natives.cryptoAgree(halves.group, peer), 'OperationError', 'The key could not be decapsulated'),
        sent,
        new Uint8Array(keyPart(halves.group, 'public')),
      );
    },
  };
}

const lattice768: Lattice = { name: 'ML-KEM-768', publicSize: 1184, ciphertextSize: 1088 };
const lattice1024: Lattice = { name: 'ML-KEM-1024', publicSize: 1568, ciphertextSize: 1568 };

export const hybridKems: Algorithms = {
  'MLKEM768-X25519': hybrid('MLKEM768-X25519', lattice768, x25519, bytesOfText('\\.//^\\')),
  'MLKEM768-P256': hybrid('MLKEM768-P256', lattice768, p256, bytesOfText('MLKEM768-P256')),
  'MLKEM1024-P384': hybrid('MLKEM1024-P384', lattice1024, p384, bytesOfText('MLKEM1024-P384')),
};
