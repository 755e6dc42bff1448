// Answers with what it fetches from config.to; config.init goes along with GET.
export default {
  fetch(request, env) {
    return fetch(env.to + new URL(request.url).pathname, request.method === 'GET' ? env.init : request);
  },
};
