// Malformed requests: each is refused, nothing behind it is taken for a request, and everybody else is served.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';
import { headerOf, LeanConnection, type LeanResponse, Random } from './lean-client.ts';
import { badBodies, badHeads, odd } from './malformed-cases.ts';

const valor = await serve([web('counter.js'), web('edge.js'), web('echo.js')]);
after(() => valor.stop());

const good = 'GET /counter HTTP/1.1\r\nHost: x\r\n\r\n';
// Whoever takes it for a request closes the connection, so that nobody has to wait for what must not come.
const behind = 'GET /counter HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: behind\r\n\r\n';
// Where the bytes are cut decides what the parser sees at once.
const random = new Random(20260101);

/** All answers to these bytes until the server closes. */
async function answers(bytes: string, pieces: number): Promise<LeanResponse[]> {
  const connection = new LeanConnection(valor.port);
  try {
    let rest = bytes;
    for (let i = 1; i < pieces; i++) {
      const size = random.below(rest.length);
      connection.send(rest.slice(0, size));
      rest = rest.slice(size);
      await new Promise((done) => setImmediate(done));
    }
    connection.send(rest);
    const all: LeanResponse[] = [];
    for (;;) {
      const answer = await connection.next();
      if (answer === null) return all;
      all.push(answer);
    }
  } finally {
    connection.close();
  }
}

/** How many requests the plug-in has had, this one included. */
async function counted(): Promise<number> {
  const answer = await valor.ask('/counter');
  assert.equal(answer.status, 200);
  return Number(answer.text);
}

function isRefusal(answer: LeanResponse | undefined, status: number): void {
  assert.ok(answer, 'no answer');
  assert.equal(answer.status, status, answer.body);
  assert.equal(headerOf(answer, 'content-type'), 'application/problem+json');
  assert.equal(headerOf(answer, 'connection'), 'close');
  const problem = JSON.parse(answer.body);
  assert.equal(problem.status, status);
  assert.equal(problem.request_id, headerOf(answer, 'x-correlation-id'));
  assert.notEqual(problem.request_id, 'behind');
}

test('there are enough cases', () => {
  assert.ok(badHeads.length >= 100 && badBodies.length >= 30);
});

for (const { what, bytes, status } of badHeads) {
  test(`${what} gets ${status}, and what follows is no request`, async () => {
    const before = await counted();
    for (const pieces of [1, 2, 5]) {
      const all = await answers(bytes + behind, pieces);
      assert.equal(all.length, 1, `${all.length} answers, in ${pieces} pieces`);
      isRefusal(all[0], status);
    }
    const [first, bad, ...more] = await answers(good + bytes + behind, 1);
    assert.equal(first?.status, 200, 'the request before it');
    isRefusal(bad, status);
    assert.equal(more.length, 0);
    assert.equal(await counted(), before + 2, 'the plug-in saw the good requests only');
  });
}

const chunked = (target: string): string => `POST ${target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;

for (const { what, bytes, status } of badBodies) {
  test(`a body with ${what} gets ${status} where it is read, and what follows is no request`, async () => {
    const before = await counted();
    for (const pieces of [1, 2, 5]) {
      const all = await answers(chunked('/echo') + bytes + behind, pieces);
      assert.equal(all.length, 1, `${all.length} answers, in ${pieces} pieces`);
      isRefusal(all[0], status);
      // A stream has begun its answer by then, so it breaks off; and where nobody reads, the answer is there before.
      const [streamed, ...more] = await answers(chunked('/edge/echo') + bytes + behind, pieces);
      if (streamed?.status === 200) assert.equal(streamed.complete, false, 'a whole answer to half a body');
      else if (streamed) isRefusal(streamed, status);
      assert.equal(more.length, 0);
      const [nobody, ...others] = await answers(chunked('/nowhere') + bytes + behind, pieces);
      assert.equal(nobody?.status, 404);
      assert.equal(others.length, 0);
    }
    assert.equal(await counted(), before + 1);
  });
}

for (const [what, bytes] of Object.entries(odd)) {
  test(`${what} is fine, and the next request begins behind it`, async () => {
    const before = await counted();
    for (const pieces of [1, 2, 5]) {
      const all = await answers(bytes + behind, pieces);
      assert.deepEqual(
        all.map(({ status }) => status),
        [200, 200],
        all[0]?.body ?? 'no answer',
      );
      assert.equal(headerOf(all[1]!, 'x-correlation-id'), 'behind');
    }
    assert.equal(await counted(), before + 7);
  });
}

test('OPTIONS * is a request about the server, which no plug-in answers', async () => {
  const [first, second] = await answers(`OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n${behind}`, 1);
  assert.equal(first?.status, 404);
  assert.equal(second?.status, 200);
});

test('after a request that closes the connection nothing is a request any more', async () => {
  const before = await counted();
  const all = await answers(`GET /counter HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${behind}`, 1);
  assert.equal(all.length, 1);
  assert.equal(await counted(), before + 2);
});

test('a head that never ends is no request, whatever it holds', async () => {
  const before = await counted();
  const connection = new LeanConnection(valor.port);
  connection.send('GET /counter HTTP/1.1\r\nHost: x\r\nX-A: b\r\n');
  await new Promise((done) => setTimeout(done, 20));
  connection.close();
  assert.equal(await counted(), before + 1);
});
