// Tests run as plug-ins of one long-lived `valor`, which is started again when a test has ended it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Definition, Valor } from '../harness.ts';

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

const memoryMb = 2048;

/** A test as a plug-in: once it is asked, it answers with a report when its tests are finished, and for ?now at once. */
export interface Script {
  /** Without type, name and limits. */
  definition: Definition;
  /** How long starting and running may take, each. */
  patientMs: number;
}

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
  #folder: string;
  #environment: NodeJS.ProcessEnv;
  #read: (text: string) => string;
  #valor: Promise<Valor> | null = null;
  #count = 0;

  /** `folder` is for the plug-in file; `environment` for valor beside its own; `read` goes over what a script answers. */
  constructor(folder: string, environment: NodeJS.ProcessEnv = {}, read = (text: string): string => text) {
    this.#folder = folder;
    this.#environment = environment;
    this.#read = read;
  }

  #running(): Promise<Valor> {
    this.#valor ??= (async () => {
      const file = join(this.#folder, 'plugins.json');
      writeFileSync(file, '{"plugins":[]}');
      const options = ['-p', file, '-w', '--port', '0', '--no-access-log', '--log-level', 'error'];
      const valor = new Valor(options, { NODE_OPTIONS: '--expose-gc', ...this.#environment });
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
  async run({ definition: script, patientMs }: Script): Promise<Outcome> {
    const valor = await this.#running();
    const name = `test-${++this.#count}`;
    const definition = { type: 'web', name, ...script, limits: { timeout_ms: patientMs, memory_mb: memoryMb } };
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
      if (answer.status === 200) return outcomeOf(JSON.parse(this.#read(answer.text)), 'ERROR');
      if (answer.status !== 504) return failure('ERROR', answer.json().detail);
      const late = await valor.ask(`/${name}?now`, { patientMs: 2000 }).catch(() => null);
      return late?.status === 200
        ? outcomeOf(JSON.parse(this.#read(late.text)), 'TIMEOUT')
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
