// What plug-ins do with the Web platform, each on its own path. Runs unchanged in every runtime.
const chunk = new Uint8Array(65_536).fill(120);
const mebibyte = new Uint8Array(1_048_576).fill(7);

/** `size` bytes in chunks of 64 KiB. */
function bytes(size) {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      left -= chunk.length;
      controller.enqueue(chunk.slice());
    },
  });
}

// A gzip stream of nothing but one letter would measure nothing: words that repeat as those of a log do.
const words = 'GET POST 200 404 /api/books /api/authors user-agent accept application/json 127.0.0.1 ok error'.split(
  ' ',
);
let text = '';
for (let i = 0, seed = 1; text.length < 10_485_760; i++) {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  text += `${i} ${words[seed % words.length]} ${seed} `;
}
const log = new TextEncoder().encode(text).slice(0, 10_485_760);

const work = {
  async '/stream'() {
    return new Response(bytes(1_073_741_824).pipeThrough(new TransformStream()));
  },
  async '/stream-js'() {
    const passing = new TransformStream({
      transform(piece, controller) {
        controller.enqueue(piece);
      },
    });
    return new Response(bytes(1_073_741_824).pipeThrough(passing));
  },
  async '/sha256'() {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', mebibyte));
    return new Response(String(digest[0]));
  },
  async '/json'(request) {
    const { books } = await request.json();
    return new Response(String(books.length));
  },
  async '/gzip'() {
    const zipped = new Blob([log]).stream().pipeThrough(new CompressionStream('gzip'));
    let size = 0;
    for await (const piece of zipped) size += piece.length;
    return new Response(String(size));
  },
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const name = Object.keys(work).find((path) => pathname.endsWith(path));
    return name ? await work[name](request) : new Response('ready');
  },
};
