// Streams that are transferred go on through a message channel:
// https://streams.spec.whatwg.org/#transferrable-streams

import { addInternalListener } from '../dom/event-target.ts';
import type { MessageEvent } from '../html/message-event.ts';
import type { DefaultController } from '../streams/default-controller.ts';
import type { ReadableStream } from '../streams/readable-stream.ts';
import { streams } from '../streams/streams.ts';
import type { TransformStream } from '../streams/transform-stream.ts';
import type { WritableController } from '../streams/writable-controller.ts';
import type { WritableStream } from '../streams/writable-stream.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import { createChannel, type MessagePort } from './message-port.ts';

type Kind = 'chunk' | 'pull' | 'close' | 'error';

interface Message {
  kind: Kind;
  value?: unknown;
}

function listen(port: MessagePort, handle: (message: Message) => void): void {
  addInternalListener(port, 'message', (event) => handle((event as MessageEvent).data as Message));
  port.start();
}

/** https://streams.spec.whatwg.org/#abstract-opdef-packandpostmessagehandlingerror */
function post(port: MessagePort, kind: Kind, value?: unknown): void {
  try {
    port.postMessage({ kind, value }, undefined);
  } catch (error) {
    port.postMessage({ kind: 'error', value: error }, undefined);
    throw error;
  }
}

/** https://streams.spec.whatwg.org/#abstract-opdef-setupcrossrealmtransformreadable */
function readableFrom(port: MessagePort): ReadableStream {
  let wanted: (() => void) | null = null;
  const settle = (): void => {
    wanted?.();
    wanted = null;
  };
  return streams().createStream({
    start(started) {
      const controller = started as DefaultController;
      listen(port, ({ kind, value }) => {
        if (kind === 'chunk') controller.enqueue(value);
        if (kind === 'close') controller.close();
        if (kind === 'error') controller.error(value);
        if (kind === 'close' || kind === 'error') port.close();
        settle();
      });
    },
    pull() {
      post(port, 'pull');
      return new Promise<void>((resolve) => {
        wanted = resolve;
      });
    },
    cancel(reason) {
      try {
        post(port, 'error', reason);
      } finally {
        port.close();
      }
    },
  });
}

/** https://streams.spec.whatwg.org/#abstract-opdef-setupcrossrealmtransformwritable */
function writableTo(port: MessagePort): WritableStream {
  let pulled: () => void = () => {};
  let room = new Promise<void>((resolve) => {
    pulled = resolve;
  });
  return streams().createSinkStream({
    start(controller: WritableController) {
      listen(port, ({ kind, value }) => {
        if (kind === 'error') controller.errorIfNeeded(value);
        pulled();
      });
    },
    async write(chunk) {
      await room;
      room = new Promise((resolve) => {
        pulled = resolve;
      });
      try {
        post(port, 'chunk', chunk);
      } catch (error) {
        port.close();
        throw error;
      }
    },
    close() {
      post(port, 'close');
      port.close();
    },
    abort(reason) {
      try {
        post(port, 'error', reason);
      } finally {
        port.close();
      }
    },
  });
}

function requireUnlocked(locked: boolean): void {
  if (locked) throw new DOMException('A locked stream cannot be transferred', 'DataCloneError');
}

export function transferReadable(stream: ReadableStream): ReadableStream {
  requireUnlocked(streams().isLocked(stream));
  const [here, there] = createChannel();
  streams().pipeStream(stream, writableTo(here));
  return readableFrom(there);
}

export function transferWritable(stream: WritableStream): WritableStream {
  requireUnlocked(streams().isLockedWritable(stream));
  const [here, there] = createChannel();
  streams().pipeStream(readableFrom(here), stream);
  return writableTo(there);
}

export function transferTransform(stream: TransformStream): TransformStream {
  const { readable, writable } = streams().sidesOfTransform(stream);
  requireUnlocked(streams().isLocked(readable));
  requireUnlocked(streams().isLockedWritable(writable));
  return streams().createTransformStream({
    readable: transferReadable(readable),
    writable: transferWritable(writable),
  });
}
