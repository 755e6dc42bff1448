// Gives the same answer to everything, and does nothing else: what the browser itself takes.
const bytes = new TextEncoder().encode('Hello from GET /\n');

oninstall = () => skipWaiting();
onactivate = (event) => event.waitUntil(clients.claim());
onfetch = (event) => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice());
      controller.close();
    },
  });
  event.respondWith(new Response(body, { headers: { 'content-type': 'text/plain' } }));
};
