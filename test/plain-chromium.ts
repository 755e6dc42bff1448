// Chromium as its users have it: Playwright keeps every tab visible and, being attached to them, every service worker alive.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { temporaryFolder, within } from './harness.ts';

interface Target {
  targetId: string;
  type: string;
  url: string;
}

export class PlainChromium {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { done(result: unknown): void; fail(error: Error): void }>();
  #calls = 0;

  private constructor(process: ChildProcess, socket: WebSocket) {
    this.#process = process;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(String(data));
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) call?.fail(new Error(error.message));
      else call?.done(result);
    };
  }

  static async launch(): Promise<PlainChromium> {
    const folders = (process.env.PATH ?? '').split(delimiter);
    const program = ['chromium', 'chromium-browser'].flatMap((name) => folders.map((folder) => join(folder, name)));
    const child = spawn(
      program.find((file) => existsSync(file)) ?? 'chromium',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--remote-debugging-port=0',
        `--user-data-dir=${temporaryFolder()}`,
        'about:blank',
      ],
      // A group of its own, which ends as a whole.
      { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    process.on('exit', () => end(child));
    let log = '';
    const url = await within(
      new Promise<string>((done, fail) => {
        child.stderr!.on('data', (text) => {
          log += text;
          const [, found] = /DevTools listening on (ws:\S+)/.exec(log) ?? [];
          if (found) done(found);
        });
        child.on('exit', () => fail(new Error(`Chromium has ended:\n${log}`)));
      }),
      'the start of Chromium',
    );
    const socket = new WebSocket(url);
    await within(new Promise((done) => socket.addEventListener('open', done)), 'a connection to Chromium');
    return new PlainChromium(child, socket);
  }

  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#calls;
    const answer = new Promise<T>((done, fail) => this.#waiting.set(id, { done: (result) => done(result as T), fail }));
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    return within(answer, method);
  }

  async newTab(url: string): Promise<Tab> {
    const { targetId } = await this.send<{ targetId: string }>('Target.createTarget', { url });
    const { sessionId } = await this.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    return new Tab(this, targetId, sessionId);
  }

  async serviceWorkers(): Promise<string[]> {
    const { targetInfos } = await this.send<{ targetInfos: Target[] }>('Target.getTargets');
    return targetInfos.filter(({ type }) => type === 'service_worker').map(({ url }) => url);
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done));
    this.#socket.close();
    end(this.#process);
    await within(ended, 'the end of Chromium');
  }
}

function end(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

export class Tab {
  readonly #browser: PlainChromium;
  readonly #target: string;
  readonly #session: string;

  constructor(browser: PlainChromium, target: string, session: string) {
    this.#browser = browser;
    this.#target = target;
    this.#session = session;
  }

  /** In front of the others. */
  async activate(): Promise<void> {
    await this.#browser.send('Target.activateTarget', { targetId: this.#target });
  }

  /** As Page.evaluate() of browsers.ts. */
  async evaluate<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R> {
    const expression = `(async () => JSON.stringify(await (${run})(...${JSON.stringify(args)})))()`;
    const { result, exceptionDetails } = await this.#browser.send<{
      result: { value?: string };
      exceptionDetails?: { exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, this.#session);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the script failed');
    return (result.value === undefined ? undefined : JSON.parse(result.value)) as R;
  }

  async close(): Promise<void> {
    await this.#browser.send('Target.closeTarget', { targetId: this.#target });
  }
}
