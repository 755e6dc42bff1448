// https://html.spec.whatwg.org/multipage/web-messaging.html#broadcasting-to-other-browsing-contexts

import * as idl from 'valor-idl';
import { trusted } from '../dom/event.ts';
import { dispatch, EventTarget } from '../dom/event-target.ts';
import { location } from '../html/location.ts';
import { MessageEvent } from '../html/message-event.ts';
import { cloneWith } from '../html/structured-clone.ts';
import { runAfter } from '../html/timers.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';

// In the order of their creation, which is that of delivery.
const channels = new Set<BroadcastChannel>();

let isBroadcastChannel: (value: unknown) => boolean;

class BroadcastChannel extends EventTarget {
  #name: string;
  #closed = false;

  constructor(name: string) {
    super();
    this.#name = name;
    channels.add(this);
  }

  get name(): string {
    return this.#name;
  }

  postMessage(message: unknown): void {
    if (this.#closed) throw new DOMException('The channel is closed', 'InvalidStateError');
    // Also without anybody who listens, a message that cannot be copied is an error.
    const data = cloneWith(message, undefined);
    for (const channel of channels) {
      if (channel === this || channel.#name !== this.#name) continue;
      runAfter(0, () => {
        if (channel.#closed) return;
        const copy = cloneWith(data, undefined);
        dispatch(channel, trusted(new MessageEvent('message', { data: copy, origin: location.origin })));
      });
    }
  }

  close(): void {
    this.#closed = true;
    channels.delete(this);
  }

  static {
    isBroadcastChannel = (value) => typeof value === 'object' && value !== null && #closed in value;
  }
}

export const BroadcastChannelInterface = bind(idl.BroadcastChannel, BroadcastChannel, isBroadcastChannel);
