// Blob, File and FormData for the rest of the platform, which loads them when it meets one.

import { defineLazyInterfaces, isLoaded, loadPart } from '../lazy.ts';

type Part = typeof import('../lazy/file-api.ts');

const part = 'file-api';

/** The part, when there may be objects of it. */
export function fileApiInUse(): Part | null {
  return isLoaded(part) ? loadPart<Part>(part) : null;
}

export function fileApi(): Part {
  return loadPart<Part>(part);
}

export function installFileApi(global: object): void {
  defineLazyInterfaces(global, part, [
    ...['Blob', 'File', 'FileList', 'FileReader', 'FileReaderSync', 'FormData', 'ProgressEvent'],
  ]);
}
