// Collects tests and runs them inside a plug-in, whichever test library a suite is written for; report() is the answer
// that ../../conformance/instances.ts reads.

/** What waits, keeps time and answers is kept, because tests replace globals. */
const { setTimeout: startTimer, clearTimeout: stopTimer, Response: Answer } = globalThis;
const { stringify } = JSON;

const testMs = 10_000;

/** What a test and its hooks are given: https://vitest.dev/guide/test-context */
interface Context {
  task: { name: string; suite: Suite | undefined };
  /** Ends the test, which then counts for nothing. */
  skip: () => never;
}

interface Suite {
  name: string;
  suite: Suite | undefined;
}

export type Body = (context: Context) => unknown;

interface Test {
  name: string;
  body: Body;
  timeoutMs: number;
}

class Group {
  readonly hooks: Record<'beforeEach' | 'afterEach', Body[]> = { beforeEach: [], afterEach: [] };
  readonly groupHooks: Record<'beforeAll' | 'afterAll', (() => unknown)[]> = { beforeAll: [], afterAll: [] };
  /** Why its tests cannot run: a hook before them failed. */
  broken: string | null = null;
  readonly entries: (Group | Test)[] = [];
  readonly name: string;
  readonly parent: Group | null;
  readonly body: (() => unknown) | null;

  constructor(name: string, parent: Group | null, body: (() => unknown) | null = null) {
    this.name = name;
    this.parent = parent;
    this.body = body;
  }

  get path(): string {
    const above = this.parent?.path;
    return above ? `${above} > ${this.name}` : this.name;
  }

  get suite(): Suite | undefined {
    return this.parent ? { name: this.name, suite: this.parent.suite } : undefined;
  }

  /** Outermost first. */
  hooksOf(name: 'beforeEach' | 'afterEach'): Body[] {
    return [...(this.parent?.hooksOf(name) ?? []), ...this.hooks[name]];
  }
}

const root = new Group('', null);
let current = root;

/** Its body says what is in it when all of the tests are collected, as in vitest; it may take its time. */
export function addGroup(name: string, body: () => unknown): void {
  current.entries.push(new Group(name, current, body));
}

async function collect(group: Group): Promise<void> {
  current = group;
  await group.body?.();
  for (const entry of group.entries) if (entry instanceof Group) await collect(entry);
}

/** Those that follow belong to it, up to the next one: a module of QUnit. */
export function openGroup(name: string): void {
  current = new Group(name, root);
  root.entries.push(current);
}

export function addTest(name: string, body: Body, timeoutMs = testMs): void {
  current.entries.push({ name, body, timeoutMs });
}

export function addHook(name: 'beforeEach' | 'afterEach', body: Body): void {
  current.hooks[name].push(body);
}

export function addGroupHook(name: 'beforeAll' | 'afterAll', body: () => unknown): void {
  current.groupHooks[name].push(body);
}

/** Statuses are testharness.js's: 0 is a pass, or a harness that is in order. */
const subtests: [name: string, status: number, message: string | null][] = [];
let harness: { status: number; message: string | null } | null = null;
const names = new Map<string, number>();
const strays: string[] = [];

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function tell(path: string, message: string | null): void {
  const times = (names.get(path) ?? 0) + 1;
  names.set(path, times);
  subtests.push([times === 1 ? path : `${path} (${times})`, message === null ? 0 : 1, message]);
}

function inTime(work: () => unknown, ms: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(() => reject(new Error(`not finished after ${ms} ms`)), ms);
    Promise.try(work)
      .finally(() => stopTimer(timer))
      .then(resolve, reject);
  });
}

async function runTest(group: Group, { name, body, timeoutMs }: Test): Promise<void> {
  const skipped = new Error('skipped');
  let skip = false;
  const context: Context = {
    task: { name, suite: group.suite },
    skip() {
      skip = true;
      throw skipped;
    },
  };
  let message: string | null = group.broken;
  const attempt = async (work: Body): Promise<boolean> => {
    try {
      await inTime(() => work(context), timeoutMs);
      return true;
    } catch (error) {
      message ??= textOf(error);
      return false;
    }
  };
  let ready = message === null;
  for (const hook of group.hooksOf('beforeEach')) ready &&= await attempt(hook);
  if (ready) await attempt(body);
  for (const hook of group.hooksOf('afterEach').reverse()) await attempt(hook);
  if (!skip) tell(group === root ? name : `${group.path} > ${name}`, message);
}

const runHook = (hook: () => unknown): Promise<unknown> => inTime(hook, testMs);

async function runGroup(group: Group): Promise<void> {
  group.broken = group.parent?.broken ?? null;
  for (const hook of group.groupHooks.beforeAll) {
    if (group.broken !== null) break;
    await runHook(hook).catch((error: unknown) => (group.broken = textOf(error)));
  }
  for (const entry of group.entries) await (entry instanceof Group ? runGroup(entry) : runTest(group, entry));
  for (const hook of group.groupHooks.afterAll) {
    await runHook(hook).catch((error: unknown) => strays.push(`after all of "${group.path}": ${textOf(error)}`));
  }
}

async function runAll(): Promise<void> {
  try {
    await collect(root);
    await runGroup(root);
    harness = strays.length === 0 ? { status: 0, message: null } : { status: 1, message: strays.join('; ') };
  } catch (error) {
    harness = { status: 1, message: textOf(error) };
  }
}

// As in the suites' own runners, an error that nobody catches fails the file.
addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  strays.push(`unhandled rejection: ${textOf(event.reason)}`);
});
addEventListener('error', (event) => {
  event.preventDefault();
  strays.push(`uncaught: ${textOf(event.error)}`);
});

let finished: Promise<void> | null = null;

/** The handler of the plug-in: runs the tests when it is first asked. */
export async function report(request: Request): Promise<Response> {
  finished ??= runAll();
  if (!request.url.endsWith('?now')) await finished;
  return new Answer(stringify({ harness, subtests }), { headers: { 'content-type': 'application/json' } });
}
