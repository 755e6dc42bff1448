// https://w3c.github.io/webcrypto/#crypto-interface
//
// The snapshot holds the interfaces only. What `subtle` does is loaded when a plug-in first uses it.
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { loadPart } from '../lazy.ts';
import { natives } from '../natives.ts';
import { byteLengthOf, typedArrayName } from '../webidl/buffer-source.ts';
import { requireArguments } from '../webidl/conversions.ts';
import { type Constructor, defineInterface, defineReadonly } from '../webidl/define.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import { createKey, installCryptoKey, isCryptoKey, slotsOf } from './crypto-key.ts';
import type { Platform } from './platform.ts';

/** The operations that web/lazy/crypto.ts brings. */
export interface Implementation {
  call(operation: string, args: unknown[]): unknown;
  supports(operation: unknown, algorithm: unknown, rest: unknown): boolean;
}

let implementation: Implementation | null = null;

function load(): Implementation {
  if (implementation === null) {
    const { create } = loadPart<{ create(platform: Platform): Implementation }>('crypto');
    implementation = create({
      natives,
      error: (message, name) => new DOMException(message, name),
      createKey,
      isCryptoKey,
      slotsOf,
    });
  }
  return implementation;
}

let permitted = true;

class Permitted {
  constructor() {
    if (!permitted) throw new TypeError('Illegal constructor');
  }
}

/** How many arguments each operation requires. */
const operations = {
  encrypt: 3,
  decrypt: 3,
  sign: 3,
  verify: 4,
  digest: 2,
  generateKey: 3,
  deriveKey: 5,
  deriveBits: 2,
  importKey: 5,
  exportKey: 2,
  wrapKey: 4,
  unwrapKey: 7,
  encapsulateKey: 5,
  encapsulateBits: 2,
  decapsulateKey: 6,
  decapsulateBits: 3,
  getPublicKey: 2,
};

class SubtleCrypto {
  #brand = true;

  constructor() {
    new Permitted();
  }

  static supports(operation: unknown, algorithm: unknown, rest: unknown = null): boolean {
    requireArguments(arguments.length, 2, 'supports');
    return load().supports(operation, algorithm, rest);
  }

  static {
    for (const [name, required] of Object.entries(operations)) {
      const operation = {
        async [name](this: unknown, ...args: unknown[]): Promise<unknown> {
          if (typeof this !== 'object' || this === null || !(#brand in this)) throw new TypeError('Illegal invocation');
          requireArguments(args.length, required, name);
          return load().call(name, args);
        },
      }[name];
      Object.defineProperty(SubtleCrypto.prototype, name, { value: operation, writable: true, configurable: true });
    }
  }
}

const subtle = new SubtleCrypto();

// https://w3c.github.io/webcrypto/#Crypto-method-getRandomValues
const largestRandom = 65536;
const integerArrays = new Set([
  ...['Int8Array', 'Int16Array', 'Int32Array', 'BigInt64Array'],
  ...['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'BigUint64Array'],
]);
const { isView } = ArrayBuffer;

// Identifiers are made from random bytes that are fetched for many at once.
const pool = new Uint8Array(16 * 64);
let taken = pool.length;

class Crypto {
  #brand = true;

  constructor() {
    new Permitted();
  }

  get subtle(): SubtleCrypto {
    this.#brand;
    return subtle;
  }

  getRandomValues(array: ArrayBufferView): ArrayBufferView {
    this.#brand;
    requireArguments(arguments.length, 1, 'getRandomValues');
    if (!isView(array)) throw new TypeError('The argument is no ArrayBufferView');
    const kind = typedArrayName(array);
    if (kind === undefined || !integerArrays.has(kind)) {
      throw new DOMException(`${kind ?? 'DataView'} is no array of integers`, 'TypeMismatchError');
    }
    const size = byteLengthOf(array);
    if (size > largestRandom) {
      throw new DOMException(`${size} bytes are more than ${largestRandom}`, 'QuotaExceededError');
    }
    if (!natives.cryptoFillRandom(array)) throw new DOMException('No random bytes', 'OperationError');
    return array;
  }

  randomUUID(): string {
    this.#brand;
    if (taken === pool.length) {
      if (!natives.cryptoFillRandom(pool)) throw new DOMException('No random bytes', 'OperationError');
      taken = 0;
    }
    const bytes = pool.subarray(taken, taken + 16);
    taken += 16;
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const text = bytes.toHex();
    bytes.fill(0);
    const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
    return parts.join('-');
  }
}

const crypto = new Crypto();
permitted = false;

export function installCrypto(global: object): void {
  defineInterface(global, Crypto, 'Crypto', { getRandomValues: 1, randomUUID: 0 });
  defineInterface(global, SubtleCrypto as Constructor, 'SubtleCrypto', { supports: 2, ...operations });
  installCryptoKey(global);
  defineReadonly(global, 'crypto', () => crypto);
}
