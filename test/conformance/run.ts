// Runs tests in instances of a real Valor, compares what comes out with what is expected, and prints figures.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, isClean, readExpectations, updateExpectations } from './expectations.ts';
import type { Outcome } from './instances.ts';

/** With more, something is wrong with all of it. */
const maxSuspects = 20;

export interface Test {
  id: string;
  /** The line of the report that it counts for. */
  directory: string;
}

export interface Figures {
  variants: number;
  clean: number;
  subtests: number;
  passed: number;
}

export interface Run<T extends Test> {
  /** Begins the lines that say what happens. */
  name: string;
  tests: T[];
  run: (test: T) => Promise<Outcome>;
  /** The file with the known failures. */
  expectations: string;
  /** Write down what fails now, rather than comparing. */
  update: boolean;
  /** How many tests at once. */
  jobs: number;
  /** Say how each test ends. */
  verbose: boolean;
  /** Where report.json and outcomes.json go. */
  folder: string;
}

async function runAll<T extends Test>(run: Run<T>, list: T[], atOnce: number, outcomes: Map<string, Outcome>) {
  const queue = [...list];
  const work = async (): Promise<void> => {
    for (let test = queue.shift(); test; test = queue.shift()) {
      const begin = Date.now();
      const outcome = await run.run(test);
      outcomes.set(test.id, outcome);
      if (run.verbose) console.log(`${test.id}: ${outcome.status} in ${Date.now() - begin} ms`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const line = (name: string, figures: Figures): void =>
  console.log(
    `${name.padEnd(34)} ${`${figures.clean}/${figures.variants}`.padStart(9)} clean ${`${figures.passed}/${figures.subtests}`.padStart(14)} subtests`,
  );

/** Gives the figures of each directory, and how many tests did worse than expected. */
export async function conform<T extends Test>(run: Run<T>): Promise<{ dirs: Record<string, Figures>; failed: number }> {
  const { name, tests, update, folder } = run;
  const expectations = readExpectations(run.expectations);
  const outcomes = new Map<string, Outcome>();
  const started = Date.now();
  await runAll(run, tests, run.jobs, outcomes);
  // Alone, a test that ended the process shows itself, and one that only lacked time on a busy machine passes.
  const suspects = tests.filter((test) => {
    const outcome = outcomes.get(test.id)!;
    return outcome.status === 'CRASH' || compare(outcome, expectations[test.id]).regressions.length > 0;
  });
  const crashed = suspects.filter((test) => outcomes.get(test.id)!.status === 'CRASH');
  await runAll(run, suspects.length <= maxSuspects ? suspects : crashed, 1, outcomes);

  const dirs: Record<string, Figures> = {};
  let failed = 0;
  for (const test of tests) {
    const outcome = outcomes.get(test.id)!;
    dirs[test.directory] ??= { variants: 0, clean: 0, subtests: 0, passed: 0 };
    const figures = dirs[test.directory]!;
    figures.variants++;
    if (isClean(outcome)) figures.clean++;
    figures.subtests += outcome.subtests.length;
    figures.passed += outcome.subtests.filter(({ passed }) => passed).length;
    const { regressions, better } = compare(outcome, expectations[test.id]);
    if (update) continue;
    if (regressions.length > 0) {
      failed++;
      console.log(`WORSE than expected: ${test.id}`);
    }
    for (const text of regressions.slice(0, 10)) console.log(`    ${text}`);
    if (better.length > 0) console.log(`better than expected: ${test.id}: ${better.slice(0, 3).join('; ')}`);
  }
  if (update) updateExpectations(run.expectations, expectations, outcomes);

  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify({ dirs })}\n`);
  writeFileSync(join(folder, 'outcomes.json'), JSON.stringify(Object.fromEntries(outcomes), null, 1));
  const total = { variants: 0, clean: 0, subtests: 0, passed: 0 };
  for (const [directory, figures] of Object.entries(dirs)) {
    line(directory, figures);
    for (const key of Object.keys(total) as (keyof Figures)[]) total[key] += figures[key];
  }
  line('all', total);
  console.log(`${name}: ${tests.length} tests in ${Math.round((Date.now() - started) / 1000)} s`);
  if (update) console.log(`${name}: expectations.json was rewritten`);
  else console.log(`${tests.length - failed} passed, ${failed} failed`);
  return { dirs, failed };
}
