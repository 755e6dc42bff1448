// Files that the service worker answers for itself, so that a page loads without network: those of Valor, and those of the page
// that start() named in `precache`.
import { cachePrefix } from '../protocol.ts';

/** Made new with every build. */
declare const VALOR_VERSION: string;

/** Beside the service worker's script, which the Worker of plug-ins loads too. */
const ofThisVersion = ['valor-host.js', 'valor-sw.js', 'valor-core.wasm'];
/** So that a newer server is noticed at once. */
const networkFirst = ['valor.js'];

export class OwnFiles {
  /** URLs of the page's own files. */
  precached: readonly string[] = [];
  readonly #pages: string;
  readonly #prefix: string;
  readonly #name: string;
  readonly #folder: string;
  readonly #scope: string;

  /** `folder`: URL of the folder that valor-sw.js is in. */
  constructor(scope: string, folder: string) {
    this.#prefix = `${cachePrefix(scope)}valor:`;
    this.#name = this.#prefix + VALOR_VERSION;
    this.#pages = `${cachePrefix(scope)}pages`;
    this.#folder = folder;
    this.#scope = scope;
  }

  /** The service worker is being installed: its version's files have to be there before it is activated. */
  async install(): Promise<void> {
    const cache = await caches.open(this.#name);
    await Promise.all([...ofThisVersion, ...networkFirst].map((name) => fetchInto(cache, this.#folder + name)));
  }

  /** It is in force: those of other versions go. */
  async activate(): Promise<void> {
    for (const name of await caches.keys()) {
      if (name.startsWith(this.#prefix) && name !== this.#name) await caches.delete(name);
    }
  }

  /** Keeps what is not kept yet: stop() removes everything, and start() names other files of the page. */
  async ensure(): Promise<void> {
    if (!(await caches.has(this.#name))) await this.install();
    const urls = this.precached;
    if (urls.length === 0) {
      await caches.delete(this.#pages);
      return;
    }
    const cache = await caches.open(this.#pages);
    const kept = (await cache.keys()).map(({ url }) => url);
    for (const url of kept) if (!urls.includes(url)) await cache.delete(url);
    // What cannot be had now is kept when the page next asks for it.
    await Promise.all(urls.filter((url) => !kept.includes(url)).map((url) => fetchInto(cache, url).catch(() => {})));
  }

  /** core/ of this version. */
  async core(): Promise<WebAssembly.Module> {
    const response = await this.#kept(new Request(`${this.#folder}valor-core.wasm`));
    return WebAssembly.compile(await response.arrayBuffer());
  }

  /** null where `request` is for none of them. */
  answer(request: Request): Promise<Response> | null {
    if (request.method !== 'GET') return null;
    const url = new URL(request.url);
    url.hash = '';
    if (url.href.startsWith(this.#folder)) {
      const name = url.href.slice(this.#folder.length);
      if (ofThisVersion.includes(name)) return this.#kept(request);
      if (networkFirst.includes(name)) return networkElse(request, url.href, this.#name);
      // Whatever plug-in is mounted at the root: what else is in a folder of our own is the server's.
      if (!this.#scope.startsWith(this.#folder)) return fetch(request);
    }
    if (this.precached.includes(url.href)) return networkElse(request, url.href, this.#pages);
    return null;
  }

  async #kept(request: Request): Promise<Response> {
    return (await caches.match(request.url, { cacheName: this.#name, ignoreVary: true })) ?? fetch(request);
  }
}

async function fetchInto(cache: Cache, url: string): Promise<void> {
  const response = await fetch(url, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status}`);
  await cache.put(url, response);
}

/** What is kept is what the network gave last. */
async function networkElse(request: Request, url: string, cacheName: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    const kept = await caches.match(url, { cacheName, ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
  // Not of a service worker that has been removed meanwhile: nothing may be left of it.
  if (response.ok && response.type === 'basic' && !response.redirected && (await caches.has(cacheName))) {
    const copy = response.clone();
    caches.open(cacheName).then(
      (cache) => cache.put(url, copy),
      () => {},
    );
  }
  return response;
}
