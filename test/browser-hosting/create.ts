// An instance that does what a request's URL says: for tests of what hosts it.
import type { Body, CreateInstance, InstanceRequest } from '../../browser/instance/instance.ts';

const encoder = new TextEncoder();

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

export const createInstance: CreateInstance = async ({ definition, host, location, read, place }) => {
  const config = (definition.config ?? {}) as { failLoads?: string; loadMs?: number; oneAtATime?: boolean };
  if (config.loadMs) await sleep(config.loadMs);
  if (config.failLoads) {
    const { remaining } = (await (await fetch(new URL(config.failLoads, location))).json()) as { remaining: number };
    if (remaining > 0) throw new Error('it is told to fail');
  }
  if (config.oneAtATime) host.oneAtATime(true);
  const born = crypto.randomUUID();
  let count = 0;
  let gone = 0;
  /** Bytes that streams have made. */
  let made = 0;
  let running = 0;
  let most = 0;
  const dropped = new Map<number, () => void>();

  function pieces(total: number, size: number, wait: number): ReadableStream<Uint8Array> {
    const piece = new Uint8Array(size).fill(97);
    let left = total;
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (wait > 0) await sleep(wait);
          if (left-- <= 0) controller.close();
          else {
            controller.enqueue(piece);
            made += size;
          }
        },
        cancel() {
          ++gone;
        },
      },
      { highWaterMark: 0 },
    );
  }

  async function run(request: InstanceRequest): Promise<void> {
    const { id, method, headers } = request;
    const url = new URL(request.url, 'http://plug-in/');
    const number = (name: string): number => Number(url.searchParams.get(name) ?? 0);
    const answer = (body: string | Body, status = 200, more: [string, string][] = []): void => {
      --running;
      host.respond(
        id,
        status,
        [['content-type', 'text/plain'], ...more],
        typeof body === 'string' ? encoder.encode(body).buffer : body,
      );
    };
    // Something outside that a test can count.
    if (url.searchParams.has('effect')) {
      await fetch(`/effects/${url.searchParams.get('effect')}`, { method: 'POST' });
    }
    if (url.searchParams.has('ms')) await sleep(number('ms'));
    switch (url.pathname) {
      case '/hello':
        return answer('hello');
      case '/count':
        return answer(JSON.stringify({ count: ++count, born, place, most, gone, made }));
      case '/echo':
        return answer(request.body, 200, [
          ['x-method', method],
          ['x-url', request.url],
          ['x-headers', JSON.stringify(headers)],
          ['x-kind', request.body === null ? 'none' : request.body instanceof ArrayBuffer ? 'whole' : 'stream'],
        ]);
      case '/stream':
        return answer(pieces(number('pieces'), number('size'), number('wait')));
      case '/loop':
        for (;;);
      case '/never':
        return;
      case '/break':
        return host.broken({ status: 502, detail: 'it is told to break' });
      case '/throw':
        return host.fail(id, { status: 500, detail: 'it is told to throw' });
      case '/decline':
        return host.decline(id);
      case '/status':
        return answer('some text', number('code'), [['location', 'hello']]);
      case '/file':
        return answer((await read(new URL('/file.txt', location).href)).bytes);
      case '/fetch': {
        const response = await host.fetch(
          new Request(new URL(url.searchParams.get('url')!, location), {
            method,
            ...(request.body ? { body: request.body, duplex: 'half' } : {}),
          } as RequestInit),
        );
        return answer(response.body, response.status, [
          ['x-from', response.headers.get('x-valor-plugin') ?? 'network'],
        ]);
      }
      default:
        return answer('no such thing', 404);
    }
  }

  return {
    handle(request) {
      most = Math.max(most, ++running);
      dropped.set(request.id, () => ++gone);
      run(request)
        .catch((error) => host.fail(request.id, { status: 500, detail: String(error) }))
        .finally(() => {
          if (!request.url.startsWith('never')) dropped.delete(request.id);
        });
    },
    drop(id) {
      dropped.get(id)?.();
      dropped.delete(id);
    },
    destroy() {},
  };
};
