// https://html.spec.whatwg.org/multipage/web-messaging.html#message-channels
// Both ends of a channel are in one instance, so a message is copied when it is posted.

import * as idl from 'valor-idl';
import { Event, trusted } from '../dom/event.ts';
import { dispatch, EventTarget } from '../dom/event-target.ts';
import { createMessageEvent } from '../html/message-event.ts';
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
  /** Null once it is closed. */
  port: WeakRef<MessagePort> | null;
  /**
   * The port, once it is started: it is kept for the messages that may come. Without that nobody but its owner can start it,
   * and when there is none any more, it closes.
   */
  started: MessagePort | null;
  other: End | null;
  queue: Message[];
}

const collected = new FinalizationRegistry(close);

function portOf(end: End): MessagePort | null {
  return end.started ?? end.port?.deref() ?? null;
}

export let isMessagePort: (value: unknown) => value is MessagePort;
let setEnd: (port: MessagePort, end: End | null) => void;
let endOf: (port: MessagePort) => End | null;

function deliver(end: End): void {
  runAfter(0, () => {
    const port = end.started;
    if (port === null) return;
    const message = end.queue.shift();
    if (message) dispatch(port, createMessageEvent(message.data, undefined, '', message.ports));
  });
}

function start(end: End): void {
  if (end.started !== null) return;
  end.started = portOf(end);
  collected.unregister(end);
  for (let count = end.queue.length; count > 0; count--) deliver(end);
}

/** https://html.spec.whatwg.org/multipage/web-messaging.html#disentangle */
function close(end: End): void {
  const { other } = end;
  end.port = null;
  end.started = null;
  end.other = null;
  if (other === null) return;
  other.other = null;
  runAfter(0, () => {
    const port = portOf(other);
    if (port !== null) dispatch(port, trusted(new Event('close')));
  });
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
    const doomed = target !== null && list.includes(portOf(target));
    const [data, received] = cloneAndTransfer(message, list);
    if (target === null || doomed) return;
    target.queue.push({ data, ports: Object.freeze(received.filter(isMessagePort)) });
    if (target.started !== null) deliver(target);
  }

  start(): void {
    if (this.#end) start(this.#end);
  }

  close(): void {
    const end = this.#end;
    this.#end = null;
    if (end === null) return;
    collected.unregister(end);
    close(end);
  }

  static {
    isMessagePort = (value): value is MessagePort => typeof value === 'object' && value !== null && #end in value;
    setEnd = (port, end) => {
      port.#end = end;
      if (end === null) return;
      end.port = new WeakRef(port);
      collected.register(port, end, end);
    };
    endOf = (port) => port.#end;
  }
}

function transferPort(port: MessagePort): MessagePort {
  const end = endOf(port);
  if (!end) throw new DOMException('The port was transferred before, or is closed', 'DataCloneError');
  const moved = new MessagePort();
  setEnd(port, null);
  end.started = null;
  collected.unregister(end);
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
  const first: End = { port: null, started: null, other: null, queue: [] };
  const second: End = { port: null, started: null, other: first, queue: [] };
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
