// Answers after as long as it is told.
export default {
  async fetch(request) {
    await new Promise((done) => setTimeout(done, Number(new URL(request.url).searchParams.get('ms'))));
    return new Response('done');
  },
};
