// https://html.spec.whatwg.org/multipage/web-messaging.html#broadcasting-to-other-browsing-contexts
// A message goes to the channels of its name in this instance, and by way of C++ (plugins/js/broadcasting.h) to those in
// the other instances of the plug-in.

import * as idl from 'valor-idl';
import { trusted } from '../dom/event.ts';
import { dispatch, EventTarget, listenerAdded } from '../dom/event-target.ts';
import { location } from '../html/location.ts';
import { createMessageEvent, MessageEvent } from '../html/message-event.ts';
import { cloneError, cloneWith } from '../html/structured-clone.ts';
import { runAfter } from '../html/timers.ts';
import { natives } from '../natives.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';

/** A channel that is not closed. It lives as long as somebody listens; without that its object may be collected. */
interface Open {
  readonly name: string;
  readonly channel: WeakRef<BroadcastChannel>;
  heard: BroadcastChannel | null;
}

// In the order of their creation, which is that of delivery.
const open = new Set<Open>();

const collected = new FinalizationRegistry(end);

function end(entry: Open): void {
  if (open.delete(entry)) natives.closeBroadcast(entry.name);
}

function channelsNamed(name: string, except: BroadcastChannel | null): BroadcastChannel[] {
  const found: BroadcastChannel[] = [];
  for (const entry of open) {
    const channel = entry.name === name ? entry.channel.deref() : undefined;
    if (channel !== undefined && channel !== except) found.push(channel);
  }
  return found;
}

/** `makeEvent` is called when its turn has come. */
function deliver(channel: BroadcastChannel, makeEvent: () => MessageEvent): void {
  runAfter(0, () => {
    if (isOpen(channel)) dispatch(channel, makeEvent());
  });
}

function messageEvent(data: unknown): MessageEvent {
  return createMessageEvent(data, undefined, location.origin);
}

function errorEvent(): MessageEvent {
  return trusted(new MessageEvent('messageerror', { origin: location.origin }));
}

/** From another instance; not `intact`: messages were lost, or cannot be had here. */
export function receiveBroadcast(name: string, message: unknown, intact: boolean): void {
  const channels = channelsNamed(name, null);
  for (const channel of channels) {
    if (!intact) deliver(channel, errorEvent);
    else deliver(channel, () => messageEvent(channels.length === 1 ? message : cloneWith(message, undefined)));
  }
}

let isBroadcastChannel: (value: unknown) => boolean;
let isOpen: (channel: BroadcastChannel) => boolean;

class BroadcastChannel extends EventTarget {
  #name: string;
  #entry: Open | null;

  constructor(name: string) {
    super();
    this.#name = name;
    this.#entry = { name, channel: new WeakRef(this), heard: null };
    open.add(this.#entry);
    collected.register(this, this.#entry);
    natives.openBroadcast(name);
  }

  get name(): string {
    return this.#name;
  }

  postMessage(message: unknown): void {
    if (this.#entry === null) throw new DOMException('The channel is closed', 'InvalidStateError');
    // Also without anybody who listens, a message that cannot be copied is an error.
    const copy = cloneWith(message, undefined);
    for (const channel of channelsNamed(this.#name, this)) {
      deliver(channel, () => messageEvent(cloneWith(copy, undefined)));
    }
    natives.postBroadcast(this.#name, copy, cloneError);
  }

  close(): void {
    if (this.#entry !== null) end(this.#entry);
    this.#entry = null;
  }

  [listenerAdded](): void {
    if (this.#entry !== null) this.#entry.heard = this;
  }

  static {
    isBroadcastChannel = (value) => typeof value === 'object' && value !== null && #entry in value;
    isOpen = (channel) => channel.#entry !== null;
  }
}

export const BroadcastChannelInterface = bind(idl.BroadcastChannel, BroadcastChannel, isBroadcastChannel);
