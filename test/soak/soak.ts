// make soak: ten minutes of everything at once (SOAK_SECONDS), and then a verdict. To find who is to blame for one,
// SOAK_ONLY=leaves,breaks runs those clients alone.
//
// The rule: after a warm-up of a fifth of the time (at most a minute) the load pauses until the server has come to rest, and
// again at the end. Every plug-in is then replaced by itself, so that no heap of an instance counts that V8 has yet to
// collect. Between these two moments memory may grow by 10 MiB or a tenth,
// whichever is more; open files and threads may not grow at all. And no client may have got an answer that it must not get.
import { readdirSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { native, root, serve, sleep, type Valor, web } from '../harness.ts';
import { Random } from '../lean-client.ts';
import { clients, Tally, type Turn } from './load.ts';

const seconds = Number(process.env.SOAK_SECONDS ?? 600);
const seed = Number(process.env.SOAK_SEED ?? 1);
const only = process.env.SOAK_ONLY?.split(',');
const warmUpMs = Math.min(60, seconds / 5) * 1000;
const restMs = 40_000;
const allowedMib = 10;
const allowedShare = 0.1;

interface Sample {
  memoryMib: number;
  files: number;
  threads: number;
}

function sample(valor: Valor): Sample {
  return {
    memoryMib: valor.memoryKib('VmRSS') / 1024,
    files: valor.openFiles(),
    threads: readdirSync(`/proc/${valor.process.pid}/task`).length,
  };
}

const show = ({ memoryMib, files, threads }: Sample): string =>
  `${memoryMib.toFixed(1)} MiB, ${files} open files, ${threads} threads`;

/** The least of what is seen while nothing is asked: what ended a moment ago may take a while to go. */
async function atRest(valor: Valor, atMost: Sample | undefined): Promise<Sample> {
  for (const definition of plugins) {
    const { status, text } = await valor.ask(`/_plugins/${definition.name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(definition),
    });
    if (status !== 200) throw new Error(`PUT ${definition.name}: ${status} ${text}`);
  }
  const end = Date.now() + restMs;
  let least = sample(valor);
  let still = 0;
  while (Date.now() < end && still < 30) {
    await sleep(100);
    const now = sample(valor);
    const better = now.memoryMib < least.memoryMib - 0.1 || now.files < least.files || now.threads < least.threads;
    still = better ? 0 : still + 1;
    least = {
      memoryMib: Math.min(least.memoryMib, now.memoryMib),
      files: Math.min(least.files, now.files),
      threads: Math.min(least.threads, now.threads),
    };
    if (atMost && (least.files > atMost.files || least.threads > atMost.threads)) still = 0;
  }
  return least;
}

/** Has every client do its turns until `ms` have passed. */
async function load(valor: Valor, ms: number, random: Random, tally: Tally, errors: string[]): Promise<void> {
  const end = Date.now() + ms;
  const run = async (turn: Turn, own: Random): Promise<void> => {
    while (Date.now() < end && errors.length === 0) {
      try {
        await turn(valor, own, tally);
      } catch (error) {
        errors.push(String(error));
      }
    }
  };
  const running = clients
    .filter(([name]) => only === undefined || only.includes(name))
    .flatMap(([, turn, count]) => Array.from({ length: count }, () => run(turn, new Random(random.below(2 ** 32)))));
  const report = setInterval(
    () => console.log(`${Math.round((end - Date.now()) / 1000)} s left: ${show(sample(valor))}`),
    10_000,
  );
  await Promise.all(running);
  clearInterval(report);
}

const upstream = http.createServer((request, response) => {
  setTimeout(() => response.end('from upstream'), request.url === '/slow' ? 500 : 0);
});
upstream.listen(0, '127.0.0.1');
await new Promise((done) => upstream.once('listening', done));

const limits = { timeout_ms: 10_000, memory_mb: 32 };
const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
const plugins = [
  web('mixed.js', { limits, instances: { min: 2, max: 2 } }),
  web('mixed-fetch.js', { name: 'fetch', limits }),
  web('mixed.js', { name: 'fragile', limits: { timeout_ms: 300, memory_mb: 16 } }),
  web('stream.js', { limits }),
  web('gone.js', { limits }),
  web('counter.js', { limits }),
  native('with-state-cpp', { name: 'native', config: 'Alice' }),
  native('transfer-cpp', { name: 'transfer' }),
  { type: 'static', name: 'site', builtin: 'files', path: join(root, 'examples/site') },
  { type: 'static', name: 'proxy', config: { upstream: upstreamUrl } },
];
const valor = await serve(plugins, [
  '-w',
  '--no-access-log',
  '--log-level',
  'warn',
  '--header-timeout',
  '8',
  '--body-timeout',
  '8',
]);
const errors: string[] = [];
const tally = new Tally();
const random = new Random(seed);

console.log(`soak of ${seconds} s, seed ${seed}; at the start: ${show(sample(valor))}`);
await load(valor, warmUpMs, random, tally, errors);
const before = await atRest(valor, undefined);
console.log(`after the warm-up, at rest: ${show(before)}`);
await load(valor, seconds * 1000 - warmUpMs, random, tally, errors);
const allowed = Math.max(allowedMib, before.memoryMib * allowedShare);
const after = await atRest(valor, before);
console.log(`at the end, at rest: ${show(after)}`);
for (const [what, count] of [...tally.counts].sort()) console.log(`  ${what}: ${count}`);

const grown = after.memoryMib - before.memoryMib;
if (grown > allowed) errors.push(`memory grew by ${grown.toFixed(1)} MiB, ${allowed.toFixed(1)} are allowed`);
if (after.files > before.files) errors.push(`${after.files - before.files} more open files`);
if (after.threads > before.threads) errors.push(`${after.threads - before.threads} more threads`);
if (valor.process.exitCode !== null || valor.process.signalCode !== null) errors.push('the server ended');
await valor.stop();
upstream.close();
if (errors.length > 0) console.log(valor.log.slice(-10_000));
for (const error of errors) console.log(`FAILED: ${error}`);
console.log(errors.length === 0 ? 'flat' : 'not flat');
process.exit(errors.length === 0 ? 0 : 1);
