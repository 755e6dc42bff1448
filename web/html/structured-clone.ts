// https://html.spec.whatwg.org/multipage/structured-data.html#dom-structuredclone
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { natives } from '../natives.ts';
import { requireArguments, toDictionary, toSequence } from '../webidl/conversions.ts';
import { defineOperation } from '../webidl/define.ts';
import { DOMException } from '../webidl/dom-exception.ts';

export interface StructuredSerializeOptions {
  transfer?: Iterable<unknown>;
}

const nothing: unknown[] = [];

export function structuredClone(value: unknown, options?: StructuredSerializeOptions | null): unknown {
  requireArguments(arguments.length, 1, 'structuredClone');
  return cloneWith(value, toDictionary(options, 'The options').transfer);
}

/** What is thrown where a value cannot be cloned. */
export function cloneError(message: string): DOMException {
  return new DOMException(message, 'DataCloneError');
}

/** Clones a value and moves what `transfer` lists; throws a DataCloneError where that is impossible. */
export function cloneWith(value: unknown, transfer: Iterable<unknown> | undefined): unknown {
  return cloneAndTransfer(value, transfer)[0];
}

/** The same, together with what has become of the platform objects in the list. */
export function cloneAndTransfer(value: unknown, transfer: Iterable<unknown> | undefined): [unknown, object[]] {
  const list = transfer === undefined ? nothing : toSequence(transfer, "'transfer'");
  return natives.structuredClone(value, list, cloneError);
}

export function installStructuredClone(global: object): void {
  Object.defineProperty(structuredClone, 'length', { value: 1 });
  defineOperation(global, 'structuredClone', structuredClone);
}
