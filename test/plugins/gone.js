// Counts the clients that leave while they send a body: when it is read, when it is read later, and when nobody reads it.
const counts = { begun: 0, broken: 0, whole: 0, aborted: 0 };

async function read(request) {
  try {
    await request.arrayBuffer();
    counts.whole++;
  } catch {
    counts.broken++;
  }
  return new Response('read');
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/counts') return Response.json(counts);
    counts.begun++;
    if (pathname === '/read') return read(request);
    if (pathname === '/later') {
      await new Promise((done) => setTimeout(done, 30));
      return read(request);
    }
    await new Promise((done) => request.signal.addEventListener('abort', done));
    counts.aborted++;
    return new Response('aborted');
  },
};
