import init, { describe, greet } from './greeter.js';

await init();

export default {
  fetch(request) {
    const url = new URL(request.url);
    if (url.searchParams.has('describe')) {
      try {
        return new Response(describe(JSON.parse(url.searchParams.get('describe'))));
      } catch (error) {
        return new Response(`failed: ${error}`, { status: 400 });
      }
    }
    return new Response(greet(url.searchParams.get('name') ?? ''));
  },
};
