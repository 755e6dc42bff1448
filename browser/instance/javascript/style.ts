// How a script wants its requests: as message events, as fetch events, or as calls of its module's fetch function.
import type { InstanceRequest } from '../instance.ts';

export interface Style {
  handle(request: InstanceRequest): void;
  drop(id: number, reason: 'gone' | 'timeout'): void;
  /** The only request that an error which nobody caught can belong to; 0: none, or it cannot be told. */
  suspect(): number;
  /** The request was failed from outside. */
  failed(id: number): void;
  end(): void;
}

/** What a style uses of its plug-in. */
export interface StyleHost {
  /** Reports an error that nobody caught: it is logged, and ends the request. 0: of none that is known. */
  uncaught(error: unknown, how: 'thrown' | 'rejected', id: number): void;
}

export function dropReason(reason: 'gone' | 'timeout'): DOMException {
  return reason === 'timeout'
    ? new DOMException('The plug-in did not answer in time', 'TimeoutError')
    : new DOMException('The client left', 'AbortError');
}
