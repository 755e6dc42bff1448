// Fetches of guests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeHost, within } from './testing/fake-host.ts';
import { op, writeCalling } from './testing/module-writer.ts';

const instance = op.loadI64(8);
const request = op.local(1);
const texts = { method: 64, url: 128, headers: 512, body: 600 };
const fetchAt = 16; // the fetch's number
const requestAt = 24;

interface Fetching {
  method?: string;
  url?: string;
  headers?: string;
  length?: bigint;
  flags?: number;
  /** A piece for each. */
  body?: string[];
  end?: boolean;
  /** Its head is not waited for. */
  afterwards?: 'cancel' | 'fetch_cancel' | 'again';
}

/** Fetches once for each request, and answers with the status of completion and what came with it. */
function fetching(what: Fetching = {}): Uint8Array<ArrayBuffer> {
  const { method = 'GET', url = 'other', headers = '', length = -1n, flags = 0, body = [], end = flags === 1 } = what;
  const place = (address: number, text: string): number[] => [...op.i32(address), ...op.i32(text.length)];
  return writeCalling(['send_head', 'send_body', 'send_end', 'fetch', 'respond', 'cancel', 'fetch_cancel'], (call) => {
    const begin = [
      ...[...instance, ...request, ...place(texts.method, method), ...place(texts.url, url)],
      ...[...place(texts.headers, headers), ...op.i64(length), ...op.i32(flags), ...op.i64(5n)],
      ...call('fetch').slice(0, -1),
    ];
    const code = [...op.storeI64(requestAt, request), ...op.storeI64(fetchAt, begin)];
    const fetch = op.loadI64(fetchAt);
    let at = texts.body;
    for (const piece of body) {
      code.push(...instance, ...fetch, ...place(at, piece), ...op.i64(6n), ...call('send_body'));
      at += piece.length;
    }
    if (end) code.push(...instance, ...fetch, ...call('send_end'));
    if (what.afterwards === 'cancel') code.push(...instance, ...op.i64(5n), ...call('cancel'));
    if (what.afterwards === 'fetch_cancel') code.push(...instance, ...fetch, ...call('fetch_cancel'));
    if (what.afterwards === 'again') code.push(...begin, ...op.drop);
    return {
      data: { [texts.method]: method, [texts.url]: url, [texts.headers]: headers, [texts.body]: body.join('') },
      start: code,
      // Answers with status 200 - status and the data.
      complete: [
        ...[...instance, ...op.loadI64(requestAt), ...op.i32(200), ...op.local(2), 0x6b],
        ...[...op.i32(0), ...op.i32(0), ...op.local(3), ...op.local(4), ...call('respond')],
      ],
    };
  });
}

const failed = 205;

test('the head of the response arrives as the ABI has it', async () => {
  const plugin = await FakeHost.start(fetching({ url: 'other?a=b' }));
  let asked: Request | undefined;
  plugin.fetch = async (request) => {
    asked = request;
    return new Response('12345', { status: 201, headers: { 'x-a': 'gr\u00fc', 'content-length': '5' } });
  };
  const { status, body } = await plugin.begin('').head;
  assert.equal(asked?.url, 'http://127.0.0.1:8080/test/other?a=b');
  assert.equal(asked?.method, 'GET');
  assert.equal(status, 200);
  const head = new DataView(body as ArrayBuffer);
  const text = (at: number): string => {
    const bytes = new Uint8Array(body as ArrayBuffer, head.getUint32(at, true), head.getUint32(at + 4, true));
    return String.fromCharCode(...bytes);
  };
  assert.deepEqual(
    [0, 4, 16].map((at) => head.getUint32(at, true)),
    [40, 1, 201],
  );
  assert.equal(head.getBigUint64(8, true), 5n);
  assert.equal(text(20), 'http://127.0.0.1:8080/test/other?a=b');
  const headers = head.getUint32(28, true);
  const count = head.getUint32(32, true);
  const pairs = Array.from({ length: count }, (_, i) => `${text(headers + i * 16)}: ${text(headers + i * 16 + 8)}`);
  assert.deepEqual(pairs, ['content-length: 5', 'content-type: text/plain;charset=UTF-8', 'x-a: gr\u00fc']);
});

test('a fetch that fails says why', async () => {
  const plugin = await FakeHost.start(fetching());
  plugin.fetch = async () => {
    throw new TypeError('Failed to fetch');
  };
  const answer = await plugin.send('');
  assert.equal(answer.status, failed);
  assert.equal(answer.text, 'cannot fetch http://127.0.0.1:8080/test/other: Failed to fetch');
});

