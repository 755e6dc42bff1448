// `vi`, as far as the suites use it. Functions and spies are vitest's own (@vitest/spy).
import { clearAllMocks, fn, isMockFunction, resetAllMocks, restoreAllMocks, spyOn } from '@vitest/spy';

type Globals = Record<string, unknown>;
const globals = globalThis as unknown as Globals;
const stubbed = new Map<string, PropertyDescriptor | undefined>();

function stubGlobal(name: string, value: unknown): void {
  if (!stubbed.has(name)) stubbed.set(name, Object.getOwnPropertyDescriptor(globals, name));
  Object.defineProperty(globals, name, { value, writable: true, configurable: true, enumerable: true });
}

function unstubAllGlobals(): void {
  for (const [name, before] of stubbed) {
    if (before) Object.defineProperty(globals, name, before);
    else delete globals[name];
  }
  stubbed.clear();
}

const RealDate = Date;
let fakeTime: number | null = null;

class FakeDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(fakeTime ?? RealDate.now());
    else super(...(args as [number]));
  }

  static override now(): number {
    return fakeTime ?? RealDate.now();
  }
}

interface Clock {
  setSystemTime(time: number | string | Date): Clock;
}

/** The suites set the clock and never wait for a fake timer. */
const clock: Clock = {
  setSystemTime(time) {
    fakeTime = new RealDate(time).getTime();
    return clock;
  },
};

function useFakeTimers(): Clock {
  fakeTime = RealDate.now();
  globals.Date = FakeDate;
  return clock;
}

function useRealTimers(): void {
  fakeTime = null;
  globals.Date = RealDate;
}

function noEnvironment(): never {
  throw new Error('a plug-in has no process.env');
}

export const vi = {
  ...{ fn, spyOn, isMockFunction, clearAllMocks, resetAllMocks, restoreAllMocks },
  ...{ stubGlobal, unstubAllGlobals, useFakeTimers, useRealTimers },
  stubEnv: noEnvironment,
  unstubAllEnvs: (): void => {},
  /** Loads nothing anew: a bundle has each module once. */
  resetModules: (): void => {},
};
