// Waits for an answer of its own before it answers, and answers without naming the request.
onmessage = async ({ data: request }) => {
  if (request.url === 'inner') return postMessage({ status: 200, headers: [], body: 'inner' });
  const text = await (await fetch(new URL('inner', location))).text().catch((error) => String(error));
  postMessage({ status: 200, headers: [], body: text });
};
