import type { Core, Router } from '../../browser/core/core.ts';
export function loadCore(): Core {
  return {
    createRouter(prefixes: string[]): Router {
      return {
        find(target) {
          const path = target.split('?')[0]!.slice(1);
          const query = target.slice(path.length + 1);
          let best = -1;
          prefixes.forEach((p, i) => {
            if ((path === p || path.startsWith(`${p}/`) || p === '') && (best < 0 || p.length > prefixes[best]!.length))
              best = i;
          });
          if (best < 0) return null;
          return { index: best, url: path.slice(prefixes[best]!.length).replace(/^\//, '') + query };
        },
      };
    },
    requestId: (headers) => headers.find(([n]) => n === 'x-request-id')?.[1] ?? crypto.randomUUID(),
    problemJson: (problem, id) => JSON.stringify({ type: 'about:blank', ...problem, request_id: id }),
    statusText: () => '',
    checkResponse: (status) => (status < 200 || status > 599 ? 'bad status' : null),
  } as unknown as Core;
}
