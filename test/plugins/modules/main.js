// Static, dynamic and JSON imports, top-level await, import.meta.url, a module imported twice, a cycle.

import { a } from './cycle-a.js';
import data from './data.json' with { type: 'json' };
import { count as again } from './sub/../sub/counter.js';
import { count } from './sub/counter.js';

const answer = await new Promise((done) => setTimeout(() => done(42), 5));

async function attempt(specifier) {
  try {
    const module = await import(specifier);
    return Object.keys(module);
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

addEventListener('message', async ({ data: request }) => {
  const id = request.headers.find(([name]) => name === 'x-request-id')[1];
  const specifier = new URL(request.url, location).searchParams.get('import');
  const body =
    specifier === null
      ? {
          data,
          answer,
          meta: import.meta.url,
          cycle: a(),
          sameModule: count() + again(),
          lazy: (await import('./lazy.js')).default,
        }
      : { result: await attempt(specifier) };
  postMessage({ status: 200, headers: [['x-correlation-id', id]], body: JSON.stringify(body) });
});
