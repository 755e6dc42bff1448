// The load of a soak: clients of every kind, each of which does one thing over and over.
import http from 'node:http';
import { type ask, pluginPath, sleep, type Valor } from '../harness.ts';
import { LeanConnection, type Random } from '../lean-client.ts';

/** What was asked and what came, by name. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

export type Turn = (valor: Valor, random: Random, tally: Tally) => Promise<void>;

const ways = ['named', 'unnamed', 'promise', 'late', 'reversed', 'twice', 'twice-late', 'astray', 'throw', 'garbage'];
const fetchWays = ['', 'late', 'stream', 'echo', 'throw', 'garbage', 'breaks'];

/** Whatever way a plug-in answers, the secret of the request comes back, or an error of the server's. */
function askedFor(prefix: string, ways: string[]): Turn {
  return async (valor, random, tally) => {
    const connection = new LeanConnection(valor.port);
    try {
      for (let batch = 0; batch < 20; batch++) {
        const secrets = Array.from({ length: 1 + random.below(16) }, () => `secret-${random.below(2 ** 30)}`);
        const text = secrets.map((secret) => {
          const way = random.pick(ways);
          if (random.chance(0.7)) return `GET /${prefix}/${way}?ms=3&secret=${secret} HTTP/1.1\r\nhost: x\r\n\r\n`;
          const length = `content-length: ${secret.length}`;
          return `POST /${prefix}/${way}?ms=3 HTTP/1.1\r\nhost: x\r\n${length}\r\n\r\n${secret}`;
        });
        connection.send(text.join(''));
        for (const secret of secrets) {
          const answer = await connection.next();
          if (answer === null) throw new Error(`/${prefix}: no answer`);
          if (answer.status === 200 && answer.complete && answer.body !== secret)
            throw new Error(`/${prefix}: ${answer.body} instead of ${secret}`);
          if (answer.status !== 200 && ![500, 502, 503, 504].includes(answer.status))
            throw new Error(`/${prefix}: ${answer.status}`);
          tally.add(`${prefix} ${answer.complete ? answer.status : 'broken off'}`);
          if (!answer.complete) return;
        }
      }
    } finally {
      connection.close();
    }
  };
}

const megabyte = Buffer.alloc(2 ** 20, 'v');

/** Asks for `path` with `pieces` MiB as its body and counts the bytes of the answer. */
function transfer(
  port: number,
  method: string,
  path: string,
  pieces: number,
): Promise<{ bytes: number; text: string }> {
  return new Promise((done, failed) => {
    const request = http.request({ port, host: '127.0.0.1', path, method, agent: false }, (response) => {
      let bytes = 0;
      let text = '';
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (text.length < 100) text += piece.toString('latin1', 0, 100);
      });
      response.on('error', (error) => failed(new Error(`${path}, after ${bytes} bytes: ${error.message}`)));
      response.on('end', () => done({ bytes, text }));
    });
    request.on('error', failed);
    for (let i = 0; i < pieces; i++) request.write(megabyte);
    request.end();
  });
}

function streams(
  path: string,
  method: string,
  pieces: number,
  expected: (got: { bytes: number; text: string }) => boolean,
): Turn {
  return async (valor, _, tally) => {
    const got = await transfer(valor.port, method, path, pieces);
    if (!expected(got)) throw new Error(`${path}: ${got.bytes} bytes, ${got.text}`);
    tally.add(path);
  };
}

function gets(path: string, headers: http.OutgoingHttpHeaders = {}): Turn {
  return async (valor, _, tally) => {
    const { status, text } = await valor.ask(path, { headers });
    if (![200, 206, 304].includes(status)) throw new Error(`${path}: ${status} ${text}`);
    tally.add(path);
    await sleep(2);
  };
}

