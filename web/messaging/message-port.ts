// https://html.spec.whatwg.org/multipage/web-messaging.html#message-channels
// Both ends of a channel are in one instance, so a message is copied when it is posted.

import * as idl from 'valor-idl';
import { Event, trusted } from '../dom/event.ts';
import { dispatch, EventTarget } from '../dom/event-target.ts';
import { MessageEvent } from '../html/message-event.ts';
import { cloneAndTransfer, type StructuredSerializeOptions } from '../html/structured-clone.ts';
import { runAfter } from '../html/timers.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';

interface Message {
  data: unknown;
  ports: readonly MessagePort[];
}

/** What a port stands for; it goes on in another object when the port is transferred. */
interface End {
  port: MessagePort | null;
  other: End | null;
  started: boolean;
  queue: Message[];
}

export let isMessagePort: (value: unknown) => value is MessagePort;
let setEnd: (port: MessagePort, end: End | null) => void;
let endOf: (port: MessagePort) => End | null;

function deliver(end: End): void {
  runAfter(0, () => {
    if (!end.started || end.port === null) return;
    const message = end.queue.shift();
    if (message) dispatch(end.port, trusted(new MessageEvent('message', message as never)));
  });
}

function start(end: End): void {
  if (end.started) return;
  end.started = true;
  for (let count = end.queue.length; count > 0; count--) deliver(end);
}

export class MessagePort extends EventTarget {
  #end: End | null = null;

  postMessage(message: unknown, options: StructuredSerializeOptions | readonly unknown[] | undefined): void {
    const transfer = Array.isArray(options)
      ? (options as unknown[])
      : ((options as StructuredSerializeOptions | undefined)?.transfer ?? []);
    const list = [...transfer];
    if (list.includes(this)) throw new DOMException('A port cannot be posted through itself', 'DataCloneError');
    const target = this.#end?.other ?? null;
    // https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps: a channel that is posted
    // through itself is lost.
    const doomed = target?.port !== null && target !== null && list.includes(target.port);
    const [data, received] = cloneAndTransfer(message, list);
    if (target === null || doomed) return;
    target.queue.push({ data, ports: Object.freeze(received.filter(isMessagePort)) });
    if (target.started) deliver(target);
  }

  start(): void {
    if (this.#end) start(this.#end);
  }

  close(): void {
    const end = this.#end;
    this.#end = null;
    if (!end) return;
    end.port = null;
    const { other } = end;
    end.other = null;
    if (!other) return;
    other.other = null;
    runAfter(0, () => {
      if (other.port) dispatch(other.port, trusted(new Event('close')));
    });
  }

  static {
    isMessagePort = (value): value is MessagePort => typeof value === 'object' && value !== null && #end in value;
    setEnd = (port, end) => {
      port.#end = end;
      if (end) end.port = port;
    };
    endOf = (port) => port.#end;
  }
}

function transferPort(port: MessagePort): MessagePort {
  const end = endOf(port);
  if (!end) throw new DOMException('The port was transferred before, or is closed', 'DataCloneError');
  const moved = new MessagePort();
  setEnd(port, null);
  end.started = false;
  setEnd(moved, end);
  return moved;
}

export const MessagePortInterface = bind(idl.MessagePort, MessagePort, isMessagePort, {
  transfer: transferPort,
  handlerSet(port, type) {
    const end = endOf(port);
    if (type === 'message' && end) start(end);
  },
});

/** Two ports that are connected. */
export function createChannel(): [MessagePort, MessagePort] {
  const first: End = { port: null, other: null, started: false, queue: [] };
  const second: End = { port: null, other: first, started: false, queue: [] };
  first.other = second;
  const ports: [MessagePort, MessagePort] = [new MessagePort(), new MessagePort()];
  setEnd(ports[0], first);
  setEnd(ports[1], second);
  return ports;
}

class MessageChannel {
  #ports = createChannel();

  get port1(): MessagePort {
    return this.#ports[0];
  }
  get port2(): MessagePort {
    return this.#ports[1];
  }

  static isInstance(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #ports in value;
  }
}

export const MessageChannelInterface = bind(idl.MessageChannel, MessageChannel, MessageChannel.isInstance);
