// fetch() and Request of a plug-in: addresses are relative to its location, and files of its folder are those that are
// kept. All else is the host's.
import type { PluginFile } from '../instance.ts';

const NativeRequest = Request;

/** A class of the browser whose first argument is an address, with another base for relative ones. */
export function rebased<T extends abstract new (...args: never[]) => unknown>(native: T, base: string): T {
  return new Proxy(native, {
    construct(target, args, newTarget) {
      const [input, ...rest] = args;
      const address = input instanceof NativeRequest ? input : new URL(`${input}`, base).href;
      return Reflect.construct(target, args.length === 0 ? [] : [address, ...rest], newTarget);
    },
  });
}

// Types that WebAssembly.compileStreaming() and the like insist on; the kept file may come from a server that says less.
const types: Record<string, string> = { wasm: 'application/wasm', json: 'application/json' };

function failure(message: string, code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
}

export interface Files {
  /** URL of the plug-in's folder, with a slash at the end. */
  root: string;
  read(url: string): Promise<PluginFile>;
}

/**
 * Whether `url` is that of a file of the plug-in. Where the mount lies in the folder, what looks like a file is one:
 * then the addresses of other plug-ins may lie in there too.
 */
function isOwnFile(url: URL, root: string, location: string): boolean {
  if (!url.href.startsWith(root)) return false;
  if (!location.startsWith(root)) return true;
  return !url.href.startsWith(location) && url.search === '' && /\.[a-z0-9]+$/i.test(url.pathname);
}

async function readOwnFile({ read }: Files, request: Request): Promise<Response> {
  const { method, signal } = request;
  const url = request.url.replace(/#.*/, '');
  if (method !== 'GET' && method !== 'HEAD') {
    throw failure(`a file of the plug-in can be read, not asked with ${method}`, 'ERR_METHOD');
  }
  signal.throwIfAborted();
  let file: PluginFile;
  try {
    file = await read(url);
  } catch (error) {
    throw failure(error instanceof Error ? error.message : String(error), 'ERR_NOT_FOUND');
  }
  signal.throwIfAborted();
  const extension = /\.([^./]*)$/.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? '';
  const type = types[extension] ?? (file.type || 'application/octet-stream');
  const response = new Response(method === 'HEAD' ? null : file.bytes, { headers: { 'content-type': type } });
  return Object.defineProperty(response, 'url', { value: file.url, configurable: true });
}

export function createFetch(
  PluginRequest: typeof Request,
  files: Files,
  location: string,
  elsewhere: (request: Request) => Promise<Response>,
): typeof fetch {
  return async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new PluginRequest(input as Request, init);
    return isOwnFile(new URL(request.url), files.root, location) ? readOwnFile(files, request) : elsewhere(request);
  };
}
