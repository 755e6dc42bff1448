// What the lazy bundle is given by the snapshot: a bundle has modules of its own, and two DOMException classes would be
// one too many.

import type { CryptoKey, KeySlots } from './crypto-key.ts';
import type { CryptoNatives } from './natives.ts';

export interface Platform {
  natives: CryptoNatives;
  error(message: string, name: string): object;
  createKey(slots: KeySlots): CryptoKey;
  isCryptoKey(value: unknown): value is CryptoKey;
  slotsOf(key: CryptoKey): KeySlots;
}

export let platform: Platform;
export let natives: CryptoNatives;

export function usePlatform(given: Platform): void {
  platform = given;
  natives = given.natives;
}

type ErrorName =
  | 'OperationError'
  | 'DataError'
  | 'NotSupportedError'
  | 'InvalidAccessError'
  | 'SyntaxError'
  | 'DataCloneError';

export function fail(name: ErrorName, message: string): never {
  throw platform.error(message, name);
}

/** For natives: undefined means that OpenSSL refused. */
export function orFail<T>(value: T | undefined, name: ErrorName, message: string): T {
  return value === undefined ? fail(name, message) : value;
}

/** Given to natives that run for long: V8 ends a plug-in where JavaScript runs. */
export function checkpoint(): void {}
