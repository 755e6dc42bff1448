// Module style: default export with fetch(request, env, ctx).
export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    switch (url.pathname) {
      case '/':
        return new Response('root');
      case '/env':
        return Response.json({ env, waitUntil: typeof ctx.waitUntil });
      case '/background':
        ctx.waitUntil(new Promise((done) => setTimeout(done, 10)).then(() => console.log('background work is done')));
        return new Response('answered first');
      case '/headers': {
        const headers = new Headers([
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['x-one', '1'],
        ]);
        headers.append('x-one', '2');
        return new Response(null, { status: 201, headers });
      }
      case '/echo':
        return new Response(request.body, {
          headers: { 'content-type': request.headers.get('content-type') ?? 'none' },
        });
      case '/json':
        return Response.json({ got: await request.json() });
      case '/ticks': {
        let n = 0;
        const body = new ReadableStream({
          async pull(controller) {
            await new Promise((done) => setTimeout(done, 5));
            controller.enqueue(new TextEncoder().encode(`tick ${++n}\n`));
            if (n === 5) controller.close();
          },
        });
        return new Response(body);
      }
      case '/fails-midway': {
        let n = 0;
        return new Response(
          new ReadableStream({
            pull(controller) {
              if (n++ === 3) throw new Error('stream broke on purpose');
              controller.enqueue(new Uint8Array(1000));
            },
          }),
        );
      }
      case '/cancelled': {
        // Streams until the client leaves, then says so.
        return new Response(
          new ReadableStream({
            async pull(controller) {
              await new Promise((done) => setTimeout(done, 5));
              controller.enqueue(new Uint8Array(1000));
            },
            cancel() {
              console.log('stream cancelled by the client');
            },
          }),
        );
      }
      case '/aborted': {
        request.signal.addEventListener('abort', () => console.log('signal aborted by the client'));
        await new Promise(() => {});
        return new Response();
      }
      case '/nothing':
        return undefined;
      case '/throw':
        throw new Error('thrown on purpose');
      default:
        return new Response(`nothing at ${url.pathname}`, { status: 404 });
    }
  },
};
