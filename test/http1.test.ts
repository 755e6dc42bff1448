// HTTP/1.1 as clients on the wire see it (RFC 9112).
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serve, sleep, web, within } from './harness.ts';
import { RawConnection, raw } from './raw.ts';

const valor = await serve([web('echo.js'), web('bodies.js'), web('later.js'), web('edge.js'), web('counter.js')]);
after(() => valor.stop());

const send = (...text: string[]) => raw(valor.port, (connection) => connection.send(...text).response());

test('a connection is kept alive and serves one request after another, across plug-ins', () =>
  raw(valor.port, async (connection) => {
    for (const path of ['/echo/1', '/bodies/string', '/edge/', '/nowhere', '/_health', '/echo/2']) {
      const { status } = await connection.get(path).response();
      assert.equal(status, path === '/nowhere' ? 404 : 200, path);
    }
    assert.equal(connection.ended, false);
  }));

test('pipelined requests are answered in order, across plug-ins', () =>
  raw(valor.port, async (connection) => {
    const paths = ['/later?ms=40&text=a', '/echo/b', '/later?ms=1&text=c', '/nowhere', '/edge/', '/echo/d'];
    connection.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\nx-request-id: r\r\n\r\n`).join(''));
    const bodies = [];
    for (const _ of paths) bodies.push((await connection.response()).body);
    assert.equal(bodies[0], 'a r');
    assert.equal(JSON.parse(bodies[1]!).url, 'b');
    assert.equal(bodies[2], 'c r');
    assert.equal(JSON.parse(bodies[3]!).status, 404);
    assert.equal(bodies[4], 'root');
    assert.equal(JSON.parse(bodies[5]!).url, 'd');
  }));

test('an answer that breaks off before its turn takes nothing away from the answers around it', () =>
  raw(valor.port, async (connection) => {
    connection.get('/edge/ticks').get('/edge/fails-midway').get('/edge/');
    assert.match((await connection.response()).body, /tick 5\n$/);
    const broken = await connection.response();
    assert.equal(broken.status, 500);
    assert.equal(JSON.parse(broken.body).plugin, 'edge');
    assert.equal((await connection.response()).body, 'root');
  }));

test('an answer that breaks off under way ends the connection, and the answers before it arrive', async () => {
  // Much that the server never reads: a connection that is closed with such bytes is reset, and loses what was sent.
  const more = 'GET /edge/ HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200);
  for (let i = 0; i < 20; i++) {
    await raw(valor.port, async (connection) => {
      connection.socket.pause();
      connection.get('/edge/').get('/edge/fails-midway').send(more);
      await sleep(60);
      connection.socket.resume();
      assert.equal((await connection.response()).body, 'root');
      const rest = await connection.rest();
      assert.doesNotMatch(rest, /\r\n0\r\n\r\n/);
    });
  }
});

test('an answer to HTTP/1.0 that breaks off resets the connection', async () => {
  const connection = await RawConnection.open(valor.port);
  const failed = new Promise<NodeJS.ErrnoException>((done) => connection.socket.once('error', done));
  connection.send('GET /edge/fails-midway HTTP/1.0\r\n\r\n');
  assert.equal((await within(failed, 'a reset')).code, 'ECONNRESET');
});

test('a pipelined request after a body starts where the body ends', () =>
  raw(valor.port, async (connection) => {
    connection.send(
      'POST /echo/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcPOST /echo/2 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\nGET /echo/3 HTTP/1.1\r\nhost: x\r\n\r\n',
    );
    assert.equal(JSON.parse((await connection.response()).body).body.hex, '616263');
    assert.equal(JSON.parse((await connection.response()).body).body.hex, '6465');
    assert.equal(JSON.parse((await connection.response()).body).url, '3');
  }));

test('a body that nobody reads does not become the next request', () =>
  raw(valor.port, async (connection) => {
    const hidden = 'GET /counter HTTP/1.1\r\nhost: x\r\n\r\n';
    connection.send(`POST /bodies/string HTTP/1.1\r\nhost: x\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`);
    assert.equal((await connection.response()).status, 200);
    assert.equal((await connection.get('/edge/').response()).body, 'root');
  }));

test('a body that nobody reads may come in one piece with the next request', () =>
  raw(valor.port, async (connection) => {
    connection.send(
      'POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc',
      'POST /nowhere HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'GET /edge/ HTTP/1.1\r\nhost: x\r\n\r\n',
    );
    for (const status of [404, 404, 200]) assert.equal((await connection.response()).status, status);
  }));

test('a request in tiny pieces is understood', () =>
  raw(valor.port, async (connection) => {
    for (const character of 'POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok') {
      connection.send(character);
      await sleep(1);
    }
    assert.equal(JSON.parse((await connection.response()).body).body.hex, '6f6b');
  }));

test('every answer has date and server', async () => {
  for (const path of ['/echo', '/nowhere', '/_health']) {
    const { headers } = await raw(valor.port, (connection) => connection.get(path).response());
    assert.match(
      headers.date ?? '',
      /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
      path,
    );
    assert.match(headers.server ?? '', /valor/i, path);
  }
});

test('a body of unknown length is sent in chunks, as it is made', async () => {
  const answer = await raw(valor.port, (connection) => connection.get('/edge/ticks').response());
  assert.equal(answer.chunked, true);
  assert.equal(answer.headers['content-length'], undefined);
  assert.equal(answer.body, 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n');
});

test('to HTTP/1.0 a body of unknown length is sent until the connection closes', async () => {
  const text = await raw(valor.port, (connection) => connection.send('GET /edge/ticks HTTP/1.0\r\n\r\n').rest());
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(text, /transfer-encoding/i);
  assert.match(text, /\r\n\r\ntick 1\ntick 2\ntick 3\ntick 4\ntick 5\n$/);
});

test('HTTP/1.0 closes unless asked to keep the connection', async () => {
  await raw(valor.port, async (connection) => {
    await connection.send('GET /echo HTTP/1.0\r\n\r\n').response();
    await connection.closed();
  });
  await raw(valor.port, async (connection) => {
    const { headers } = await connection.send('GET /echo HTTP/1.0\r\nconnection: keep-alive\r\n\r\n').response();
    assert.equal(headers.connection?.toLowerCase(), 'keep-alive');
    assert.equal((await connection.send('GET /edge/ HTTP/1.0\r\n\r\n').response()).body, 'root');
  });
});

test('Connection: close is honoured and announced', () =>
  raw(valor.port, async (connection) => {
    const { headers } = await connection.get('/echo', 'Connection: close').response();
    assert.equal(headers.connection, 'close');
    await connection.closed();
  }));

test('HEAD gets the head of GET and no body', () =>
  raw(valor.port, async (connection) => {
    const head = await connection.send('HEAD /edge/ HTTP/1.1\r\nhost: x\r\n\r\n').response(true);
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], '4');
    assert.equal((await connection.send('HEAD /edge/ticks HTTP/1.1\r\nhost: x\r\n\r\n').response(true)).status, 200);
    assert.equal((await connection.send('HEAD /nowhere HTTP/1.1\r\nhost: x\r\n\r\n').response(true)).status, 404);
    assert.equal((await connection.get('/edge/').response()).body, 'root');
  }));

test('204 and 304 have no body and do not confuse what follows', () =>
  raw(valor.port, async (connection) => {
    const none = await connection.get('/bodies/string?status=204').response();
    assert.equal(none.status, 204);
    assert.equal(none.headers['content-length'], undefined);
    assert.equal(none.headers['transfer-encoding'], undefined);
    assert.equal((await connection.get('/bodies/string?status=304').response()).status, 304);
    const reset = await connection.get('/bodies/null?status=205').response();
    assert.equal(reset.body, '');
    assert.equal((await connection.get('/edge/').response()).body, 'root');
  }));

test('Expect: 100-continue is answered when the body is wanted', () =>
  raw(valor.port, async (connection) => {
    connection.send('POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n');
    assert.equal((await connection.response()).status, 100);
    connection.send('ok');
    const answer = await connection.response();
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.body).body.hex, '6f6b');
  }));

test('Expect: 100-continue for nobody gets the final answer at once', () =>
  raw(valor.port, async (connection) => {
    connection.send('POST /nowhere HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n');
    assert.equal((await connection.response()).status, 404);
  }));

test('an unknown expectation gets 417', async () => {
  assert.equal((await send('GET /echo HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\n\r\n')).status, 417);
});

test('an absolute-form target is taken and its authority wins over Host', async () => {
  const answer = await send('GET http://public.example/echo/x?y HTTP/1.1\r\nhost: other\r\n\r\n');
  assert.equal(JSON.parse(answer.body).url, 'x?y');
  const edge = await send('GET http://public.example/edge/echo HTTP/1.1\r\nhost: public.example\r\n\r\n');
  assert.equal(edge.status, 200);
});

test('trailers are read and ignored', () =>
  raw(valor.port, async (connection) => {
    connection.send(
      'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-request-id: from-trailer\r\nx-sum: 99\r\n\r\n',
    );
    const answer = await connection.response();
    assert.equal(JSON.parse(answer.body).body.hex, '6f6b');
    assert.notEqual(answer.headers['x-correlation-id'], 'from-trailer');
    assert.equal((await connection.get('/edge/').response()).body, 'root');
  }));

// What two parties might read differently is what lets one client smuggle a request past another.
const refused: Record<string, string> = {
  'two lengths': 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
  'a list of lengths': 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1, 2\r\n\r\nab',
  'a length and chunks':
    'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'chunks and a length':
    'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n',
  'framing in a trailer':
    'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 9\r\n\r\n',
  'chunked twice':
    'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'a negative length': 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
  'a signed length': 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\na',
  'a length beyond 64 bits': 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n',
  'a blank before the colon': 'GET /echo HTTP/1.1\r\nhost: x\r\nx-a : b\r\n\r\n',
  'a folded header': 'GET /echo HTTP/1.1\r\nhost: x\r\nx-a: b\r\n c\r\n\r\n',
  'NUL in a header': 'GET /echo HTTP/1.1\r\nhost: x\r\nx-a: b\0c\r\n\r\n',
  'no Host': 'GET /echo HTTP/1.1\r\n\r\n',
  'two Hosts': 'GET /echo HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n',
  'a blank in the target': 'GET /echo x HTTP/1.1\r\nhost: x\r\n\r\n',
  'an unknown scheme of words': 'HELLO\r\n\r\n',
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
};

for (const [what, text] of Object.entries(refused)) {
  test(`${what} gets 400 and the connection closes`, () =>
    raw(valor.port, async (connection) => {
      connection.send(text);
      const answer = await connection.response();
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      await connection.closed();
    }));
}

for (const coding of ['gzip', 'chunked, gzip', 'gzip, chunked']) {
  test(`the transfer coding "${coding}" gets 501 and the connection closes`, () =>
    raw(valor.port, async (connection) => {
      connection.send(`POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: ${coding}\r\n\r\n0\r\n\r\n`);
      assert.equal((await connection.response()).status, 501);
      await connection.closed();
    }));
}

test('a version that is not HTTP/1 gets 505', async () => {
  assert.equal((await send('GET /echo HTTP/3.0\r\nhost: x\r\n\r\n')).status, 505);
});

test('a malformed chunk ends the connection and the plug-in never sees a whole body', () =>
  raw(valor.port, async (connection) => {
    connection.send('POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n', 'zz\r\nok\r\n0\r\n\r\n');
    const text = await connection.rest();
    assert.doesNotMatch(text, /^HTTP\/1\.1 200/);
  }));

test('what a plug-in says about framing is overruled', async () => {
  const own = await serve([web('framing.js')]);
  try {
    await raw(own.port, async (connection) => {
      const answer = await connection.get('/framing').response();
      assert.equal(answer.body, 'four');
      assert.equal(answer.headers['content-length'], '4');
      assert.equal(answer.headers['transfer-encoding'], undefined);
      assert.equal((await connection.get('/framing').response()).body, 'four');
    });
  } finally {
    await own.stop();
  }
});

test('a client that leaves in the middle of anything disturbs nobody', async () => {
  const beginnings = [
    'GET /ec',
    'GET /echo HTTP/1.1\r\nhost',
    'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\npart',
    'POST /edge/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\npa',
    'GET /later?ms=50 HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /edge/ticks HTTP/1.1\r\nhost: x\r\n\r\n',
  ];
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      beginnings.map((text) =>
        raw(valor.port, async (connection) => {
          connection.send(text);
          await sleep(round * 4);
        }),
      ),
    );
  }
  assert.equal((await valor.ask('/echo/still')).json().url, 'still');
  assert.equal((await valor.ask('/edge/')).text, 'root');
});

test('a stream learns that its client has left', async () => {
  const connection = await RawConnection.open(valor.port);
  connection.get('/edge/cancelled');
  await connection.bytes(500);
  connection.close();
  await valor.logged(/stream cancelled by the client/);
});

test('a handler learns from its signal that its client has left', async () => {
  const connection = await RawConnection.open(valor.port);
  connection.get('/edge/aborted');
  await sleep(50);
  connection.close();
  await valor.logged(/signal aborted by the client/);
});
