// Runs instances for tests, in a dedicated Worker or in a service worker: one script for both. The page in page.ts
// speaks with it over a port for each instance.
import { loadCore } from '../../../core/core.ts';
import { createInstance } from '../../create.ts';
import type { Instance, PluginFile } from '../../instance.ts';
import type { Ask, Ending, FromHost, StartMessage, ToHost } from './messages.ts';

const core = WebAssembly.compileStreaming(fetch('/valor-core.wasm')).then(loadCore);

function bytesOf(text: string): ArrayBuffer {
  if (!text.startsWith('base64:')) return new TextEncoder().encode(text).buffer;
  return Uint8Array.from(atob(text.slice(7)), (character) => character.charCodeAt(0)).buffer;
}

const types: Record<string, string> = { html: 'text/html', json: 'application/json', txt: 'text/plain' };

class Host {
  readonly #port: MessagePort;
  readonly #start: StartMessage;
  readonly #held = new Map<number, ReadableStream | null>();
  readonly #asked = new Map<number, Ask>();
  #instance: Instance | null = null;

  constructor(start: StartMessage, port: MessagePort) {
    this.#start = start;
    this.#port = port;
    port.onmessage = ({ data }) => this.#receive(data);
    this.#load().then(
      (instance) => {
        this.#instance = instance;
        this.#post({ type: 'ready' });
      },
      (error) => this.#post({ type: 'load-failed', message: error.message }),
    );
  }

  #post(message: FromHost): void {
    this.#port.postMessage(message);
  }

  async #load(): Promise<Instance> {
    const { definition, location, place } = this.#start;
    const read = async (url: string): Promise<PluginFile> => {
      const text = this.#start.files[url.replace(/\?.*/, '')];
      if (text === undefined) throw new Error(`${url}: the server answers 404`);
      const extension = /\.([^.]*)$/.exec(url)?.[1] ?? '';
      return { url, type: types[extension] ?? 'text/javascript', bytes: bytesOf(text) };
    };
    const end = (id: number, ending: Ending): void => this.#post({ type: 'ending', id, ending });
    return createInstance({
      definition,
      location,
      place,
      read,
      core: await core,
      host: {
        respond: async (id, status, headers, body) => {
          const streamed = body instanceof ReadableStream;
          const ending: Ending = { how: 'responded', status, headers, streamed, body: null };
          if (this.#asked.get(id)?.hold) {
            this.#held.set(id, streamed ? body : null);
          } else if (body !== null) {
            try {
              ending.body = await new Response(body).text();
            } catch {
              ending.broke = true;
            }
          }
          end(id, ending);
        },
        fail: (id, problem) => end(id, { how: 'failed', status: problem.status, problem }),
        decline: (id) => end(id, { how: 'declined' }),
        oneAtATime: () => this.#post({ type: 'one-at-a-time' }),
        broken: (problem) => this.#post({ type: 'broken', problem }),
        log: (level, text) => this.#post({ type: 'log', text: `${level}: ${text}` }),
        fetch: async (request) =>
          Response.json({ elsewhere: request.url, method: request.method, body: await request.text() }),
      },
    });
  }

  #receive(message: ToHost): void {
    switch (message.type) {
      case 'ask': {
        const { id, method = 'GET', url = '', headers = [], body } = message;
        this.#asked.set(id, message);
        const requestId = `request-${id}`;
        this.#instance!.handle({
          id,
          requestId,
          method,
          url,
          headers: [['x-request-id', requestId], ...headers],
          body: body === undefined ? null : Array.isArray(body) ? streamOf(body) : bytesOf(body.whole),
        });
        return;
      }
      case 'drop':
        this.#instance!.drop(message.id, message.reason);
        return;
      case 'cancel':
        this.#held.get(message.id)?.cancel();
        return;
      case 'destroy':
        this.#instance!.destroy();
    }
  }
}

function streamOf(pieces: string[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    async pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}

addEventListener('install', () => (self as unknown as ServiceWorkerGlobalScope).skipWaiting());
addEventListener('message', ({ data, ports }: MessageEvent<StartMessage>) => {
  new Host(data, ports[0]!);
});
