// What waits. The language has no async functions and no closures, so whoever waits passes a function and a value that the
// function gets back.
import * as host from './host';
import { Result } from './constants';
import { instance } from './self';

/** Something that the host completes later, under the object's address as its number. */
export abstract class Operation {
  private waiting: bool = false;

  /** The number that the host is given. */
  get number(): u64 {
    return changetype<usize>(this) as u64;
  }

  /** Keeps the object until the host completes it. */
  wait(): void {
    this.waiting = true;
    __pin(changetype<usize>(this));
  }

  /** Forgets it: its function is not called. */
  cancel(): void {
    if (!this.waiting) return;
    host.cancel(instance, this.number);
    this.release();
  }

  release(): void {
    this.waiting = false;
    __unpin(changetype<usize>(this));
  }

  /** `data` is valid during the call. */
  abstract completed(status: i32, data: usize, size: usize): void;
}

/** An operation whose end is of no interest. */
export class Unobserved extends Operation {
  completed(status: i32, data: usize, size: usize): void {}
}

export function complete(operation: u64, status: i32, data: usize, size: usize): void {
  const object = changetype<Operation>(operation as usize);
  object.release();
  object.completed(status, data, size);
}

// What could go on at once goes on when the running function has returned, so that a loop over a body that is there already
// takes no stack.
const ready = new Array<Operation>();
let draining = false;

/** Completes `operation` with OK after the running function. */
export function soon(operation: Operation): void {
  ready.push(operation);
}

/** The end of every call by the host. */
export function drain(): void {
  if (draining) return;
  draining = true;
  for (let i = 0; i < ready.length; i++) {
    // Long loops must not make the list grow.
    if (i >= 64) {
      ready.splice(0, i);
      i = 0;
    }
    unchecked(ready[i]).completed(Result.OK, 0, 0);
  }
  ready.length = 0;
  draining = false;
}
