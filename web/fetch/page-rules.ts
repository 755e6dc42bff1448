// How an instance's fetch() behaves: as on servers (fetching.ts), or, where its definition says so, as in a page at its
// location (lazy/page-fetch.ts, which other instances never load).

import { loadPart } from '../lazy.ts';
import type { Fetching } from './fetching.ts';
import type { RequestState } from './request.ts';

export interface PageRules {
  createFetching(request: RequestState): Fetching;
  /** https://fetch.spec.whatwg.org/#forbidden-request-header */
  isForbiddenRequestHeader(name: string, value: string): boolean;
  /** https://fetch.spec.whatwg.org/#forbidden-response-header-name */
  isForbiddenResponseHeader(name: string): boolean;
}

/** null: as on servers. */
export let pageRules: PageRules | null = null;

/** Called by C++ when an instance starts, before the plug-in's code is there. */
export function useBrowserFetch(): void {
  pageRules = loadPart<{ pageRules: PageRules }>('page-fetch').pageRules;
}
