// A module in the style of the common edge runtimes. `env` is the plug-in's configuration.
import { greeting } from './greeting.js';

export default {
  async fetch(request, env) {
    const name = decodeURIComponent(new URL(request.url).pathname.replace(/^\/greet\//, ''));
    if (request.method !== 'GET') return new Response('only GET\n', { status: 405, headers: { allow: 'GET' } });
    return Response.json({ greeting: greeting(env.language, name) });
  },
};
