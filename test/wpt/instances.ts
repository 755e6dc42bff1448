// Tests run as plug-ins of one long-lived `valor`, which is started again when a test has ended it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Valor } from '../harness.ts';
import type { TestServer } from './server.ts';
import type { Test } from './tests.ts';

/** As testharness.js numbers them; the last one is ours. */
export type Status = 'OK' | 'ERROR' | 'TIMEOUT' | 'PRECONDITION_FAILED' | 'CRASH';
const statuses: Status[] = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED'];

export interface Subtest {
  name: string;
  passed: boolean;
  message: string;
}

export interface Outcome {
  status: Status;
  message: string;
  subtests: Subtest[];
}

const deadlineMs = 10_000;
const longDeadlineMs = 60_000;
const memoryMb = 2048;

interface Report {
  harness: { status: number; message: string | null } | null;
  subtests: [string, number, string | null][];
}

function outcomeOf(report: Report, otherwise: Status): Outcome {
  const { harness, subtests } = report;
  return {
    status: harness ? statuses[harness.status]! : otherwise,
    message: harness?.message ?? '',
    subtests: subtests.map(([name, status, message]) => ({ name, passed: status === 0, message: message ?? '' })),
  };
}

const failure = (status: Status, message: string): Outcome => ({ status, message, subtests: [] });

export class Instances {
  #server: TestServer;
  #folder: string;
  #valor: Promise<Valor> | null = null;
  #count = 0;

  constructor(server: TestServer, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  #running(): Promise<Valor> {
    this.#valor ??= (async () => {
      const file = join(this.#folder, 'plugins.json');
      writeFileSync(file, '{"plugins":[]}');
      const options = ['-p', file, '-w', '--port', '0', '--no-access-log', '--log-level', 'error'];
      const environment = { NODE_OPTIONS: '--expose-gc', CURL_CA_BUNDLE: this.#server.authority };
      const valor = new Valor(options, environment);
      await valor.listening();
      valor.exited('the end of valor', 2 ** 31 - 1).then(
        () => (this.#valor = null),
        () => {},
      );
      return valor;
    })();
    return this.#valor;
  }

  async stop(): Promise<void> {
    await (await this.#valor)?.stop();
  }

  /** Runs a test. When the process ended meanwhile, by whichever test, the status is CRASH. */
  async run(test: Test): Promise<Outcome> {
    const url = await this.#server.mirror(test.worker);
    const valor = await this.#running();
    const name = `test-${++this.#count}`;
    const patientMs = test.long ? longDeadlineMs : deadlineMs;
    const definition = {
      type: 'web',
      name,
      url,
      root: join(this.#folder, 'tree'),
      location: this.#server.address(test.worker, test.protocol) + test.variant,
      limits: { timeout_ms: patientMs, memory_mb: memoryMb },
      permissions: { net: ['127.0.0.0/8', '[::1]'] },
      // What these tests say holds for pages.
      fetch: ['fetch/api', 'wasm/webapi'].includes(test.directory) ? 'browser' : 'server',
    };
    try {
      const created = await valor.ask('/_plugins', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(definition),
        patientMs: patientMs + 5000,
      });
      if (created.status !== 201) {
        const { detail } = created.json();
        return failure(/took too long/.test(detail) ? 'TIMEOUT' : 'ERROR', detail);
      }
      const answer = await valor.ask(`/${name}`, { patientMs: patientMs + 5000 });
      if (answer.status === 200) return outcomeOf(JSON.parse(this.#server.withoutPorts(answer.text)), 'ERROR');
      if (answer.status !== 504) return failure('ERROR', answer.json().detail);
      const late = await valor.ask(`/${name}?now`, { patientMs: 2000 }).catch(() => null);
      return late?.status === 200
        ? outcomeOf(JSON.parse(this.#server.withoutPorts(late.text)), 'TIMEOUT')
        : failure('TIMEOUT', 'no answer in time');
    } catch (error) {
      // The connections of a process that dies break a little before its end is told.
      const ended = await valor.exited('the end of valor', 500).then(
        () => true,
        () => false,
      );
      return failure(ended ? 'CRASH' : 'ERROR', String(error));
    } finally {
      // What is stuck takes a while to go; nobody has to wait for it.
      await valor.ask(`/_plugins/${name}`, { method: 'DELETE', patientMs: 500 }).catch(() => {});
    }
  }
}
