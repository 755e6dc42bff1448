// What plug-ins see of controllers: https://streams.spec.whatwg.org/#rs-default-controller-class-definition,
// #rbs-controller-class-definition and #rs-byob-request-class-definition

import { bufferOf, byteLengthOf } from '../webidl/buffer-source.ts';
import { requireArguments } from '../webidl/conversions.ts';
import { arrayBufferView, integer } from '../webidl/types.ts';
import type { ByteController } from './byte-controller.ts';
import type { Bytes } from './byte-queue.ts';
import type { DefaultController } from './default-controller.ts';
import { internal, requireInternal } from './interface.ts';

const count = integer(64, false, 'enforceRange');

export class ReadableStreamDefaultController {
  #controller: DefaultController;

  constructor(token: unknown, controller: DefaultController) {
    requireInternal(token);
    this.#controller = controller;
  }

  get desiredSize(): number | null {
    return this.#controller.desiredSize;
  }

  close(): void {
    const controller = this.#controller;
    if (!controller.canEnqueue) throw new TypeError('The stream is closed, errored, or about to be closed');
    controller.close();
  }

  enqueue(chunk?: unknown): void {
    const controller = this.#controller;
    if (!controller.canEnqueue) throw new TypeError('The stream is closed, errored, or about to be closed');
    controller.enqueue(chunk);
  }

  error(reason?: unknown): void {
    this.#controller.error(reason);
  }
}

let drop: (request: ReadableStreamBYOBRequest) => void;

export class ReadableStreamBYOBRequest {
  #controller: ByteController | null;
  #view: Bytes | null;

  constructor(token: unknown, controller: ByteController) {
    requireInternal(token);
    this.#controller = controller;
    this.#view = controller.requestView;
  }

  get view(): Bytes | null {
    return this.#view;
  }

  respond(bytesWritten: number): void {
    const controller = this.#controller;
    // biome-ignore lint/complexity/noArguments: Web IDL counts the arguments that were passed
    requireArguments(arguments.length, 1, "Failed to execute 'respond' on 'ReadableStreamBYOBRequest'");
    const written = count.convert(bytesWritten, 'bytesWritten') as number;
    if (controller === null || this.#view === null) throw new TypeError('The request has been answered');
    if (this.#view.buffer.detached) throw new TypeError('The memory of the request was given away');
    controller.respond(written);
  }

  respondWithNewView(view: ArrayBufferView): void {
    const controller = this.#controller;
    arrayBufferView.convert(view, "Failed to execute 'respondWithNewView' on 'ReadableStreamBYOBRequest': parameter 1");
    if (controller === null) throw new TypeError('The request has been answered');
    if ((bufferOf(view) as ArrayBuffer).detached) throw new TypeError('The memory of the view was given away');
    controller.respondWithNewView(view);
  }

  static {
    drop = (request) => {
      request.#controller = null;
      request.#view = null;
    };
  }
}

export class ReadableByteStreamController {
  #controller: ByteController;
  #request: ReadableStreamBYOBRequest | null = null;

  constructor(token: unknown, controller: ByteController) {
    requireInternal(token);
    this.#controller = controller;
  }

  get byobRequest(): ReadableStreamBYOBRequest | null {
    const controller = this.#controller;
    if (this.#request !== null || controller.request === undefined) return this.#request;
    const request = new ReadableStreamBYOBRequest(internal, controller);
    this.#request = request;
    controller.requestDropped = () => {
      drop(request);
      this.#request = null;
    };
    return request;
  }

  get desiredSize(): number | null {
    return this.#controller.desiredSize;
  }

  close(): void {
    const controller = this.#controller;
    if (!controller.canEnqueue) throw new TypeError('The stream is closed, errored, or about to be closed');
    controller.close();
  }

  enqueue(chunk: ArrayBufferView): void {
    const controller = this.#controller;
    arrayBufferView.convert(chunk, "Failed to execute 'enqueue' on 'ReadableByteStreamController': parameter 1");
    if (byteLengthOf(chunk) === 0 || byteLengthOf(bufferOf(chunk) as ArrayBuffer) === 0) {
      throw new TypeError('The chunk is empty, or its memory was given away');
    }
    if (!controller.canEnqueue) throw new TypeError('The stream is closed, errored, or about to be closed');
    controller.enqueue(chunk);
  }

  error(reason?: unknown): void {
    this.#controller.error(reason);
  }
}
