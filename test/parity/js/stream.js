const text = { 'content-type': 'text/plain;charset=UTF-8' };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
let gone = 0;

/** A body from pieces, which counts clients that leave before its end: while it is sent, or while theirs is read. */
function body(pieces) {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await pieces.next().catch((error) => {
        gone++;
        throw error;
      });
      done ? controller.close() : controller.enqueue(value);
    },
    cancel() {
      gone++;
    },
  });
}

async function* letters(count, size, wait, fail) {
  for (let i = 0; i < count; i++) {
    if (wait > 0) await sleep(wait);
    yield new Uint8Array(size).fill(97 + (i % 26));
  }
  if (fail) throw new Error('asked to fail');
}

async function* endless() {
  for (;;) {
    yield new Uint8Array(16384).fill(101);
    await sleep(5);
  }
}

async function* read(stream) {
  for await (const piece of stream) yield piece;
}

export default {
  fetch(request) {
    const url = new URL(request.url);
    const path = url.pathname.slice(1);
    if (request.method === 'POST') {
      const type = request.headers.get('content-type') ?? 'application/octet-stream';
      return new Response(body(read(request.body ?? [])), { headers: { 'content-type': type } });
    }
    if (path === 'endless') return new Response(body(endless()), { headers: text });
    if (path === 'gone') return new Response(String(gone), { headers: text });
    const number = (name) => Number(url.searchParams.get(name) ?? 0);
    return new Response(body(letters(number('pieces'), number('size'), number('wait'), number('fail') > 0)), {
      headers: text,
    });
  },
};
