// The smallest plug-in: a request message comes in, a response message goes out.
onmessage = ({ data: request }) => {
  postMessage({
    status: 200,
    headers: [['content-type', 'text/plain']],
    body: `Hello from ${request.method} /${request.url}\n`,
  });
};
