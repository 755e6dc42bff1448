// Two clients never see each other's answers. A hundred thousand requests of clients that hurry, dawdle and leave, many of
// them by the same x-request-id at the same time, to plug-ins that answer out of order, late, twice or never. Each request
// carries a secret, and what comes back for it is that secret or an error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { native, serve, sleep, type Valor, web } from './harness.ts';
import { headerOf, LeanConnection, type LeanResponse, Random } from './lean-client.ts';

const seed = Number(process.env.ISOLATION_SEED ?? 20260214);
const total = Number(process.env.ISOLATION_REQUESTS ?? 100_000);
const clientCount = 96;
const sharedIds = Array.from({ length: 12 }, (_, i) => `id-${i}`);

interface Sent {
  secret: string;
  id: string | undefined;
  way: string;
  expected: string;
}

// How likely each way is; the slow ones are few, because a connection waits for them.
const ways: [way: string, weight: number][] = [
  ['mixed/named', 180],
  ['mixed/unnamed', 100],
  ['mixed/promise', 80],
  ['mixed/late', 120],
  ['mixed/reversed', 120],
  ['mixed/twice', 60],
  ['mixed/twice-unnamed', 40],
  ['mixed/twice-late', 40],
  ['mixed/astray', 10],
  ['mixed/throw', 15],
  ['mixed/garbage', 15],
  ['mixed/never', 1],
  ['nameless/late-unnamed', 12],
  ['nameless/never', 0.2],
  ['fetch/', 120],
  ['fetch/late', 60],
  ['fetch/stream', 30],
  ['fetch/echo', 50],
  ['fetch/breaks', 4],
  ['fetch/throw', 10],
  ['fetch/garbage', 10],
  ['fetch/never', 1],
  ['narrow/busy', 15],
  ['fragile/late', 15],
  ['fragile/stuck', 0.15],
  ['fragile/hoard', 0.3],
  ['native', 90],
];
const weightSum = ways.reduce((sum, [, weight]) => sum + weight, 0);

class Outcomes {
  readonly counts = new Map<string, number>();

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  of(what: string): number {
    return this.counts.get(what) ?? 0;
  }
}

let issued = 0;
const outcomes = new Outcomes();
/** Requests by id that are under way, to see that equal ids really met. */
const underWay = new Map<string, number>();

function pickWay(random: Random): string {
  let choice = random.next() * weightSum;
  for (const [way, weight] of ways) {
    choice -= weight;
    if (choice < 0) return way;
  }
  return ways[0]![0];
}

function makeRequest(random: Random): { sent: Sent; bytes: string } {
  const way = pickWay(random);
  const secret = `secret-${++issued}-${random.below(2 ** 30).toString(36)}-of-nobody-else`;
  const id = random.chance(0.5) ? random.pick(sharedIds) : random.chance(0.5) ? `own-${issued}` : undefined;
  const inBody = way !== 'native' && random.chance(0.3);
  const query = way === 'native' ? `?who=${secret}` : `?ms=${random.below(8)}${inBody ? '' : `&secret=${secret}`}`;
  let bytes = `${inBody ? 'POST' : 'GET'} /${way}${query} HTTP/1.1\r\nhost: x\r\n`;
  if (id !== undefined) bytes += `x-request-id: ${id}\r\n`;
  if (!inBody) {
    bytes += '\r\n';
  } else if (random.chance(0.5)) {
    bytes += `content-length: ${secret.length}\r\n\r\n${secret}`;
  } else {
    const half = 1 + random.below(secret.length - 1);
    bytes += 'transfer-encoding: chunked\r\n\r\n';
    for (const chunk of [secret.slice(0, half), secret.slice(half)])
      bytes += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    bytes += '0\r\n\r\n';
  }
  return { sent: { secret, id, way, expected: way === 'native' ? `Alice says hello ${secret}!` : secret }, bytes };
}

/** What came for a request must be its own. */
function check(sent: Sent, answer: LeanResponse): void {
  const about = `${sent.way} ${sent.secret}: ${answer.head}\n\n${answer.body}`;
  const correlation = headerOf(answer, 'x-correlation-id');
  if (sent.id === undefined) assert.match(correlation ?? '', /^[0-9a-f]{32}$/, about);
  else assert.equal(correlation, sent.id, about);
  if (answer.status === 200) {
    if (answer.complete) assert.equal(answer.body, sent.expected, about);
    else checkPart(sent, answer.body, about);
    outcomes.add(answer.complete ? 'answered' : 'broken off');
    outcomes.add(`${sent.way} answered`);
    return;
  }
  assert.ok([500, 502, 503, 504].includes(answer.status), about);
  assert.equal(headerOf(answer, 'content-type'), 'application/problem+json', about);
  assert.equal(JSON.parse(answer.body).request_id, correlation, about);
  assert.ok(!answer.body.includes('secret'), about);
  outcomes.add(String(answer.status));
}

function checkPart(sent: Sent, chunked: string, about: string): void {
  assert.equal(sent.way, 'fetch/breaks', `only these break off: ${about}`);
  const text = chunked.replace(/[0-9a-f]+\r\n([\s\S]{4})\r\n/g, '$1');
  assert.ok(text.length > 0 && sent.expected.startsWith(text), about);
}

