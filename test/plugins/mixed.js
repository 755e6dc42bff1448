// Answers every request with the secret of that request, in every way that the message contract allows and some that it
// does not. The first word of the URL says how: /WAY?secret=...&ms=..., or the secret is the body.
const held = [];

const secretOf = ({ url, body }) =>
  body === null ? new URL(url, location).searchParams.get('secret') : new TextDecoder().decode(body);

const named = ({ headers }) => [['x-correlation-id', headers.find(([name]) => name === 'x-request-id')[1]]];

const answer = (request, headers) => postMessage({ status: 200, headers, body: secretOf(request) });

function release() {
  // The last one first.
  for (const request of held.splice(0).reverse()) answer(request, named(request));
}

const ways = {
  named: (request) => answer(request, named(request)),
  unnamed: (request) => answer(request, []),
  promise: async (request) => {
    await null;
    answer(request, named(request));
  },
  late: (request, ms) => setTimeout(() => answer(request, named(request)), ms),
  'late-unnamed': (request, ms) => setTimeout(() => answer(request, []), ms),
  reversed: (request) => {
    if (held.push(request) >= 8) release();
    else if (held.length === 1) setTimeout(release, 3);
  },
  twice: (request) => {
    answer(request, named(request));
    postMessage({ status: 200, headers: named(request), body: 'a second answer' });
  },
  'twice-unnamed': (request) => {
    answer(request, []);
    postMessage({ status: 200, headers: [], body: 'a second answer' });
  },
  'twice-late': (request, ms) => {
    answer(request, named(request));
    setTimeout(() => postMessage({ status: 200, headers: named(request), body: 'a second answer' }), ms);
  },
  never: () => {},
  throw: () => {
    throw new Error('on purpose');
  },
  garbage: () => postMessage({ status: 99, headers: [], body: 'garbage' }),
  astray: (request) => {
    postMessage({ status: 200, headers: [['x-correlation-id', 'nobody']], body: 'an answer to nobody' });
    answer(request, named(request));
  },
  stuck: () => {
    for (;;);
  },
  hoard: () => {
    for (;;) held.push(new Array(10_000).fill({}));
  },
  busy: (request, ms) => {
    const end = Date.now() + ms;
    while (Date.now() < end);
    answer(request, named(request));
  },
};

onmessage = ({ data: request }) => {
  const url = new URL(request.url, location);
  ways[url.pathname.split('/').at(-1)](request, Number(url.searchParams.get('ms')));
};
