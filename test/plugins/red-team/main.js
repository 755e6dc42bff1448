import { attacks, attempt } from './attacks.js';

const names = Object.keys(attacks);
const { stringify } = JSON;
const headers = { 'content-type': 'application/json' };

export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const name = searchParams.get('attack');
    if (name === null) return new Response(stringify(names), { headers });
    return new Response(stringify(await attempt(name, searchParams.get('port'), searchParams.get('victim'))), {
      headers,
    });
  },
};
