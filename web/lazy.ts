// Parts of the platform that most plug-ins never use: web/lazy/NAME.ts. Each is loaded once, when it is first needed.

import { sharedModules } from './lazy/shared.ts';
import { natives } from './natives.ts';
// Parts make interfaces with it; it belongs to the snapshot so that they share one.
import './webidl/bind.ts';
import { defineLazyInterface } from './webidl/define.ts';

const loaded = new Map<string, object>();

/** The exports of a part. Not while the snapshot is built. */
export function loadPart<T extends object>(name: string): T {
  let part = loaded.get(name);
  if (!part) {
    part = (natives.loadLazy(name) as (shared: object) => object)(sharedModules());
    loaded.set(name, part);
  }
  return part as T;
}

/** Whether anything needed the part so far. */
export function isLoaded(name: string): boolean {
  return loaded.has(name);
}

/** Interfaces that a part exports under their names. */
export function defineLazyInterfaces(global: object, part: string, names: readonly string[]): void {
  for (const name of names) {
    defineLazyInterface(global, name, () => (loadPart(part) as Record<string, unknown>)[name]);
  }
}
