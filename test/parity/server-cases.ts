// Cases that need more than fetch(): the bytes of a connection, definitions of their own, the server's log. They give a
// value like those of cases.ts.
import http from 'node:http';
import { eventually, sleep, type Valor, within } from '../harness.ts';
import { RawConnection } from '../raw.ts';

export interface ServerPlace {
  valor: Valor;
  /** Of the column, as in cases.ts, without the server's address: /NAME/ */
  path: string;
}

export interface ServerCase {
  name: string;
  run(place: ServerPlace): Promise<unknown>;
  expected: unknown;
}

const status = async (valor: Valor, path: string): Promise<number> => (await fetch(`${valor.url}${path}`)).status;

/** Sends a body piece by piece to `stream` and hands out what comes back. */
class Conversation {
  #request: http.ClientRequest;
  #received = '';

  constructor(valor: Valor, path: string) {
    this.#request = http.request(`${valor.url}${path}stream`, { method: 'POST' });
    this.#request.on('response', (response) => response.on('data', (data) => (this.#received += data)));
    this.#request.on('error', () => {});
  }
  async say(text: string): Promise<string> {
    const before = this.#received.length;
    this.#request.write(text);
    await eventually(() => this.#received.length >= before + text.length, 'the echo');
    return this.#received.slice(before);
  }
  leave(): void {
    this.#request.destroy();
  }
  end(): Promise<string> {
    const ended = new Promise<string>((done) => this.#request.on('close', () => done(this.#received)));
    this.#request.end();
    return within(ended, 'the end of the answer');
  }
}

/** Writes to `stream` without reading until nothing more is taken. Returns the bytes taken and the socket's request. */
async function flood(
  valor: Valor,
  path: string,
  most: number,
): Promise<{ taken: number; request: http.ClientRequest }> {
  const request = http.request(`${valor.url}${path}stream`, { method: 'POST' });
  request.on('error', () => {});
  // Without a listener Node would read and drop it.
  request.on('response', (response) => response.pause());
  const piece = Buffer.alloc(256 * 1024, 'f');
  let taken = 0;
  while (taken < most) {
    const drained = new Promise<boolean>((done) => {
      request.write(piece, () => done(true));
    });
    if (!(await Promise.race([drained, sleep(2000).then(() => false)]))) break;
    taken += piece.length;
  }
  return { taken, request };
}

export const serverCases: ServerCase[] = [
  {
    name: 'repeated headers arrive and leave one by one, in order',
    expected: ['x-case-a: 1', 'x-case-b: x', 'x-case-a: 2', 'x-case-a: 1'],
    async run({ valor, path }) {
      const connection = await RawConnection.open(valor.port);
      connection.get(`${path}echo`, 'x-case-a: 1', 'X-Case-B: x', 'x-case-a: 2', 'x-case-a: 1');
      const { head } = await connection.response();
      connection.socket.destroy();
      return head.split('\r\n').filter((line) => line.startsWith('x-case-'));
    },
  },
  {
    name: 'a body comes back before the next piece of it is sent',
    expected: ['one', 'two', 'onetwo'],
    async run({ valor, path }) {
      const conversation = new Conversation(valor, path);
      return [await conversation.say('one'), await conversation.say('two'), await conversation.end()];
    },
  },
  {
    name: 'who does not read is not read from',
    expected: 'bounded',
    async run({ valor, path }) {
      const most = 128 * 1024 * 1024;
      const { taken, request } = await flood(valor, path, most);
      request.destroy();
      return taken < most ? 'bounded' : `all ${most} bytes were taken`;
    },
  },
  {
    name: 'a client that leaves in the middle of its body is noticed',
    expected: [1, 200],
    async run({ valor, path }) {
      const gone = async (): Promise<number> => Number(await (await fetch(`${valor.url}${path}stream/gone`)).text());
      const before = await gone();
      const conversation = new Conversation(valor, path);
      await conversation.say('half of it');
      conversation.leave();
      await eventually(async () => (await gone()) > before, 'the plug-in to notice');
      return [(await gone()) - before, await status(valor, `${path}stream`)];
    },
  },
  {
    name: 'a config that the plug-in refuses: 502, and its words are in the log',
    expected: [502, true],
    async run({ valor, path }) {
      const code = await status(valor, `${path}nameless`);
      const words = 'the config must be a name, a JSON string';
      return [code, await eventually(() => valor.log.includes(words), `"${words}" in the log`)];
    },
  },
  {
    name: 'two instances have two states',
    expected: true,
    async run({ valor, path }) {
      // Each greets; whoever counts knows of its own only.
      const counts = new Set<number>();
      for (let i = 0; i < 40 && counts.size < 2; i++) {
        const all = await Promise.all(
          Array.from({ length: 8 }, async () => {
            await fetch(`${valor.url}${path}pair?who=x`);
            return Number(await (await fetch(`${valor.url}${path}pair/count`)).text());
          }),
        );
        for (const count of all) if (count > 0) counts.add(count);
      }
      return counts.size >= 2;
    },
  },
];