function begin(sent: Sent): void {
  if (sent.id === undefined) return;
  const others = underWay.get(sent.id) ?? 0;
  if (others > 0) outcomes.add('met another of the same id');
  underWay.set(sent.id, others + 1);
}

function end(sent: Sent): void {
  if (sent.id !== undefined) underWay.set(sent.id, underWay.get(sent.id)! - 1);
}

/** Sends a batch on one connection and reads its answers, or leaves. Returns whether the connection can be used again. */
async function batch(connection: LeanConnection, random: Random): Promise<boolean> {
  const size = random.chance(0.5) ? 1 : 1 + random.below(32);
  const requests = Array.from({ length: size }, () => makeRequest(random));
  const bytes = requests.map((request) => request.bytes).join('');
  for (const { sent } of requests) begin(sent);
  const leaves = random.chance(0.06);
  try {
    if (leaves && random.chance(0.5)) {
      // In the middle of a head or of a body.
      connection.send(bytes.slice(0, 1 + random.below(bytes.length - 1)));
      await sleep(random.below(4));
      outcomes.add('left while sending');
      return false;
    }
    if (random.chance(0.04)) {
      outcomes.add('sent slowly');
      const cut = 1 + random.below(bytes.length - 1);
      connection.send(bytes.slice(0, cut));
      await sleep(1 + random.below(5));
      connection.send(bytes.slice(cut));
    } else {
      connection.send(bytes);
    }
    if (random.chance(0.04)) {
      outcomes.add('read slowly');
      connection.socket.pause();
      await sleep(1 + random.below(10));
      connection.socket.resume();
    }
    const wanted = leaves ? random.below(size) : size;
    for (const { sent } of requests.slice(0, wanted)) {
      const answer = await connection.next();
      if (answer === null) {
        const list = requests.map((request) => request.sent.way).join(' ');
        throw new Error(`closed without an answer to ${sent.way} ${sent.secret} among ${list}`);
      }
      check(sent, answer);
      if (!answer.complete) return false;
    }
    if (leaves) outcomes.add('left while waiting');
    return !leaves;
  } finally {
    for (const { sent } of requests) end(sent);
  }
}

async function client(port: number, random: Random): Promise<void> {
  let connection: LeanConnection | undefined;
  try {
    while (issued < total) {
      connection ??= new LeanConnection(port);
      const again = await batch(connection, random);
      if (again && random.chance(0.97)) continue;
      if (random.chance(0.3)) connection.socket.resetAndDestroy();
      connection.close();
      connection = undefined;
    }
  } finally {
    connection?.close();
  }
}

async function serveAll(): Promise<Valor> {
  const limits = { timeout_ms: 700 };
  return serve(
    [
      web('mixed.js', { limits, instances: { min: 2, max: 2 } }),
      web('mixed.js', { name: 'nameless', limits: { timeout_ms: 300 }, instances: { min: 2, max: 2 } }),
      web('mixed.js', { name: 'narrow', limits: { ...limits, queue: 3 } }),
      web('mixed.js', { name: 'fragile', limits: { timeout_ms: 400, memory_mb: 16 } }),
      web('mixed-fetch.js', { name: 'fetch', limits }),
      native('with-state-cpp', { name: 'native', config: 'Alice' }),
    ],
    ['--no-access-log', '--log-level', 'off'],
  );
}

test(`${total} requests get their own answers (ISOLATION_SEED=${seed})`, { timeout: 280_000 }, async (t) => {
  const valor = await serveAll();
  try {
    const started = Date.now();
    await Promise.all(
      Array.from({ length: clientCount }, (_, i) => client(valor.port, new Random(Math.imul(seed + i, 0x9e3779b1)))),
    );
    t.diagnostic(`${issued} requests in ${((Date.now() - started) / 1000).toFixed(1)} s, seed ${seed}`);
    t.diagnostic(JSON.stringify(Object.fromEntries([...outcomes.counts].sort())));

    // A check that never had anything to check is none.
    assert.ok(outcomes.of('answered') > total / 2, 'most are answered');
    for (const what of ['500', '502', '503', '504', 'broken off', 'left while sending', 'left while waiting']) {
      assert.ok(outcomes.of(what) > 0, `none: ${what}`);
    }
    for (const what of ['sent slowly', 'read slowly']) assert.ok(outcomes.of(what) > 0, `none: ${what}`);
    for (const [way] of ways) {
      const ends = /\/(never|throw|garbage|breaks|stuck|hoard)$/.test(way) ? undefined : outcomes.of(`${way} answered`);
      assert.notEqual(ends, 0, `none answered: ${way}`);
    }
    assert.ok(outcomes.of('met another of the same id') > total / 10, 'equal ids met');

    // Nobody is left behind.
    for (const name of ['mixed/named', 'nameless/late-unnamed', 'fetch/', 'narrow/named', 'fragile/named']) {
      assert.equal((await valor.ask(`/${name}?secret=still`)).text, 'still', name);
    }
    assert.equal((await valor.ask('/native?who=Bob')).text, 'Alice says hello Bob!');
  } finally {
    await valor.stop();
  }
});
