// Service-worker style.
addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.pathname === '/describe') {
    event.respondWith(
      (async () =>
        Response.json({
          url: request.url,
          method: request.method,
          header: request.headers.get('X-Test'),
          instances: [request instanceof Request, request.headers instanceof Headers],
          body: await request.text(),
        }))(),
    );
  } else if (url.pathname === '/reject') {
    event.respondWith(Promise.reject(new Error('rejected on purpose')));
  } else if (url.pathname === '/late') {
    event.respondWith(new Promise((done) => setTimeout(() => done(new Response('late but there')), 20)));
  } else if (url.pathname === '/wrong') {
    event.respondWith('not a response');
  }
});
