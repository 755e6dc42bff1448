// Created with a configuration ("Alice"), which its handler uses: GET ?who=Bob answers "Alice says hello Bob!".
const me = self.valor.config;

addEventListener('message', ({ data: request }) => {
  const who = new URL(request.url, location).searchParams.get('who');
  const id = request.headers.find(([name]) => name === 'x-request-id')[1];
  postMessage({
    status: who === null ? 400 : 200,
    headers: [
      ['content-type', 'text/plain'],
      ['x-correlation-id', id],
    ],
    body: who === null ? 'who is missing: ?who=NAME' : `${me} says hello ${who}!`,
  });
});
