// https://html.spec.whatwg.org/multipage/workers.html#dom-workerglobalscope-importscripts
// Departure: only scripts in the plug-in's folder are imported. The folder of the plug-in's script stands where its
// location stands, so that an address finds the same file here as in a browser that got the plug-in from there.

import { natives } from '../natives.ts';
import { parseURL, type URL } from '../url/url.ts';
import { toUSVString } from '../webidl/conversions.ts';
import { defineOperation } from '../webidl/define.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import { location } from './location.ts';

/** The way from the folder of `base` to `target`; undefined when they are of different origins. */
function relativePath(base: URL, target: URL): string | undefined {
  if (target.origin !== base.origin || target.origin === 'null') return undefined;
  const from = base.pathname.split('/').slice(0, -1);
  const to = target.pathname.split('/');
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
  return '../'.repeat(from.length - shared) + to.slice(shared).join('/');
}

function importScripts(...urls: unknown[]): void {
  const base = parseURL(location.href);
  const targets = urls.map(toUSVString).map((url) => {
    try {
      return parseURL(url, base.href);
    } catch {
      throw new DOMException(`'${url}' is not a valid URL`, 'SyntaxError');
    }
  });
  for (const target of targets) {
    const path = relativePath(base, target);
    const result = path === undefined ? 'missing' : natives.importScript(path);
    if (result === 'module') throw new TypeError('importScripts() is not for modules; use import');
    if (result === 'missing') {
      throw new DOMException(`There is no script ${target.href} in the plug-in's folder`, 'NetworkError');
    }
    if (result !== '') throw new DOMException(result, 'NetworkError');
  }
}

export function installImportScripts(global: object): void {
  defineOperation(global, 'importScripts', importScripts);
}
