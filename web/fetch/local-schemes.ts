// What fetch() reads without a network: https://fetch.spec.whatwg.org/#scheme-fetch, of "data" and "blob", and files of the
// plug-in's own folder.

import { fileApi } from '../file-api/file-api.ts';
import { loadPart } from '../lazy.ts';
import type { URL } from '../url/url.ts';
import { readDataURL } from './data-url.ts';
import { networkError } from './exchange.ts';
import { parseMimeType } from './mime-type.ts';
import type { FetchedParts } from './response.ts';

export function isLocalScheme(url: URL): boolean {
  return url.protocol === 'data:' || url.protocol === 'blob:' || url.protocol === 'file:';
}

/** `blob`: what the URL stood for when the request was made. */
export function readLocal(url: URL, method: string, blob: object | undefined): FetchedParts {
  const parts = {
    url: url.href.replace(/#.*$/s, ''),
    redirected: false,
    type: 'basic' as const,
    status: 200,
    statusText: 'OK',
    hidden: null,
  };
  if (url.protocol === 'data:') {
    const data = readDataURL(url);
    if (data === null) throw networkError(url.href, 'the data: URL is not valid', 'ERR_INVALID_URL');
    return { ...parts, headers: ['content-type', data.type], body: method === 'HEAD' ? null : data.body };
  }
  if (method !== 'GET') throw networkError(url.href, `a ${url.protocol} URL can only be read with GET`, 'ERR_METHOD');
  if (url.protocol === 'file:') {
    const path = url.href.replace(/[?#].*$/s, '');
    const file = loadPart<typeof import('../lazy/own-file.ts')>('own-file').openOwnFile(path);
    if (file === null) throw networkError(url.href, "there is no such file in the plug-in's folder", 'ERR_NOT_FOUND');
    return { ...parts, url: path, headers: ['content-type', file.type], body: file.body };
  }
  if (blob === undefined) throw networkError(url.href, 'there is no such blob', 'ERR_INVALID_URL');
  const { type, size } = blob as { type: string; size: number };
  const files = fileApi();
  return {
    ...parts,
    headers: ['content-length', `${size}`, 'content-type', parseMimeType(type) === null ? '' : type],
    body: files.dataSource(files.blobData(blob as never)),
  };
}