/** A plug-in comes, is replaced under the eyes of its clients, and goes. */
const registers: Turn = async (valor, random, tally) => {
  const name = `guest-${random.below(1e9)}`;
  const definition = (config: number): string =>
    JSON.stringify({ type: 'web', name, url: pluginPath('config.js'), config });
  const send = (method: string, path: string, body = ''): ReturnType<typeof ask> =>
    valor.ask(path, { method, body, headers: { 'content-type': 'application/json' } });
  const added = await send('POST', '/_plugins', definition(0));
  if (added.status !== 201) throw new Error(`POST: ${added.status} ${added.text}`);
  for (let version = 1; version < 5; version++) {
    const replaced = await send('PUT', `/_plugins/${name}`, definition(version));
    if (replaced.status !== 200) throw new Error(`PUT: ${replaced.status} ${replaced.text}`);
    const answer = await valor.ask(`/${name}`);
    if (answer.json().config !== version) throw new Error(`after PUT: ${answer.text}`);
  }
  const removed = await send('DELETE', `/_plugins/${name}`);
  if (removed.status !== 204) throw new Error(`DELETE: ${removed.status} ${removed.text}`);
  tally.add('registered, replaced, removed');
  await sleep(20);
};

const beginnings = [
  'GET /mi',
  'GET /mixed/named HTTP/1.1\r\nhost',
  'POST /mixed/named HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\npart',
  'POST /fetch/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\npa',
  'POST /transfer/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\npart',
  'POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\npart',
  'POST /gone/wait HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\npart',
  'GET /mixed/late?ms=50&secret=x HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /stream/down?bytes=100000000 HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /transfer/down?bytes=100000000 HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /proxy/slow HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /counter HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n',
];

function begin(valor: Valor, random: Random): LeanConnection {
  const connection = new LeanConnection(valor.port);
  const beginning = random.pick(beginnings);
  if (beginning.includes('/down?')) connection.socket.pause();
  return connection.send(beginning);
}

/** Leaves in the middle of anything, one way or the other. */
const leaves: Turn = async (valor, random, tally) => {
  const connection = begin(valor, random);
  await sleep(random.below(20));
  if (random.chance(0.3)) connection.socket.resetAndDestroy();
  connection.close();
  tally.add('left');
};

/** Trickles a head or a body, or does not read, until it is told to go or goes. */
const dawdles: Turn = async (valor, random, tally) => {
  const connection = begin(valor, random);
  for (let i = 0; i < 200 && !connection.ended; i++) {
    await sleep(50);
    connection.send('1');
  }
  connection.close();
  tally.add('dawdled');
};

/** Ends instances: by time, by memory, by an answer that never comes. */
const breaks: Turn = async (valor, random, tally) => {
  const way = random.pick(['stuck', 'hoard', 'never', 'late-unnamed']);
  const { status } = await valor.ask(`/fragile/${way}?ms=5&secret=x`);
  if (![200, 502, 504].includes(status)) throw new Error(`/fragile/${way}: ${status}`);
  tally.add(`fragile ${status}`);
  await sleep(200);
};

const mib = (count: number) => (got: { bytes: number }) => got.bytes === count * 2 ** 20;

/** By name, so that one of them can be run alone. */
export const clients: [name: string, turn: Turn, count: number][] = [
  ['mixed', askedFor('mixed', ways), 8],
  ['fetch', askedFor('fetch', fetchWays), 4],
  ['up', streams('/stream/up', 'POST', 8, ({ text }) => text === `{"bytes":${8 * 2 ** 20}}`), 1],
  ['down', streams('/stream/down?bytes=8388608', 'GET', 0, mib(8)), 1],
  ['fetch-echo', streams('/fetch/echo', 'POST', 4, mib(4)), 1],
  ['transfer-echo', streams('/transfer/echo', 'POST', 4, mib(4)), 1],
  ['native', gets('/native?who=Bob'), 2],
  ['site', gets('/site/'), 1],
  ['range', gets('/site/style.css', { range: 'bytes=0-9' }), 1],
  ['proxy', gets('/proxy/x'), 2],
  ['list', gets('/_plugins'), 1],
  ['registers', registers, 1],
  ['leaves', leaves, 4],
  ['dawdles', dawdles, 8],
  ['breaks', breaks, 1],
];