test('a redirect that is not to be followed cannot be shown', async () => {
  const plugin = await FakeHost.start(fetching({ flags: 2 }));
  plugin.fetch = async (request) => {
    assert.equal(request.redirect, 'manual');
    return Response.error();
  };
  const answer = await plugin.send('');
  assert.match(answer.text, /it redirects, and browsers do not show where to/);
});

test('a body is sent when it has ended', async () => {
  const plugin = await FakeHost.start(fetching({ method: 'POST', flags: 1, body: ['ab', '', 'cd'], length: 4n }));
  let sent = '';
  plugin.fetch = async (request) => {
    sent = `${request.method} ${await request.text()}`;
    return new Response();
  };
  assert.equal((await plugin.send('')).status, 200);
  assert.equal(sent, 'POST abcd');
});

test('a body of another size than announced makes it fail', async () => {
  for (const length of [3n, 5n]) {
    const plugin = await FakeHost.start(fetching({ method: 'POST', flags: 1, body: ['abcd'], length }));
    plugin.fetch = () => assert.fail('it was sent');
    const answer = await plugin.send('');
    assert.equal(answer.status, failed);
    assert.match(answer.text, length === 3n ? /more bytes than it had announced/ : /fewer bytes/);
  }
});

test('what breaks a rule is refused', async () => {
  const cut = '\x01\0\0\0\x01\0\0\0a';
  const refused: [Fetching, RegExp][] = [
    [{ method: 'CONNECT' }, /CONNECT/],
    [{ method: 'a b' }, /a b/],
    [{ method: 'GET', flags: 1 }, /GET has no body/],
    [{ url: 'ftp://h/' }, /neither http: nor https:/],
    [{ url: 'http://' }, /Invalid URL/],
    [{ url: 'http://u:p@h/' }, /credentials/],
    [{ flags: 8 }, /a flag of no meaning/],
    [{ headers: cut }, /a block of headers cut short/],
    [{ headers: '\x01\0\0\0\x03\0\0\0ax\ny' }, /value/],
    [{ afterwards: 'again' }, /the number of the operation is in use/],
    [{ body: ['x'] }, /begun without VALOR_FETCH_BODY/],
    [{ end: true }, /begun without VALOR_FETCH_BODY/],
  ];
  for (const [what, words] of refused) {
    const plugin = await FakeHost.start(fetching(what));
    plugin.fetch = () => new Promise(() => {});
    plugin.begin('').head.catch(() => {});
    assert.match(plugin.log, words, JSON.stringify(what));
    assert.match(plugin.log, /^error: (fetch|send_body|send_end)\(\): /);
    plugin.instance.destroy();
  }
});

test('a request that ends takes its fetches with it', async () => {
  const plugin = await FakeHost.start(fetching());
  let signal: AbortSignal | undefined;
  plugin.fetch = (request) => {
    signal = request.signal;
    return new Promise(() => {});
  };
  const { id, head } = plugin.begin('');
  head.catch(() => {});
  assert.equal(signal?.aborted, false);
  plugin.instance.drop(id, 'gone');
  assert.equal(signal?.aborted, true);
});

for (const afterwards of ['cancel', 'fetch_cancel'] as const) {
  test(`${afterwards} ends a fetch, and nothing is completed`, async () => {
    const plugin = await FakeHost.start(fetching({ afterwards }));
    const { promise, resolve } = Promise.withResolvers<Response>();
    let signal: AbortSignal | undefined;
    plugin.fetch = (request) => {
      signal = request.signal;
      return promise;
    };
    const { head } = plugin.begin('');
    assert.equal(signal?.aborted, true);
    resolve(new Response('late'));
    await assert.rejects(within(head, 'an answer', 50));
  });
}

test('too many are refused', async () => {
  const bytes = writeCalling(['fetch'], (call) => ({
    data: { [texts.method]: 'GET' },
    start: [
      ...[...instance, ...op.i64(0n), ...op.i32(texts.method), ...op.i32(3), ...op.i32(0), ...op.i32(0)],
      ...[...op.i32(0), ...op.i32(0), ...op.i64(0n), ...op.i32(0), ...request, ...call('fetch')],
    ],
  }));
  const plugin = await FakeHost.start(bytes);
  plugin.fetch = () => new Promise(() => {});
  for (let i = 0; i < 1024; i++) plugin.begin('').head.catch(() => {});
  assert.equal(plugin.log, '');
  plugin.begin('').head.catch(() => {});
  assert.match(plugin.log, /1024 fetches are open/);
  plugin.instance.destroy();
});
