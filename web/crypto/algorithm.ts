// What an algorithm is to the operations of subtle.ts: https://w3c.github.io/webcrypto/#algorithms

import type { CryptoKey, KeySlots } from './crypto-key.ts';
import type { JsonWebKey } from './jwk.ts';
import type { Bytes } from './natives.ts';

export type Operation =
  | 'digest'
  | 'generateKey'
  | 'importKey'
  | 'exportKey'
  | 'sign'
  | 'verify'
  | 'encrypt'
  | 'decrypt'
  | 'wrapKey'
  | 'unwrapKey'
  | 'deriveBits'
  | 'get key length'
  | 'encapsulate'
  | 'decapsulate';

/** A normalized algorithm: `name`, and the members of the dictionary of its operation. */
export interface Params {
  name: string;
  hash: Params;
  length?: number;
  namedCurve: string;
  modulusLength: number;
  publicExponent: Uint8Array;
  public: CryptoKey;
  saltLength: number;
  outputLength: number;
  iterations: number;
  parallelism: number;
  memory: number;
  passes: number;
  version?: number;
  tagLength?: number;
  domainSeparation?: number;
  iv: Bytes;
  counter: Bytes;
  salt: Bytes;
  info: Bytes;
  nonce: Bytes;
  additionalData?: Bytes;
  associatedData?: Bytes;
  secretValue?: Bytes;
  label?: Bytes;
  context?: Bytes;
  customization?: Bytes;
  functionName?: Bytes;
}

export type KeyFormat = 'raw' | 'raw-public' | 'raw-private' | 'raw-seed' | 'raw-secret' | 'spki' | 'pkcs8' | 'jwk';

/** `data` is a JSON Web Key when the format is jwk, else bytes. */
export interface KeyImport {
  format: KeyFormat;
  data: Bytes;
  jwk: JsonWebKey;
  extractable: boolean;
  usages: string[];
}

export interface KeyPair {
  publicKey: KeySlots;
  privateKey: KeySlots;
}

export interface Algorithm {
  /** The operations that it has, each with the dictionary of its parameters (normalize.ts), "" for none. */
  takes: Partial<Record<Operation, string>>;
  /** Of public keys, in algorithms with pairs. */
  publicUsages?: string[];
  digest?(params: Params, data: Bytes): ArrayBuffer;
  generateKey?(params: Params, extractable: boolean, usages: string[]): KeySlots | KeyPair;
  importKey?(params: Params, given: KeyImport): KeySlots;
  exportKey?(format: KeyFormat, key: KeySlots): ArrayBuffer | JsonWebKey;
  sign?(params: Params, key: KeySlots, data: Bytes): ArrayBuffer;
  verify?(params: Params, key: KeySlots, signature: Bytes, data: Bytes): boolean;
  encrypt?(params: Params, key: KeySlots, data: Bytes): ArrayBuffer;
  decrypt?(params: Params, key: KeySlots, data: Bytes): ArrayBuffer;
  wrapKey?(params: Params, key: KeySlots, data: Bytes): ArrayBuffer;
  unwrapKey?(params: Params, key: KeySlots, data: Bytes): ArrayBuffer;
  deriveBits?(params: Params, key: KeySlots, length: number | null): ArrayBuffer;
  /** Throws where the length cannot be derived. */
  checkDerivedLength?(params: Params, length: number | null): void;
  getKeyLength?(params: Params): number | null;
  /** The public key of a private one, where sharing its handle is not all. */
  publicOf?(key: KeySlots, usages: string[]): KeySlots;
  encapsulate?(key: KeySlots): [ciphertext: ArrayBuffer, secret: ArrayBuffer];
  decapsulate?(key: KeySlots, ciphertext: Bytes): ArrayBuffer;
}

export type Algorithms = Record<string, Algorithm>;
