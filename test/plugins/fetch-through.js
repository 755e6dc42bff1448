// Answers with what it fetches from config.to.
export default {
  fetch(request, env) {
    return fetch(env.to + new URL(request.url).pathname, request.method === 'GET' ? {} : request);
  },
};
