// Answers every request with the secret of that request, as mixed.js does, through fetch.
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function secretOf(request, url) {
  return request.body === null ? url.searchParams.get('secret') : await request.text();
}

function streamed(secret, { breaks }) {
  let at = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (at > 0) await sleep(1);
        if (breaks && at > 6) throw new Error('on purpose');
        if (at >= secret.length) return controller.close();
        controller.enqueue(new TextEncoder().encode(secret.slice(at, at + 4)));
        at += 4;
      },
    }),
  );
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const ms = Number(url.searchParams.get('ms'));
    switch (url.pathname) {
      case '/late':
        await sleep(ms);
        return new Response(await secretOf(request, url));
      case '/stream':
        return streamed(await secretOf(request, url), { breaks: false });
      case '/breaks':
        return streamed(await secretOf(request, url), { breaks: true });
      case '/echo':
        return new Response(request.body ?? url.searchParams.get('secret'));
      case '/never':
        return new Promise(() => {});
      case '/throw':
        throw new Error('on purpose');
      case '/garbage':
        return 'garbage';
      default:
        return new Response(await secretOf(request, url));
    }
  },
};
