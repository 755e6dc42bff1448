// The rules of pages, for an instance whose definition asks for them (page-rules.ts).

import { isForbiddenRequestHeader, isForbiddenResponseHeader } from './forbidden-headers.ts';
import { PageFetching } from './page-fetching.ts';
import type { PageRules } from './page-rules.ts';

export const pageRules: PageRules = {
  createFetching: (request) => new PageFetching(request),
  isForbiddenRequestHeader,
  isForbiddenResponseHeader,
};
