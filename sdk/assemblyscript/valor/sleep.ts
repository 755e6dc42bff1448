import * as host from './host';
import { Operation } from './operation';
import { instance } from './self';

/** Calls `then` at least `milliseconds` from now, also when the request has ended meanwhile. The result can be cancelled. */
export function sleep<T>(milliseconds: u64, context: T, then: (context: T) => void): Operation {
  const operation = new Sleep<T>(context, then);
  host.sleep(instance, milliseconds, operation.number);
  operation.wait();
  return operation;
}

class Sleep<T> extends Operation {
  constructor(
    readonly context: T,
    readonly then: (context: T) => void,
  ) {
    super();
  }

  completed(status: i32, data: usize, size: usize): void {
    this.then(this.context);
  }
}
