// Files of the plug-in's own folder, under the file: URLs that import.meta.url has. https://fetch.spec.whatwg.org/#scheme-fetch
// leaves file: open; so that `fetch(new URL('x.wasm', import.meta.url))` does here what it does in a browser.

import { natives } from '../natives.ts';
import type { BodySource } from './body-source.ts';

const types: Record<string, string> = {
  css: 'text/css;charset=utf-8',
  csv: 'text/csv;charset=utf-8',
  gif: 'image/gif',
  htm: 'text/html;charset=utf-8',
  html: 'text/html;charset=utf-8',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript;charset=utf-8',
  json: 'application/json',
  md: 'text/markdown;charset=utf-8',
  mjs: 'text/javascript;charset=utf-8',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain;charset=utf-8',
  wasm: 'application/wasm',
  webp: 'image/webp',
  xml: 'application/xml',
};

export interface OwnFile {
  type: string;
  body: BodySource;
}

/** null when there is no such file in the folder. `url` has neither query nor fragment. */
export function openOwnFile(url: string): OwnFile | null {
  let next = natives.readOwnFile(url, 0);
  if (next === undefined) return null;
  let offset = 0;
  const extension = /\.([^./]*)$/.exec(url)?.[1]?.toLowerCase() ?? '';
  return {
    type: types[extension] ?? 'application/octet-stream',
    body: {
      read() {
        const piece = next === undefined ? natives.readOwnFile(url, offset) : next;
        next = undefined;
        if (piece === undefined) throw new TypeError(`The file ${url} is not there any more`);
        offset += piece?.length ?? 0;
        return piece;
      },
      cancel() {},
    },
  };
}
