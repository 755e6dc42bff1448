export default {
  fetch(request) {
    return new Response(`Hello, ${request.method}`, { headers: { 'content-type': 'text/plain' } });
  },
};
