// core/ as WebAssembly: the same rules as on the server, for the page, the service worker and instances of plug-ins.
import type { HeaderPairs, Problem } from '../instance/instance.ts';

/** A plug-in definition with every field in force, as core/definition.h's to_json() writes it. */
export interface Definition {
  type: 'static' | 'native' | 'web';
  name: string;
  /** Mount without slashes at the ends; '' is the root. */
  prefix: string;
  /** Script or WASM module, as written: relative to the plug-in file, or absolute. */
  url?: string;
  /** A native plug-in's WASM build, which runs in browsers. As written. */
  web?: string;
  root?: string;
  location?: string;
  config: unknown;
  /** Of memory, only type web has a limit. */
  limits: { timeout_ms: number; memory_mb?: number; queue: number };
  instances: { min: number; max: number };
  permissions?: { net: string[] };
  fetch?: 'server' | 'browser';
  /** Where it can run: 'server' for type static, and for native ones without `web`. */
  place: 'server' | 'browser' | 'both';
  fallback: 'none' | 'network';
  prefer: 'plugin-first' | 'network-first' | 'plugin-only';
  /** SRI hashes: of the file at `url` (for native plug-ins: at `web`), or by path relative to its folder. */
  integrity?: string | Record<string, string>;
}

export interface Router {
  /** `target`: path and query. `index` is that of the prefix given to createRouter(). */
  find(target: string): { index: number; url: string } | null;
}

/** core/correlation.h. Tokens are request ids of an instance: never 0, never used twice. */
export interface Correlator {
  /** Returns the id that the plug-in sees as x-request-id. */
  begin(token: number, clientId: string): string;
  enterHandler(token: number): void;
  leaveHandler(): void;
  /** `correlationId`: of the answer's x-correlation-id, null where it has none. */
  match(correlationId: string | null): { token: number } | { token: 0; why: string };
  end(token: number, how: 'answered' | 'gone' | 'timeout'): void;
  expire(token: number): void;
  readonly oneAtATime: boolean;
  next(): 'give' | 'hold' | 'replace';
  free(): void;
}

export interface Core {
  /** `file` names it in errors. Throws an Error that lists every mistake, one a line, as the server does. */
  parseFile(json: string, file: string): Definition[];
  parseDefinition(json: string, file: string): Definition;
  /** Prefixes that are valid and different, as definitions have them. */
  createRouter(prefixes: string[]): Router;
  /** The client's id where it is acceptable and there is exactly one, else a fresh one. */
  requestId(headers: HeaderPairs): string;
  problemJson(problem: Problem, requestId: string): string;
  statusText(status: number): string;
  /** Whether a plug-in may answer with these; a sentence about what is wrong, or null. Values have no blanks around them. */
  checkResponse(status: number, headers: HeaderPairs): string | null;
  createCorrelator(): Correlator;
}

type Handle = number;

/** exports.cpp, where each is described. */
interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  input(size: number): number;
  output(): number;
  output_size(): number;
  start(): void;
  parse_file(): number;
  parse_one(): number;
  create_router(): Handle;
  free_router(router: Handle): void;
  add_mount(router: Handle, id: number): number;
  find(router: Handle): number;
  request_id(): void;
  problem_json(status: number, limitValue: number): void;
  status_name(status: number): void;
  check_response(status: number): number;
  create_correlator(): Handle;
  free_correlator(correlator: Handle): void;
  begin(correlator: Handle, token: number): void;
  enter_handler(correlator: Handle, token: number): void;
  leave_handler(correlator: Handle): void;
  match(correlator: Handle, named: number): number;
  end(correlator: Handle, token: number, how: number): void;
  expire(correlator: Handle, token: number): void;
  one_at_a_time(correlator: Handle): number;
  next(correlator: Handle): number;
}

