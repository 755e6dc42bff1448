// Keeps what is in force up to date with the server, in the background: the plug-in file and every file of its plug-ins are asked
// for, and what has changed replaces what is in force, all at once or not at all.
import type { Definition } from '../core/core.ts';
import { FileError, fetchFile, resolved } from './files.ts';
import type { Store } from './store.ts';

/** Where Valor's own server lists its plug-ins. A service worker that does not find it there is not wanted any more. */
const ownList = '/_valor/plugins.json';

/** For another plug-in file, which may be missing for a moment while files are copied to a server. */
const goneTimes = 3;
const goneMs = 60_000;

export type Outcome =
  | { state: 'same' | 'changed' | 'unreachable' }
  /** The server has answered, and there is a mistake in what it said. Nothing changed. */
  | { state: 'wrong'; message: string }
  /** The server has no Valor: another project listens where it was. */
  | { state: 'gone' };

/** The definitions of a plug-in file, with absolute URLs. */
export async function fetchList(store: Store, url: string): Promise<Definition[]> {
  const { bytes, url: base } = await fetchFile(url);
  return store.core.parseFile(new TextDecoder().decode(bytes), url).map((definition) => resolved(definition, base));
}

/** `script`: URL of the service worker's script. null: it is the page author's, whose business it is to remove it. */
export async function update(store: Store, script: string | null): Promise<Outcome> {
  const { configured } = store;
  if (!configured) return { state: 'same' };
  try {
    // What a page gave as definitions changes with the page; its files may change any time.
    const definitions =
      configured.pluginFile === null ? store.definitions : await fetchList(store, configured.pluginFile);
    const changed = await store.configure(configured, definitions);
    await store.noteGone(false);
    return { state: changed ? 'changed' : 'same' };
  } catch (error) {
    if (error instanceof FileError && !error.definite) return { state: 'unreachable' };
    if (configured.pluginFile !== null && script !== null && (await isGone(store, configured.pluginFile, script))) {
      return { state: 'gone' };
    }
    return { state: 'wrong', message: (error as Error).message };
  }
}

async function isGone(store: Store, pluginFile: string, script: string): Promise<boolean> {
  if (!((await isAbsent(pluginFile, /json/)) && (await isAbsent(script, /javascript/)))) {
    return false;
  }
  if (new URL(pluginFile).href === new URL(ownList, store.scope).href) return true;
  const { times, since } = await store.noteGone(true);
  return times >= goneTimes && Date.now() - since >= goneMs;
}

/** Whether the server says that it has no such file, or has something else there. */
async function isAbsent(url: string, type: RegExp): Promise<boolean> {
  try {
    const response = await fetch(url, { cache: 'no-store' });
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return true;
    return response.ok && !type.test(response.headers.get('content-type') ?? '');
  } catch {
    return false;
  }
}
