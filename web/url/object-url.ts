// blob: URLs: https://w3c.github.io/FileAPI/#url

import { fileApiInUse } from '../file-api/file-api.ts';
import { location } from '../html/location.ts';

// A URL keeps its blob until it is revoked: a plug-in that never does so meets its memory limit.
const store = new Map<string, object>();

/** https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4 */
function randomUUID(): string {
  let text = '';
  for (let at = 0; at < 32; at++) {
    const digit = Math.floor(Math.random() * 16);
    text += (at === 12 ? 4 : at === 16 ? (digit & 3) | 8 : digit).toString(16);
    if (at === 7 || at === 11 || at === 15 || at === 19) text += '-';
  }
  return text;
}

export function createObjectURL(object: unknown): string {
  if (!fileApiInUse()?.isBlob(object)) throw new TypeError("URL.createObjectURL: parameter 1 is not of type 'Blob'");
  const url = `blob:${location.origin}/${randomUUID()}`;
  store.set(url, object as object);
  return url;
}

export function revokeObjectURL(url: string): void {
  store.delete(url);
}

/** The blob behind a URL without its fragment; undefined when there is none. */
export function resolveObjectURL(url: string): object | undefined {
  return store.get(url);
}
