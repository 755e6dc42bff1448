// Fetches itself again and again: ?depth= times, or for ever; ?wait= answers first, in pieces, and fetches then.
export default {
  async fetch(request) {
    const url = new URL(request.url);
    const depth = Number(url.searchParams.get('depth') ?? Infinity);
    if (depth === 0) return new Response('the bottom');
    const next = new URL(`?depth=${depth === Infinity ? 'Infinity' : depth - 1}`, location);
    const response = await fetch(next);
    return new Response(response.body, response);
  },
};
