// Clients that trickle, that do not read, and that leave in the middle of a body: they cost the others nothing, plug-ins
// learn that a client has left, and nothing remains.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, serve, sleep, web, within } from './harness.ts';
import { headerOf, LeanConnection } from './lean-client.ts';

const valor = await serve(
  [
    web('gone.js', { limits: { timeout_ms: 60_000, memory_mb: 8 } }),
    web('counter.js'),
    web('stream.js'),
    web('echo.js', { limits: { timeout_ms: 2500 } }),
  ],
  ['--header-timeout', '1.5', '--body-timeout', '1.5', '--no-access-log'],
);
after(() => valor.stop());

interface SlowClient {
  what: string;
  begin: string;
  /** Sent again and again. */
  drop: string;
  /** What it is told before the server closes; none: it never reads. */
  status?: number;
}

const slowClients: SlowClient[] = [
  { what: 'trickle a request line', begin: 'GET /', drop: 'a', status: 408 },
  { what: 'trickle headers', begin: 'GET /counter HTTP/1.1\r\nhost: x\r\n', drop: 'a', status: 408 },
  {
    what: 'send no byte of a body',
    begin: 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n',
    drop: '',
    status: 408,
  },
  {
    what: 'trickle a body',
    begin: 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n',
    drop: 'a',
    status: 504,
  },
  {
    what: 'trickle chunks',
    begin: 'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
    drop: '1\r\na\r\n',
    status: 504,
  },
  {
    what: 'trickle a body that nobody reads',
    begin: 'POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n',
    drop: 'a',
    status: 404,
  },
  { what: 'do not read', begin: 'GET /stream/down?bytes=500000000 HTTP/1.1\r\nhost: x\r\n\r\n', drop: '' },
];

const perKind = 60;

test(`${perKind} clients each that ${slowClients.map(({ what }) => what).join(', ')}: the others are served`, async (t) => {
  await valor.ask('/counter');
  const files = valor.openFiles();
  const memory = valor.memoryKib('VmRSS');
  const slow = slowClients.flatMap((kind) =>
    Array.from({ length: perKind }, () => ({ kind, connection: new LeanConnection(valor.port) })),
  );
  for (const { kind, connection } of slow) {
    if (kind.status === undefined) connection.socket.pause();
    connection.send(kind.begin);
  }
  await eventually(() => valor.openFiles() >= files + slow.length - 5, 'all slow clients at once');

  const left = new Set(slow);
  let served = 0;
  let peak = 0;
  const good = new LeanConnection(valor.port);
  const told = Promise.all(
    slow.map(async (client) => {
      if (client.kind.status !== undefined) {
        const answer = await client.connection.next();
        assert.equal(answer?.status, client.kind.status, client.kind.what);
        assert.match(headerOf(answer!, 'content-type') ?? '', /problem/);
        left.delete(client);
        while ((await client.connection.next()) !== null);
      }
    }),
  );
  while (left.size > perKind) {
    for (const { kind, connection } of left) if (kind.drop !== '') connection.send(kind.drop);
    for (let i = 0; i < 5; i++) {
      good.send('GET /counter HTTP/1.1\r\nhost: x\r\n\r\n');
      assert.equal((await good.next())?.status, 200);
      served++;
    }
    assert.equal((await valor.ask('/counter')).status, 200, 'a new client');
    peak = Math.max(peak, valor.memoryKib('VmRSS'));
    await sleep(10);
  }
  await told;
  good.close();
  assert.ok(served >= 100, `${served} requests of a good client meanwhile`);
  // Those that do not read are cut off without a word.
  await eventually(() => valor.openFiles() <= files, `the end of slow connections (${valor.openFiles()}, ${files})`);
  for (const { connection } of slow) connection.close();
  const grown = Math.round((peak - memory) / 1024);
  t.diagnostic(`${served} requests served beside ${slow.length} slow clients, ${grown} MiB at most`);
  assert.ok(grown < 250, `${grown} MiB for ${slow.length} slow clients`);
});

interface Counts {
  begun: number;
  broken: number;
  whole: number;
  aborted: number;
}
const counts = async (): Promise<Counts> => (await valor.ask('/gone/counts')).json();

const framings = {
  'a content-length': ['content-length: 1000', 'part of it'],
  chunks: ['transfer-encoding: chunked', '5\r\nwhole\r\n5\r\nha'],
};

for (const [framing, [header, part]] of Object.entries(framings)) {
  for (const [path, how] of [
    ['read', 'broken'],
    ['later', 'broken'],
    ['wait', 'aborted'],
  ] as const) {
    for (const ending of ['closes', 'resets'] as const) {
      test(`a client that ${ending} within a body with ${framing}: a plug-in that does "${path}" learns of it`, async () => {
        const before = await counts();
        const connection = new LeanConnection(valor.port);
        connection.send(`POST /gone/${path} HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n${part}`);
        await eventually(async () => (await counts()).begun > before.begun, 'the request');
        if (ending === 'closes') connection.close();
        else connection.socket.resetAndDestroy();
        await eventually(async () => (await counts())[how] === before[how] + 1, 'the plug-in to learn of it');
        assert.equal((await counts()).whole, before.whole);
      });
    }
  }
}

test('thousands of clients that leave within a body leave nothing behind', { timeout: 120_000 }, async (t) => {
  const one = async (i: number): Promise<void> => {
    const [header, part] = i % 2 === 0 ? framings['a content-length'] : framings.chunks;
    const path = ['gone/read', 'gone/later', 'gone/wait', 'echo'][i % 4];
    const connection = new LeanConnection(valor.port);
    connection.send(`POST /${path} HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n${part}`);
    await within(connection.sent(), 'the sending');
    await sleep(i % 7);
    if (i % 3 === 0) connection.socket.resetAndDestroy();
    connection.close();
  };
  const many = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => one(i + j)));
    await eventually(() => valor.openFiles() <= files, 'the end of the connections');
    await eventually(async () => {
      const { begun, broken, whole, aborted } = await counts();
      return broken + whole + aborted === begun;
    }, 'the end of their requests');
  };
  await counts();
  const files = valor.openFiles();
  await many(2000);
  const before = valor.memoryKib('VmRSS');
  await many(4000);
  const grown = valor.memoryKib('VmRSS') - before;
  const { begun, broken, aborted } = await counts();
  t.diagnostic(`${begun} begun, ${broken} broken off, ${aborted} aborted; memory grew by ${grown} KiB`);
  assert.ok(broken > 1000 && aborted > 500);
  // A heap of 8 MiB takes a while to find its size; 3 KiB for each client would be a leak.
  assert.ok(grown < 12 * 1024, `${grown} KiB more after 4000 clients`);
});
