// A plug-in is replaced through PUT fifty times while clients ask it without pause: no request fails, every answer comes from
// a version that was in force, and what the old versions took is given back. So is what plug-ins used that are removed.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { eventually, serve, sleep, temporaryFolder } from './harness.ts';
import { headerOf, LeanConnection } from './lean-client.ts';

const replacements = 50;
const limitMib = 10;
const connections = 8;
const pipelined = 8;

const folder = temporaryFolder();
const valor = await serve([], ['-w', '--no-access-log']);
after(() => valor.stop());

/** Every fourth version is slow to answer, so that old versions have something to finish. */
function version(number: number): string {
  const url = join(folder, `v${number}.js`);
  const late = number % 4 === 0;
  writeFileSync(
    url,
    `const version = '${number}';
    const state = Array.from({ length: 20_000 }, (_, i) => ({ i }));
    onmessage = ({ data }) => {
      const headers = [['x-correlation-id', data.headers.find(([name]) => name === 'x-request-id')[1]]];
      const answer = () => postMessage({ status: 200, headers, body: version });
      ${late ? 'setTimeout(answer, state.length % 7)' : 'answer()'};
    };`,
  );
  return JSON.stringify({ type: 'web', name: 'versioned', url });
}

async function put(number: number): Promise<void> {
  const answer = await valor.ask('/_plugins/versioned', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: version(number),
  });
  assert.ok([200, 201].includes(answer.status), answer.text);
}

const threads = (): number => readdirSync(`/proc/${valor.process.pid}/task`).length;

test(`PUT ${replacements} times under load: no failed request, and memory within ${limitMib} MiB`, async (t) => {
  let current = 0;
  let oldest = 0; // what a request that is sent now may be answered by
  let running = true;
  let requests = 0;
  const seen = new Set<number>();

  const client = async (): Promise<void> => {
    const connection = new LeanConnection(valor.port);
    while (running) {
      const from = oldest;
      let text = '';
      for (let i = 0; i < pipelined; i++)
        text += `GET /versioned HTTP/1.1\r\nhost: x\r\nx-request-id: ${requests + i}\r\n\r\n`;
      const first = requests;
      requests += pipelined;
      connection.send(text);
      for (let i = 0; i < pipelined; i++) {
        const answer = await connection.next();
        assert.equal(answer?.status, 200, answer?.body ?? 'the connection was closed');
        assert.equal(headerOf(answer!, 'x-correlation-id'), String(first + i));
        const number = Number(answer!.body);
        assert.ok(number >= from && number <= current, `version ${number}, not ${from} to ${current}`);
        seen.add(number);
      }
    }
    connection.close();
  };
  const replace = async (): Promise<void> => {
    await put(++current);
    oldest = current;
    await sleep(20);
  };

  await replace();
  const clients = Promise.all(Array.from({ length: connections }, client));
  for (let i = 0; i < 12; i++) await replace();
  const settled = async (): Promise<number> => {
    await eventually(() => threads() <= steady, `the end of old instances (${threads()} threads, ${steady})`);
    // The lowest of several looks: garbage of the moment is no growth.
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 10; i++) {
      least = Math.min(least, valor.memoryKib('VmRSS'));
      await sleep(20);
    }
    return least;
  };
  let steady = threads();
  for (let i = 0; i < 20; i++) {
    steady = Math.min(steady, threads());
    await sleep(20);
  }
  const files = valor.openFiles();
  const before = await settled();
  for (let i = 0; i < replacements; i++) await replace();
  const grown = ((await settled()) - before) / 1024;
  running = false;
  await clients;
  assert.ok(valor.openFiles() <= files, `${valor.openFiles()} open files, ${files} before`);
  t.diagnostic(`${requests} requests during ${current} versions, memory ${grown.toFixed(1)} MiB more`);
  assert.ok(seen.size > replacements / 2, `${seen.size} versions were seen`);
  assert.ok(requests > 50 * replacements, `${requests} requests`);
  assert.ok(grown < limitMib, `${grown} MiB more`);
});

test('what plug-ins used goes back to the system when they go', async (t) => {
  const url = join(folder, 'large.js');
  writeFileSync(
    url,
    `const kept = Array.from({ length: 200_000 }, (_, i) => ({ i, text: 'number ' + i }));
     onmessage = () => postMessage({ body: String(kept.length) });`,
  );
  const mib = (): number => valor.memoryKib('VmRSS') / 1024;
  const names = Array.from({ length: 6 }, (_, i) => `large-${i}`);
  const before = mib();
  for (const name of names) {
    const body = JSON.stringify({ type: 'web', name, url, limits: { memory_mb: 64 } });
    const added = await valor.ask('/_plugins', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    assert.equal(added.status, 201, added.text);
    assert.equal((await valor.ask(`/${name}`)).text, '200000');
  }
  const taken = mib() - before;
  for (const name of names) assert.equal((await valor.ask(`/_plugins/${name}`, { method: 'DELETE' })).status, 204);
  await eventually(() => mib() - before < taken / 3, `most of ${Math.round(taken)} MiB to go back`);
  t.diagnostic(`${Math.round(taken)} MiB taken, ${Math.round(mib() - before)} MiB kept`);
  assert.ok(taken > 40, `${taken} MiB were taken`);
});
