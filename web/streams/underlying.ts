// What plug-ins give to constructors of streams, as what streams work with:
// https://streams.spec.whatwg.org/#set-up-readable-stream-default-controller-from-underlying-source and its like
//
// Callbacks are called with the object that they are members of, and with the plug-in's object for the controller.

import type { ByteController } from './byte-controller.ts';
import type { DefaultController } from './default-controller.ts';
import type { SinkDictionary, SourceDictionary, TransformerDictionary } from './dictionaries.ts';
import { internal } from './interface.ts';
import type { Controller, Source } from './readable.ts';
import { ReadableByteStreamController, ReadableStreamDefaultController } from './readable-controllers.ts';
import type { TransformController, Transformer } from './transform.ts';
import { TransformStreamDefaultController } from './transform-stream.ts';
import type { Sink } from './writable.ts';
import type { WritableController } from './writable-controller.ts';
import { WritableStreamDefaultController } from './writable-stream.ts';

export class UserSource implements Source {
  readonly #source: object;
  readonly #callbacks: SourceDictionary;
  #object: object | null = null;

  constructor(source: object, callbacks: SourceDictionary) {
    this.#source = source;
    this.#callbacks = callbacks;
  }

  start(controller: Controller): unknown {
    const { start, type } = this.#callbacks;
    const object =
      type === 'bytes'
        ? new ReadableByteStreamController(internal, controller as ByteController)
        : new ReadableStreamDefaultController(internal, controller as DefaultController);
    this.#object = object;
    return start && Reflect.apply(start, this.#source, [object]);
  }

  pull(): unknown {
    const { pull } = this.#callbacks;
    return pull && Reflect.apply(pull, this.#source, [this.#object]);
  }

  cancel(reason: unknown): unknown {
    const { cancel } = this.#callbacks;
    return cancel && Reflect.apply(cancel, this.#source, [reason]);
  }
}

export class UserSink implements Sink {
  readonly #sink: object;
  readonly #callbacks: SinkDictionary;
  #object: object | null = null;

  constructor(sink: object, callbacks: SinkDictionary) {
    this.#sink = sink;
    this.#callbacks = callbacks;
  }

  start(controller: WritableController): unknown {
    const { start } = this.#callbacks;
    const object = new WritableStreamDefaultController(internal, controller);
    this.#object = object;
    return start && Reflect.apply(start, this.#sink, [object]);
  }

  write(chunk: unknown): unknown {
    const { write } = this.#callbacks;
    return write && Reflect.apply(write, this.#sink, [chunk, this.#object]);
  }

  close(): unknown {
    const { close } = this.#callbacks;
    return close && Reflect.apply(close, this.#sink, []);
  }

  abort(reason: unknown): unknown {
    const { abort } = this.#callbacks;
    return abort && Reflect.apply(abort, this.#sink, [reason]);
  }
}

export class UserTransformer implements Transformer {
  readonly #transformer: object;
  readonly #callbacks: TransformerDictionary;
  #object: object | null = null;

  constructor(transformer: object, callbacks: TransformerDictionary) {
    this.#transformer = transformer;
    this.#callbacks = callbacks;
  }

  start(controller: TransformController): unknown {
    const { start } = this.#callbacks;
    const object = new TransformStreamDefaultController(internal, controller);
    this.#object = object;
    return start && Reflect.apply(start, this.#transformer, [object]);
  }

  transform(chunk: unknown, controller: TransformController): unknown {
    const { transform } = this.#callbacks;
    if (transform !== undefined) return Reflect.apply(transform, this.#transformer, [chunk, this.#object]);
    controller.enqueue(chunk);
    return undefined;
  }

  flush(): unknown {
    const { flush } = this.#callbacks;
    return flush && Reflect.apply(flush, this.#transformer, [this.#object]);
  }

  cancel(reason: unknown): unknown {
    const { cancel } = this.#callbacks;
    return cancel && Reflect.apply(cancel, this.#transformer, [reason]);
  }
}
