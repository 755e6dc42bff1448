// A fresh platform for a test: the bundle in a context of its own, with the real natives of web/ (from the module that
// VALOR_WEB_NATIVES names) and an engine made of a clock that only moves when told.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { bundleAll } from '../../tools/bundle.ts';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const addon = process.env.VALOR_WEB_NATIVES ?? join(folder, '..', 'build', 'release', 'web', 'web-natives.node');
const { addNatives } = createRequire(import.meta.url)(addon);

const idl = join(dirname(addon), '..', 'generated', 'idl.js');
const bundles = await bundleAll(join(folder, 'test', 'entry.ts'), idl);
const platformScript = new vm.Script(bundles.platform, { filename: '/platform.js' });

interface Timer {
  id: number;
  due: number;
}

// biome-ignore lint/suspicious/noExplicitAny: tests try what types forbid
type Anything = any;

/** A request that fetch() sent. */
export interface SentRequest {
  method: string;
  url: string;
  headers: Headers;
  body: string;
  freshConnection: boolean;
}

/** What the other side answers. */
export interface Answer {
  status?: number;
  headers?: [string, string][];
  body?: string;
}

export interface Platform {
  /** Requests that fetch() sent. */
  sent: SentRequest[];
  /** Answers them; without it they fail. */
  server: (request: SentRequest) => Answer;
  global: Record<string, Anything>;
  glue: Record<string, Anything>;
  /** [level, text] of what was logged. */
  logged: [number, string][];
  /** Exceptions that nobody handled. */
  uncaught: unknown[];
  /** Lazy libraries that were loaded. */
  loaded: string[];
  /** Runs code in the context and returns its value. */
  run(code: string): Anything;
  /** Runs code as an async function's body. */
  runAsync(code: string): Promise<Anything>;
  /** Moves the clock, runs the timers that come due, with microtasks after each. */
  advance(milliseconds: number): Promise<void>;
  /** What BroadcastChannels told the other instances. */
  broadcasts: unknown[][];
  /** Waiting times that timers asked for, in order. */
  delays: number[];
}

export function createPlatform(location = 'http://127.0.0.1:8080/hi/'): Platform {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY) as vm.Context & Record<string, Anything>;
  let clock = 0;
  let timers: Timer[] = [];
  let started = false;
  let activityState: unknown;
  const platform: Platform = {
    global: context,
    glue: {},
    logged: [],
    uncaught: [],
    loaded: [],
    delays: [],
    broadcasts: [],
    sent: [],
    server: () => {
      throw new Error('there is no server');
    },
    run: (code) => vm.runInContext(code, context, { filename: 'plugin.js' }),
    runAsync: (code) => vm.runInContext(`(async () => {${code}\n})()`, context, { filename: 'plugin.js' }),
    async advance(milliseconds) {
      const end = clock + milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
      for (;;) {
        const next = timers.filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        clock = next.due;
        activityState = undefined;
        platform.glue.onTimer(next.id);
        await new Promise((resolve) => setImmediate(resolve));
      }
      clock = end;
    },
  };
  const toBytes = vm.runInContext('(bytes) => Uint8Array.from(bytes)', context);
  const bodies = new Map<number, (Uint8Array | null)[]>();
  function startOutgoing(method: string, url: string, flat: string, body: unknown, _: boolean, fresh: boolean): number {
    const parts = flat.split('\0');
    const headers = new Headers();
    for (let i = 0; i + 1 < parts.length; i += 2) headers.append(parts[i]!, parts[i + 1]!);
    const text = ArrayBuffer.isView(body) ? Buffer.from(body as Uint8Array).toString() : '';
    const request = { method, url, headers, body: text, freshConnection: fresh };
    const id = platform.sent.push(request);
    setImmediate(() => {
      try {
        const answer = platform.server(request);
        bodies.set(id, [...(answer.body ? [toBytes(Buffer.from(answer.body))] : []), null]);
        const pairs = (answer.headers ?? []).map(([name, value]) => `${name}\0${value}\0`);
        platform.glue.onOutgoingHead(id, answer.status ?? 200, 'Reason', pairs.join(''));
      } catch (error) {
        platform.glue.onOutgoingFailed(id, 'ERR_TEST', String(error));
      }
    });
    return id;
  }
  const natives = {
    startOutgoing,
    readOutgoing: (id: number) => bodies.get(id)?.shift() ?? null,
    writeOutgoing: () => {},
    cancelOutgoing: (id: number) => bodies.delete(id),
    setTimer(id: number, delay: number) {
      platform.delays.push(delay);
      timers.push({ id, due: clock + delay });
    },
    clearTimer(id: number) {
      timers = timers.filter((timer) => timer.id !== id);
    },
    now: () => clock,
    timeOrigin: () => 1e12,
    enqueueMicrotask: (callback: () => void) => queueMicrotask(callback),
    activity: () => 0,
    // The engine's state goes along with promises; here it lasts as long as the microtasks of a task.
    beginActivity(_: number, state: unknown) {
      activityState = state;
    },
    activityState: () => activityState,
    reportException: (error: unknown) => platform.uncaught.push(error),
    log: (level: number, text: string) => platform.logged.push([level, text]),
    keepsLog: () => true,
    isolateInfo() {
      if (!started) throw new Error('the instance has not started');
      return { name: 'hello', location, config: '{}', hardwareConcurrency: 2 };
    },
    importScript: () => 'missing',
    readOwnFile: () => undefined,
    openBroadcast: (name: string) => platform.broadcasts.push(['open', name]),
    closeBroadcast: (name: string) => platform.broadcasts.push(['close', name]),
    postBroadcast: (name: string, message: unknown) => platform.broadcasts.push(['post', name, message]),
    loadLazy(name: string) {
      if (!started) throw new Error('the instance has not started');
      platform.loaded.push(name);
      return new vm.Script(bundles.parts.get(name) ?? '', { filename: `/${name}.js` }).runInContext(context);
    },
  };
  context.__valor_natives = vm.runInContext('({})', context);
  addNatives(context.__valor_natives);
  Object.assign(context.__valor_natives, natives);
  platformScript.runInContext(context);
  platform.glue = context.glue;
  started = true;
  for (const name of ['__valor_natives', 'glue']) Reflect.deleteProperty(context, name);
  return platform;
}
