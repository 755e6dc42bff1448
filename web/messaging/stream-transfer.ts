// Streams that are transferred go on through a message channel:
// https://streams.spec.whatwg.org/#transferrable-streams

import { addInternalListener } from '../dom/event-target.ts';
import type { MessageEvent } from '../html/message-event.ts';
import { streamClasses } from '../streams/streams.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import { createChannel, type MessagePort } from './message-port.ts';

type Kind = 'chunk' | 'pull' | 'close' | 'error';

interface Message {
  kind: Kind;
  value?: unknown;
}

interface ReadableController {
  enqueue(chunk: unknown): void;
  close(): void;
  error(reason: unknown): void;
}

interface WritableController {
  error(reason: unknown): void;
}

interface Pipeable {
  locked: boolean;
  pipeTo(target: object): Promise<void>;
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
function readableFrom(port: MessagePort): object {
  let wanted: (() => void) | null = null;
  const settle = (): void => {
    wanted?.();
    wanted = null;
  };
  return new (streamClasses().ReadableStream as new (source: object, strategy: object) => object)(
    {
      start(controller: ReadableController) {
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
      cancel(reason: unknown) {
        try {
          post(port, 'error', reason);
        } finally {
          port.close();
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** https://streams.spec.whatwg.org/#abstract-opdef-setupcrossrealmtransformwritable */
function writableTo(port: MessagePort): object {
  let pulled: () => void = () => {};
  let room = new Promise<void>((resolve) => {
    pulled = resolve;
  });
  return new (streamClasses().WritableStream as new (sink: object) => object)({
    start(controller: WritableController) {
      listen(port, ({ kind, value }) => {
        if (kind === 'error') controller.error(value);
        pulled();
      });
    },
    async write(chunk: unknown) {
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
    abort(reason: unknown) {
      try {
        post(port, 'error', reason);
      } finally {
        port.close();
      }
    },
  });
}

function requireUnlocked(stream: { locked: boolean }): void {
  if (stream.locked) throw new DOMException('A locked stream cannot be transferred', 'DataCloneError');
}

function pipe(from: Pipeable, to: object): void {
  from.pipeTo(to).catch(() => {});
}

export function transferReadable(stream: Pipeable): object {
  requireUnlocked(stream);
  const [here, there] = createChannel();
  pipe(stream, writableTo(here));
  return readableFrom(there);
}

export function transferWritable(stream: { locked: boolean }): object {
  requireUnlocked(stream);
  const [here, there] = createChannel();
  pipe(readableFrom(here) as Pipeable, stream);
  return writableTo(there);
}

export function transferTransform(stream: { readable: Pipeable; writable: { locked: boolean } }): object {
  requireUnlocked(stream.readable);
  requireUnlocked(stream.writable);
  const moved = new (streamClasses().TransformStream as unknown as new () => Record<string, unknown>)();
  // The library keeps the slots under these names.
  moved._readable = transferReadable(stream.readable);
  moved._writable = transferWritable(stream.writable);
  return moved;
}
