// Counts uploads and makes downloads, piece by piece.
const piece = new Uint8Array(256 * 1024).fill(0x76);

async function up(request) {
  let bytes = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Response.json({ bytes });
    bytes += value.byteLength;
  }
}

export default {
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/up') return up(request);
    let left = Number(url.searchParams.get('bytes'));
    return new Response(
      new ReadableStream({
        pull(controller) {
          const size = Math.min(left, piece.byteLength);
          left -= size;
          if (size > 0) controller.enqueue(piece.slice(0, size));
          if (left === 0) controller.close();
        },
      }),
    );
  },
};
