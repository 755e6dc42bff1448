// What one client may use up: every limit of the command line, tripped.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serve, sleep, web } from './harness.ts';
import { RawConnection, raw } from './raw.ts';

const plugins = [web('echo.js'), web('edge.js'), web('stream.js'), web('bodies.js'), web('unhurried.js')];
const byDefault = await serve(plugins);
const strict = await serve(
  plugins,
  '--max-request-line 200 --max-headers 1000 --max-header-count 10 --max-body 1000 --header-timeout 0.3 --body-timeout 0.3 --idle-timeout 0.3 --max-connections 20'.split(
    ' ',
  ),
);
after(() => Promise.all([byDefault.stop(), strict.stop()]));

/** Sends and expects a refusal, as problem+json, after which the connection closes. */
async function refusal(port: number, status: number, ...text: string[]): Promise<void> {
  await raw(port, async (connection) => {
    connection.send(...text);
    const answer = await connection.response();
    assert.equal(answer.status, status);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.headers.connection, 'close');
    assert.equal(JSON.parse(answer.body).status, status);
    await connection.closed();
  });
}

const head = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n');

/** A GET whose request line, without its line end, is `bytes` long. */
const line = (bytes: number) => head(`/echo?${'a'.repeat(bytes - 'GET /echo? HTTP/1.1'.length)}`);

test('a request line over --max-request-line gets 414', async () => {
  await refusal(strict.port, 414, line(300));
  assert.equal((await raw(strict.port, (c) => c.send(line(190)).response())).status, 200);
});

test('by default a request line may have 16 KiB', async () => {
  await refusal(byDefault.port, 414, line(16 * 1024 + 100));
  assert.equal((await raw(byDefault.port, (c) => c.send(line(16 * 1024 - 10)).response())).status, 200);
});

test('headers over --max-headers get 431', async () => {
  await refusal(strict.port, 431, head('/echo', `x-a: ${'a'.repeat(1000)}`));
  assert.equal(
    (await raw(strict.port, (c) => c.send(head('/echo', `x-a: ${'a'.repeat(900)}`)).response())).status,
    200,
  );
});

test('by default headers may have 64 KiB', async () => {
  await refusal(byDefault.port, 431, head('/echo', `x-a: ${'a'.repeat(65_000)}`, `x-b: ${'a'.repeat(1000)}`));
  assert.equal(
    (await raw(byDefault.port, (c) => c.send(head('/echo', `x-a: ${'a'.repeat(65_000)}`)).response())).status,
    200,
  );
});

const many = (count: number) => head('/echo', ...Array.from({ length: count - 1 }, (_, i) => `x-${i}: y`));

test('more headers than --max-header-count get 431', async () => {
  await refusal(strict.port, 431, many(11));
  assert.equal((await raw(strict.port, (c) => c.send(many(10)).response())).status, 200);
});

test('by default a request may have 128 headers', async () => {
  await refusal(byDefault.port, 431, many(129));
  assert.equal((await raw(byDefault.port, (c) => c.send(many(128)).response())).status, 200);
});

test('a declared body over --max-body gets 413 before it is sent', async () => {
  await refusal(strict.port, 413, 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\n\r\n');
  const answer = await strict.ask('/echo', { method: 'POST', body: 'a'.repeat(1000) });
  assert.equal(answer.status, 200);
});

test('by default a body may have 16 GiB', async () => {
  await refusal(byDefault.port, 413, `POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: ${16 * 2 ** 30 + 1}\r\n\r\n`);
});

test('a chunked body over --max-body gets 413', async () => {
  const chunk = `1f4\r\n${'a'.repeat(500)}\r\n`;
  await raw(strict.port, async (connection) => {
    connection.send(
      'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
      chunk,
      chunk,
      chunk,
      '0\r\n\r\n',
    );
    assert.equal((await connection.response()).status, 413);
    await connection.closed();
  });
});

test('headers that take longer than --header-timeout get 408', async () => {
  await refusal(strict.port, 408, 'GET /echo HTTP/1.1\r\nhost: x\r\n');
});

test('trickling does not extend --header-timeout', () =>
  raw(strict.port, async (connection) => {
    connection.send('GET /echo HTTP/1.1\r\n');
    for (let i = 0; i < 200 && !connection.ended && connection.pending === 0; i++) {
      connection.send(`x-${i % 8}: a\r\n`.slice(0, 2));
      await sleep(20);
    }
    assert.equal((await connection.response()).status, 408);
  }));

test('a body that stops coming for longer than --body-timeout gets 408', () =>
  raw(strict.port, async (connection) => {
    connection.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
    assert.equal((await connection.response()).status, 408);
    await connection.closed();
  }));

test('a slow body that keeps coming is no timeout', () =>
  raw(strict.port, async (connection) => {
    connection.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n');
    for (let i = 0; i < 10; i++) {
      await sleep(60);
      connection.send('a');
    }
    assert.equal((await connection.response()).status, 200);
  }));

test('a plug-in that is slow to read a body is not taken for a slow client', () =>
  raw(strict.port, async (connection) => {
    connection.send('POST /unhurried/slowly HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n');
    await sleep(100);
    connection.send('abc');
    await sleep(100);
    connection.send('def');
    const answer = await connection.response();
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '6');
  }));

test('an answer that does not wait for a long upload comes whole', () =>
  raw(byDefault.port, async (connection) => {
    const bytes = 16_000_000;
    connection.socket.pause();
    connection.send(`POST /unhurried/early?bytes=${bytes} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
    await sleep(100);
    connection.send('100000\r\n', 'x'.repeat(0x100000), '\r\n');
    await sleep(200);
    connection.socket.resume();
    const answer = await connection.response();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.length, bytes);
    await connection.closed();
  }));

test('a client that stops taking the answer is cut off after --body-timeout', () =>
  raw(strict.port, async (connection) => {
    connection.socket.pause();
    connection.get('/stream/down?bytes=500000000');
    await strict.logged(/GET \/stream\/down\?bytes=500000000/);
    connection.socket.resume();
    await connection.closed();
    assert.ok(connection.pending < 500_000_000);
  }));

test('a connection that rests for longer than --idle-timeout is closed', async () => {
  await raw(strict.port, async (connection) => {
    assert.equal((await connection.get('/echo').response()).status, 200);
    await connection.closed();
  });
  // Also one that never sent anything.
  await raw(strict.port, (connection) => connection.closed());
});

test('a connection beyond --max-connections gets 503 with Retry-After, and room comes back', async () => {
  const own = await serve(plugins, ['--max-connections', '3']);
  const held: RawConnection[] = [];
  try {
    for (let i = 0; i < 3; i++) {
      const connection = await RawConnection.open(own.port);
      held.push(connection);
      assert.equal((await connection.get('/echo').response()).status, 200);
    }
    await raw(own.port, async (connection) => {
      const answer = await connection.get('/echo').response();
      assert.equal(answer.status, 503);
      assert.ok(Number(answer.headers['retry-after']) > 0);
    });
    held.pop()!.close();
    await sleep(50);
    assert.equal((await raw(own.port, (c) => c.get('/echo').response())).status, 200);
  } finally {
    for (const connection of held) connection.close();
    await own.stop();
  }
});
