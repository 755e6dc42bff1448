// Has things that no other plug-in may get at.
globalThis.secret = 'victim-secret';
const url = URL.createObjectURL(new Blob(['victim-secret']));
const channel = new BroadcastChannel('red-team');
channel.onmessage = ({ data }) => channel.postMessage(`victim-secret, for ${data}`);
performance.mark('victim-secret');

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith('/url')) return new Response(url);
    // What the attackers may have changed.
    const found = [
      {}.polluted,
      [].polluted,
      globalThis.polluted,
      Object.prototype.toString === globalThis.Object.prototype.toString ? undefined : 'toString',
      JSON.stringify({ a: 1 }) === '{"a":1}' ? undefined : 'JSON',
      [1].map((x) => x + 1)[0] === 2 ? undefined : 'map',
    ].filter((x) => x !== undefined);
    return Response.json(found);
  },
};