/** Never shares state: one for each global. */
export function loadCore(module: WebAssembly.Module): Core {
  const wasm = new WebAssembly.Instance(module).exports as unknown as Exports;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** The texts of the next call. */
  function write(...texts: (string | Uint8Array)[]): void {
    const all = texts.map((text) => (typeof text === 'string' ? encoder.encode(text) : text));
    let at = wasm.input(all.reduce((size, bytes) => size + 4 + bytes.length, 0));
    const memory = new Uint8Array(wasm.memory.buffer);
    const view = new DataView(wasm.memory.buffer);
    for (const bytes of all) {
      view.setUint32(at, bytes.length, true);
      memory.set(bytes, at + 4);
      at += 4 + bytes.length;
    }
  }

  function read(): string {
    return decoder.decode(new Uint8Array(wasm.memory.buffer, wasm.output(), wasm.output_size()));
  }

  function expect(ok: number): string {
    if (!ok) throw new Error(read());
    return read();
  }

  /** Core leaves out what type static cannot have, and writes the root as in plug-in files. */
  function complete(definition: Partial<Definition>): Definition {
    const prefix = definition.prefix === '/' ? '' : definition.prefix;
    return { place: 'server', fallback: 'none', prefer: 'plugin-first', ...definition, prefix } as Definition;
  }

  const routers = new FinalizationRegistry<Handle>((router) => wasm.free_router(router));

  function createRouter(prefixes: string[]): Router {
    const handle = wasm.create_router();
    prefixes.forEach((prefix, index) => {
      write(prefix);
      expect(wasm.add_mount(handle, index));
    });
    const router: Router = {
      find(target) {
        write(target);
        const index = wasm.find(handle);
        return index < 0 ? null : { index, url: read() };
      },
    };
    routers.register(router, handle);
    return router;
  }

  function createCorrelator(): Correlator {
    const handle = wasm.create_correlator();
    return {
      begin(token, clientId) {
        write(clientId);
        wasm.begin(handle, token);
        return read();
      },
      enterHandler: (token) => wasm.enter_handler(handle, token),
      leaveHandler: () => wasm.leave_handler(handle),
      match(correlationId) {
        if (correlationId !== null) write(correlationId);
        const token = wasm.match(handle, correlationId === null ? 0 : 1);
        return token === 0 ? { token, why: read() } : { token };
      },
      end: (token, how) => wasm.end(handle, token, ['answered', 'gone', 'timeout'].indexOf(how)),
      expire: (token) => wasm.expire(handle, token),
      get oneAtATime() {
        return wasm.one_at_a_time(handle) !== 0;
      },
      next: () => (['give', 'hold', 'replace'] as const)[wasm.next(handle)]!,
      free: () => wasm.free_correlator(handle),
    };
  }

  wasm._initialize();
  write(crypto.getRandomValues(new Uint8Array(32)));
  wasm.start();

  return {
    parseFile(json, file) {
      write(json, file);
      return (JSON.parse(expect(wasm.parse_file())) as Partial<Definition>[]).map(complete);
    },
    parseDefinition(json, file) {
      write(json, file);
      return complete(JSON.parse(expect(wasm.parse_one())) as Partial<Definition>);
    },
    createRouter,
    requestId(headers) {
      write(...headers.filter(([name]) => name === 'x-request-id').map(([, value]) => value));
      wasm.request_id();
      return read();
    },
    problemJson(problem, requestId) {
      const { detail, plugin = '', limit = '', stack = '' } = problem;
      write(detail, plugin, limit, stack, requestId);
      wasm.problem_json(problem.status, problem.limit_value ?? 0);
      return read();
    },
    statusText(status) {
      wasm.status_name(status);
      return read();
    },
    checkResponse(status, headers) {
      const texts = headers.flat();
      if (texts.some((text) => /[^\0-\xff]/.test(text))) return 'a header holds characters that HTTP cannot carry';
      write(String(status), ...texts);
      return wasm.check_response(status === (status | 0) ? status : 0) ? null : read();
    },
    createCorrelator,
  };
}
