// Greets: /__name__?who=Bob is answered with "Alice says hello Bob!". The name is the config in plugins.json.
export default {
  fetch(request, env) {
    const who = new URL(request.url).searchParams.get('who');
    if (who === null) return new Response('Say who: ?who=NAME\n', { status: 400 });
    return new Response(`${env.name} says hello ${who}!\n`);
  },
};
