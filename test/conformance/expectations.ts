// Failures that are known, in a file expectations.json: each with a name (the test, the subtest) and a reason.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Outcome, Status, Subtest } from './instances.ts';

/** More subtests than these are told as a number. */
const maxNamed = 30;

export interface Expectation {
  reason: string;
  /** The harness's status, where it is not OK. */
  status?: Status;
  /** Names of the subtests that fail. */
  subtests?: string[];
  /** Where too many fail to name them: how many pass. */
  passing?: number;
}

export type Expectations = Record<string, Expectation>;

export function readExpectations(file: string): Expectations {
  return JSON.parse(readFileSync(file, 'utf8'));
}

export function isClean(outcome: Outcome): boolean {
  return outcome.status === 'OK' && outcome.subtests.length > 0 && outcome.subtests.every(({ passed }) => passed);
}

const failed = (outcome: Outcome): Subtest[] => outcome.subtests.filter(({ passed }) => !passed);

/** What is worse than expected, and what is better. */
export function compare(
  outcome: Outcome,
  expected: Expectation | undefined,
): { regressions: string[]; better: string[] } {
  const regressions: string[] = [];
  const better: string[] = [];
  if (isClean(outcome)) return { regressions, better: expected ? ['all of it passes'] : [] };
  const failures = failed(outcome);
  if (outcome.status !== 'OK' && outcome.status !== expected?.status) {
    regressions.push(`harness: ${outcome.status}${outcome.message && ` (${outcome.message})`}`);
  }
  if (outcome.status === 'OK' && expected?.status) better.push(`harness: OK, not ${expected.status}`);
  if (outcome.subtests.length === 0 && !expected) regressions.push('no subtest ran');
  const passing = outcome.subtests.length - failures.length;
  if (expected?.passing !== undefined) {
    if (passing < expected.passing) regressions.push(`${passing} subtests pass, not ${expected.passing}`);
    if (passing > expected.passing) better.push(`${passing} subtests pass, not ${expected.passing}`);
    return { regressions, better };
  }
  const known = new Set(expected?.subtests);
  for (const { name, message } of failures) {
    if (!known.has(name)) regressions.push(`${name}${message && `: ${message.split('\n')[0]}`}`);
  }
  const passed = new Set(outcome.subtests.filter((subtest) => subtest.passed).map(({ name }) => name));
  for (const name of known) if (passed.has(name)) better.push(name);
  return { regressions, better };
}

/** A first reason, from what the test itself says. */
function guess(outcome: Outcome): string {
  const failures = failed(outcome);
  const texts = [outcome.message, ...failures.map(({ message }) => message)];
  const missing = new Set(texts.flatMap((text) => /\b([A-Za-z]+) is not defined/.exec(text)?.[1] ?? []));
  if (missing.size > 0) return `missing: ${[...missing].sort().slice(0, 5).join(', ')}`;
  if (outcome.status === 'TIMEOUT') return 'not looked into yet: does not finish';
  const text = texts.find((message) => message)?.split('\n')[0] ?? '';
  return `not looked into yet: ${text.slice(0, 120)}`;
}

function expectationOf(outcome: Outcome, before: Expectation | undefined): Expectation {
  const failures = failed(outcome);
  const known = before && !/^(missing|not looked into)/.test(before.reason) ? before.reason : undefined;
  const expectation: Expectation = { reason: known ?? guess(outcome) };
  if (outcome.status !== 'OK') expectation.status = outcome.status;
  if (failures.length > maxNamed) expectation.passing = outcome.subtests.length - failures.length;
  else if (failures.length > 0) expectation.subtests = [...new Set(failures.map(({ name }) => name))].sort();
  return expectation;
}

/** Writes down how things are for the tests that ran; the others stay. */
export function updateExpectations(file: string, before: Expectations, outcomes: Map<string, Outcome>): void {
  const after = { ...before };
  for (const [id, outcome] of outcomes) {
    if (isClean(outcome)) delete after[id];
    else after[id] = expectationOf(outcome, before[id]);
  }
  const sorted = Object.entries(after).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = sorted.map(([id, expectation]) => `${JSON.stringify(id)}: ${JSON.stringify(expectation)}`);
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
}
