// Which files a plug-in is made of: its own and all that its imports reach, so that they can be kept for offline. Files that no
// literal names (`import(variable)`, `fetch(new URL('data.json', import.meta.url))`) are kept when they are first read.

import type { Definition } from '../core/core.ts';
import type { PluginFile } from '../instance/instance.ts';
import { parse } from '../instance/javascript/lexer.ts';
import { importedScripts } from '../instance/javascript/rewrite.ts';
import { verifyFile } from './integrity.ts';

/** A file that is not to be had. */
export class FileError extends Error {
  /** The server says that it does not have it: asking again gives the same. */
  readonly definite: boolean;

  constructor(message: string, definite: boolean) {
    super(message);
    this.definite = definite;
  }
}

/** URL of the file that runs in browsers; null where there is none: such a plug-in is the server's. */
export function entryOf({ type, place, url, web }: Definition): string | null {
  if (place === 'server') return null;
  return (type === 'web' ? url : type === 'native' ? web : undefined) ?? null;
}

/** The definition with absolute `url`, `web` and `root`. */
export function resolved(definition: Definition, base: string): Definition {
  const copy = { ...definition };
  if (copy.url !== undefined) copy.url = withoutFragment(new URL(copy.url, base));
  if (copy.web !== undefined) copy.web = withoutFragment(new URL(copy.web, base));
  if (copy.root !== undefined) copy.root = new URL(copy.root.replace(/\/*$/, '/'), base).href;
  return copy;
}

/** Public URL of a plug-in's mount, with a slash at the end. */
export function locationOf(scope: string, { prefix }: Definition): string {
  return prefix === '' ? scope : `${scope}${prefix}/`;
}

function withoutFragment(url: URL): string {
  url.hash = '';
  return url.href;
}

const isScript = (file: PluginFile): boolean =>
  /\.[mc]?[jt]s$/.test(new URL(file.url).pathname) || /(java|ecma|type)script$/.test(file.type);

/** What a file names literally. `needed`: it cannot be loaded without. */
export async function importsOf(file: PluginFile, location: string, folder: string): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>();
  if (!isScript(file)) return found;
  const add = (specifier: string, base: string, needed: boolean): void => {
    const url = URL.parse(specifier, base);
    // A bare specifier, or another origin: loading says what is wrong with it.
    if (url?.origin !== new URL(folder).origin) return;
    const href = withoutFragment(url);
    found.set(href, needed || found.get(href) === true);
  };
  const source = new TextDecoder().decode(file.bytes);
  try {
    for (const { n: specifier, d } of parse(source)[0]) {
      if (!specifier || !/^(\.{0,2}\/|[a-z][a-z0-9+.-]*:)/i.test(specifier)) continue;
      add(specifier, file.url, d < 0);
    }
  } catch {
    // It does not parse; loading it says where.
  }
  for (const address of importedScripts(source, new URL(location))) {
    const url = URL.parse(address, location);
    if (url?.href.startsWith(location)) add(url.href.slice(location.length), folder, false);
  }
  return found;
}

/** Reads a file from the network, past its age in the HTTP cache. */
export async function fetchFile(url: string): Promise<PluginFile> {
  let response: Response;
  let bytes: ArrayBuffer;
  try {
    response = await fetch(url, { cache: 'no-cache' });
    bytes = await response.arrayBuffer();
  } catch (error) {
    throw new FileError(`${url}: cannot be reached: ${(error as Error).message}`, false);
  }
  const { status } = response;
  if (!response.ok) throw new FileError(`${url}: the server answers ${status}`, status === 404 || status === 410);
  const type = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  if (type === 'text/html' && /\.([mc]?[jt]s|wasm|json)$/.test(new URL(url).pathname)) {
    throw new FileError(`${url}: the server answers with a page (text/html)`, true);
  }
  return { url: response.url || url, type, bytes };
}

/** What a plug-in's files are looked up by: the URL that was asked for. */
export type Files = Map<string, PluginFile>;

/**
 * Reads the files of a plug-in. Rejects when its own or one that its code needs to load is not there, and when any other fails in a
 * way that may pass. `location`: URL of its mount, with a slash at the end. `also`: files that are kept already.
 */
export async function collect(
  definition: Definition,
  entry: string,
  location: string,
  also: Iterable<string> = [],
): Promise<Files> {
  const files: Files = new Map();
  const seen = new Set<string>();
  const essential = new Set([entry]);
  const missing = new Map<string, FileError>();
  const folder = new URL('.', entry).href;
  async function read(url: string): Promise<void> {
    if (seen.has(url)) return;
    seen.add(url);
    let file: PluginFile;
    try {
      file = await fetchFile(url);
    } catch (error) {
      if (!(error instanceof FileError && error.definite)) throw error;
      missing.set(url, error);
      return;
    }
    await verifyFile(definition, entry, url, file);
    files.set(url, file);
    const imports = await importsOf(file, location, folder);
    for (const [next, needed] of imports) if (needed) essential.add(next);
    await Promise.all([...imports.keys()].map(read));
  }
  await Promise.all([entry, ...also].map(read));
  for (const [url, error] of missing) if (essential.has(url)) throw error;
  return files;
}
