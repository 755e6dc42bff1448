// What the interfaces of streams have in common.

import { rejected } from './reactions.ts';

/** Who has it may construct what plug-ins cannot, or not in that way. */
export const internal = Symbol('internal');

export function requireInternal(token: unknown): void {
  if (token !== internal) throw new TypeError('Illegal constructor');
}

/** What an operation gives that returns promises, and was called on another object. */
export function illegalInvocation(name: string): Promise<never> {
  return rejected(new TypeError(`Illegal invocation: this is not of type '${name}'`));
}

/** The arguments of operations that return promises are converted by this; what it throws rejects. */
export function rejecting<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run();
  } catch (error) {
    return rejected(error);
  }
}
