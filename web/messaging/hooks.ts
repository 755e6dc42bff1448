// What C++ calls when another instance has posted to a BroadcastChannel. That there is one has loaded the part.

import { loadPart } from '../lazy.ts';

type Part = typeof import('../lazy/messaging.ts');

export function onBroadcast(name: string, message: unknown, intact: boolean): void {
  loadPart<Part>('messaging').receiveBroadcast(name, message, intact);
}

export function unpackPlatformObject(kind: string, data: unknown, key: unknown): object {
  return loadPart<Part>('messaging').unpackPlatformObject(kind, data, key);
}
