// A page that measures requests to its own server, when the page around it says so.
const page = `<!doctype html><script>
onmessage = async ({ data: { url, count }, source }) => {
  const taken = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await (await fetch(url)).text();
    taken.push(performance.now() - began);
  }
  source.postMessage(taken, '*');
};
parent.postMessage('ready', '*');
</script>`;

export default {
  fetch: () => new Response(page, { headers: { 'content-type': 'text/html' } }),
};
