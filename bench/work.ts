// What the Web platform costs: a stream of 1 GiB, a digest of 1 MiB, JSON of 1 MiB, gzip of 10 MiB. One connection, one request
// after the other.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, type Subject } from './processes.ts';
import { benchFolder } from './runtimes.ts';

export interface WorkRun {
  /** Of the process, user and system, per request. */
  cpuMs: number;
  wallMs: number;
}

interface Work {
  label: string;
  path: string;
  repeat: number;
  /** Bytes of the answer, where they are the point. */
  size?: number;
  body?: string;
}

const body = join(benchFolder, 'books.json');

export const works: Record<string, Work> = {
  stream: { label: '1 GiB through a TransformStream', path: '/stream', repeat: 1, size: 2 ** 30 },
  'stream-js': { label: '1 GiB through transform(), in JavaScript', path: '/stream-js', repeat: 1, size: 2 ** 30 },
  sha256: { label: 'SHA-256 of 1 MiB', path: '/sha256', repeat: 200 },
  json: { label: 'request.json() of 1 MiB', path: '/json', repeat: 50, body },
  gzip: { label: 'gzip of 10 MiB', path: '/gzip', repeat: 3 },
};

/** Computations in C (core/): the same code in every column, native where that is said. */
export const coreWorks: Record<string, Work> = {
  'core-sha256': { label: 'SHA-256 of 1 MiB, in WASM', path: '/sha256', repeat: 30 },
  'core-mandelbrot': { label: 'Mandelbrot set, in WASM', path: '/mandelbrot', repeat: 30 },
  'core-json': { label: 'JSON of 1 MiB transformed, in WASM', path: '/json', repeat: 60 },
};

/** A JSON document of 1 MiB as an API has it. */
export function writeBody(): void {
  const books: object[] = [];
  for (let id = 0, size = 0; size < 2 ** 20 - 200; id++) {
    const book = {
      id,
      title: `A book about ${id}`,
      authors: ['Ada', 'Grace'],
      price: id / 7,
      tags: { new: id % 2 === 0, pages: id },
    };
    size += JSON.stringify(book).length + 1;
    books.push(book);
  }
  writeFileSync(body, JSON.stringify({ books }));
}

/** Undefined where the runtime does not have it. */
export async function measureWork(name: string, subject: Subject, prefix: string): Promise<WorkRun | undefined> {
  const { path, repeat, size, body: sent } = { ...works, ...coreWorks }[name]!;
  const url = `http://127.0.0.1:${subject.port}${prefix}${path}`;
  const data = sent ? ['--data-binary', `@${sent}`, '-H', 'content-type: application/json', '-H', 'expect:'] : [];
  const urls = Array.from({ length: repeat }, () => ['-o', '/dev/null', url]).flat();
  const cpu = subject.cpuUs();
  const wall = performance.now();
  const output = await run({
    command: 'curl',
    args: ['-s', ...data, '-w', '%{http_code} %{size_download}\n', ...urls],
  });
  const wallMs = (performance.now() - wall) / repeat;
  const cpuMs = (subject.cpuUs() - cpu) / 1000 / repeat;
  for (const line of output.trim().split('\n')) {
    const [status, length] = line.split(' ').map(Number);
    if (status !== 200 || (size !== undefined && length !== size)) return undefined;
  }
  return { cpuMs, wallMs };
}
