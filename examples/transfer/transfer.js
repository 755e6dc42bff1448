// Streams both ways without ever holding a whole body: /up counts what is sent, /down?bytes=N sends N bytes.
const pieceSize = 64 * 1024;

async function up(request) {
  let bytes = 0;
  for await (const piece of request.body ?? []) bytes += piece.byteLength;
  return Response.json({ bytes });
}

function down(url) {
  let left = Number(url.searchParams.get('bytes') ?? pieceSize);
  if (!Number.isSafeInteger(left) || left < 0) return new Response('bytes is a whole number\n', { status: 400 });
  const length = String(left);
  const body = new ReadableStream({
    pull(controller) {
      const size = Math.min(left, pieceSize);
      if (size > 0) controller.enqueue(new Uint8Array(size).fill(0x76));
      left -= size;
      if (left === 0) controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/octet-stream', 'content-length': length } });
}

export default {
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/up') return up(request);
    if (url.pathname === '/down') return down(url);
    return new Response('PUT or POST to /up, GET /down?bytes=N\n', { status: 404 });
  },
};
