// A browser gives requests that a service worker (SW) had when it was stopped to the next one, also those that may not be
// repeated (Chromium does so once). What such a request's plug-in was given is written down with the page that it came from.
import type { Body } from '../instance/instance.ts';
import { type NoticeMessage, PROTOCOL } from '../protocol.ts';

declare const self: ServiceWorkerGlobalScope;

// Only a young SW has requests of the one before.
const YOUNG_MS = 5000;
// A page that does not answer has written nothing down.
const PATIENCE_MS = 200;
const MAX_CLIENTS = 100;

/** What is written down of one request. */
export interface Memo {
  /** A SW before this one had begun it. */
  begunBefore: boolean;
  begun(): void;
  ended(): void;
}

const none: Memo = { begunBefore: false, begun() {}, ended() {} };

export class Recall {
  readonly #scope: string;
  readonly #clients = new Map<string, Promise<Client | undefined>>();

  constructor(scope: string) {
    this.#scope = scope;
  }

  async memo(clientId: string, method: string, url: string, body: Body): Promise<Memo> {
    const client = await this.#client(clientId);
    if (client === undefined) return none;
    const key = `${method} ${url} ${body instanceof ArrayBuffer ? hash(body) : body === null ? '' : 'stream'}`;
    const message = (type: 'begun' | 'ended' | 'recall'): NoticeMessage => ({
      valor: PROTOCOL,
      scope: this.#scope,
      type,
      key,
    });
    let told = false;
    return {
      begunBefore: performance.now() < YOUNG_MS && (await ask(client, message('recall'))),
      begun() {
        if (!told) client.postMessage(message('begun'));
        told = true;
      },
      ended() {
        if (told) client.postMessage(message('ended'));
      },
    };
  }

  #client(id: string): Promise<Client | undefined> {
    if (id === '') return Promise.resolve(undefined);
    let client = this.#clients.get(id);
    if (client === undefined) {
      if (this.#clients.size >= MAX_CLIENTS) this.#clients.clear();
      client = self.clients.get(id);
      this.#clients.set(id, client);
    }
    return client;
  }
}

async function ask(client: Client, message: NoticeMessage): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<boolean>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(() => resolve(false), PATIENCE_MS);
  });
  client.postMessage(message, [port2]);
  try {
    return await answer;
  } finally {
    port1.close();
  }
}

/** FNV-1a: tells bodies apart that nobody made to be alike. */
function hash(body: ArrayBuffer): string {
  let sum = 0x811c9dc5;
  for (const byte of new Uint8Array(body)) sum = Math.imul(sum ^ byte, 0x01000193);
  return `${body.byteLength}:${sum >>> 0}`;
}
