// Takes its time over a body, or does not look at it at all.
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function slowly(request) {
  const reader = request.body.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Response(String(bytes));
    bytes += value.byteLength;
    await sleep(900);
  }
}

export default {
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/slowly') return slowly(request);
    return new Response(new Uint8Array(Number(url.searchParams.get('bytes'))).fill(0x76));
  },
};
