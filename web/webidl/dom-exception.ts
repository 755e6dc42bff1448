// https://webidl.spec.whatwg.org/#idl-DOMException

import { natives } from '../natives.ts';
import { toDOMString } from './conversions.ts';
import { type Constructor, defineConstants, defineInterface } from './define.ts';

export interface DOMException extends Error {
  readonly code: number;
}

interface DOMExceptionConstructor {
  new (message?: string, name?: string): DOMException;
  readonly prototype: DOMException;
}

interface Slots {
  name: string;
  message: string;
}

/** All that a copy needs. */
export interface ErrorParts extends Slots {
  stack: unknown;
}

// https://webidl.spec.whatwg.org/#dfn-error-names-table
const legacyCodes: Record<string, number> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  WrongDocumentError: 4,
  InvalidCharacterError: 5,
  NoModificationAllowedError: 7,
  NotFoundError: 8,
  NotSupportedError: 9,
  InUseAttributeError: 10,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidModificationError: 13,
  NamespaceError: 14,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  InvalidNodeTypeError: 24,
  DataCloneError: 25,
};

const constants: Record<string, number> = {
  INDEX_SIZE_ERR: 1,
  DOMSTRING_SIZE_ERR: 2,
  HIERARCHY_REQUEST_ERR: 3,
  WRONG_DOCUMENT_ERR: 4,
  INVALID_CHARACTER_ERR: 5,
  NO_DATA_ALLOWED_ERR: 6,
  NO_MODIFICATION_ALLOWED_ERR: 7,
  NOT_FOUND_ERR: 8,
  NOT_SUPPORTED_ERR: 9,
  INUSE_ATTRIBUTE_ERR: 10,
  INVALID_STATE_ERR: 11,
  SYNTAX_ERR: 12,
  INVALID_MODIFICATION_ERR: 13,
  NAMESPACE_ERR: 14,
  INVALID_ACCESS_ERR: 15,
  VALIDATION_ERR: 16,
  TYPE_MISMATCH_ERR: 17,
  SECURITY_ERR: 18,
  NETWORK_ERR: 19,
  ABORT_ERR: 20,
  URL_MISMATCH_ERR: 21,
  QUOTA_EXCEEDED_ERR: 22,
  TIMEOUT_ERR: 23,
  INVALID_NODE_TYPE_ERR: 24,
  DATA_CLONE_ERR: 25,
};

const slots = new WeakMap<object, Slots>();

function slotsOf(value: object): Slots {
  const found = slots.get(value);
  if (!found) throw new TypeError('Illegal invocation');
  return found;
}

// Not a class: instances must be real errors (with a stack, and Error.isError true), while the constructor itself must
// not inherit from Error.
function construct(this: unknown, message: unknown = '', name: unknown = 'Error'): object {
  if (new.target === undefined) throw new TypeError("Constructor DOMException requires 'new'");
  const own: Slots = { message: toDOMString(message), name: toDOMString(name) };
  // V8 puts the message that Error was given into the stack. As a property it must be the prototype's accessor.
  const error: object = Reflect.construct(Error, [own.message], new.target);
  Reflect.deleteProperty(error, 'message');
  slots.set(error, own);
  return error;
}

export const DOMException = construct as unknown as DOMExceptionConstructor;

const accessors = {
  get name(): string {
    return slotsOf(this).name;
  },
  get message(): string {
    return slotsOf(this).message;
  },
  get code(): number {
    return legacyCodes[slotsOf(this).name] ?? 0;
  },
};

export function unpackDOMException({ message, name, stack }: ErrorParts): DOMException {
  const copy = new DOMException(message, name);
  Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true });
  return copy;
}

export function isDOMException(value: unknown): value is DOMException {
  return typeof value === 'object' && value !== null && slots.has(value);
}

export function installDOMException(global: object): void {
  const prototype = Object.create(Error.prototype, {
    ...Object.getOwnPropertyDescriptors(accessors),
    constructor: { value: DOMException, writable: true, configurable: true },
  });
  Object.defineProperty(DOMException, 'prototype', { value: prototype, writable: false });
  Object.defineProperty(DOMException, 'length', { value: 0, configurable: true });
  defineInterface(global, DOMException as unknown as Constructor, 'DOMException');
  // https://webidl.spec.whatwg.org/#idl-DOMException, serializable
  const parts = (error: object): ErrorParts | undefined => {
    const own = slots.get(error);
    return own && { ...own, stack: (error as Error).stack };
  };
  natives.markPlatformPrototype(
    prototype,
    (error: object) => {
      const own = parts(error);
      return own && unpackDOMException(own);
    },
    undefined,
    (error: object) => {
      const own = parts(error);
      return own && ['DOMException', own];
    },
  );
  defineConstants(DOMException as unknown as Constructor, constants);
}
