// The same in the fetch style.
export default {
  fetch(request) {
    const { status, headers } = JSON.parse(decodeURIComponent(new URL(request.url).search.slice(1)));
    return new Response(JSON.stringify(headers), { status, headers });
  },
};
