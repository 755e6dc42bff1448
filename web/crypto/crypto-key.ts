// https://w3c.github.io/webcrypto/#cryptokey-interface

import { natives } from '../natives.ts';
import { defineInterface } from '../webidl/define.ts';
import type { KeyHandle } from './natives.ts';

export type KeyType = 'public' | 'private' | 'secret';

export interface KeyAlgorithm {
  name: string;
  hash?: { name: string };
  length?: number;
  namedCurve?: string;
  modulusLength?: number;
  publicExponent?: Uint8Array;
}

export interface KeySlots {
  type: KeyType;
  extractable: boolean;
  algorithm: KeyAlgorithm;
  usages: string[];
  /** Of a secret key. */
  secret?: Uint8Array;
  /** Of a public or private key. */
  handle?: KeyHandle;
  /** Of a key of two kinds (hybrid-kem.ts): its public bytes, or the seed of a private one. */
  bytes?: Uint8Array;
}

let readSlots: (key: CryptoKey) => KeySlots;
let isKey: (value: object) => boolean;
let permission: KeySlots | null = null;

export class CryptoKey {
  #slots: KeySlots;
  // What the attributes show: plug-in code may change these objects, which changes nothing about the key.
  #shownAlgorithm: object | null = null;
  #shownUsages: string[] | null = null;

  constructor() {
    if (permission === null) throw new TypeError('Illegal constructor');
    this.#slots = permission;
    permission = null;
  }

  get type(): KeyType {
    return this.#slots.type;
  }

  get extractable(): boolean {
    return this.#slots.extractable;
  }

  get algorithm(): object {
    if (this.#shownAlgorithm === null) {
      const { hash, publicExponent, ...rest } = this.#slots.algorithm;
      this.#shownAlgorithm = {
        ...rest,
        ...(publicExponent && { publicExponent: new Uint8Array(publicExponent) }),
        ...(hash && { hash: { ...hash } }),
      };
    }
    return this.#shownAlgorithm;
  }

  get usages(): object {
    this.#shownUsages ??= [...this.#slots.usages];
    return this.#shownUsages;
  }

  static {
    readSlots = (key) => key.#slots;
    isKey = (value) => #slots in value;
  }
}

export function isCryptoKey(value: unknown): value is CryptoKey {
  return typeof value === 'object' && value !== null && isKey(value);
}

export function slotsOf(key: CryptoKey): KeySlots {
  return readSlots(key);
}

export function createKey(slots: KeySlots): CryptoKey {
  permission = slots;
  return new CryptoKey();
}

export function installCryptoKey(global: object): void {
  defineInterface(global, CryptoKey, 'CryptoKey');
  // A copy shares the key itself, which never changes: https://w3c.github.io/webcrypto/#cryptokey-interface-clone
  natives.markPlatformPrototype(
    CryptoKey.prototype,
    (key: object) => (isCryptoKey(key) ? createKey({ ...slotsOf(key) }) : undefined),
    undefined,
    (key: object) => {
      if (!isCryptoKey(key)) return undefined;
      const { handle, ...slots } = slotsOf(key);
      // A secret key has none, and must not get one from a prototype that the plug-in has changed.
      return Object.hasOwn(slotsOf(key), 'handle') ? ['CryptoKey', slots, handle as object] : ['CryptoKey', slots];
    },
  );
}
