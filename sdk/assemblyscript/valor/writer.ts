import * as host from './host';
import { Result } from './constants';
import { Operation, soon } from './operation';
import { Request } from './request';
import { instance } from './self';
import { toUtf8 } from './text';

/** The body of an answer, sent piece by piece: Request.stream(). */
export class Writer {
  constructor(private readonly request: Request) {}

  /**
   * Sends bytes, which are taken at once, and calls `then` when the client is ready for more. When the client is gone it is
   * not called: see Request.onGone().
   */
  write<T>(bytes: Uint8Array, context: T, then: (context: T) => void): void {
    const operation = new Written<T>(context, then);
    const result = host.send_body(instance, this.request.number, bytes.dataStart, bytes.length, operation.number);
    if (result == Result.WAIT) operation.wait();
    else if (result == Result.OK) soon(operation);
  }

  writeText<T>(text: string, context: T, then: (context: T) => void): void {
    this.write<T>(Uint8Array.wrap(toUtf8(text)), context, then);
  }

  end(): void {
    host.send_end(instance, this.request.number);
    this.request.ended();
  }
}

class Written<T> extends Operation {
  constructor(
    readonly context: T,
    readonly then: (context: T) => void,
  ) {
    super();
  }

  completed(status: i32, data: usize, size: usize): void {
    if (status == Result.OK) this.then(this.context);
  }
}
