onmessage = ({ data: request }) => {
  postMessage({ status: 200, headers: [['content-type', 'text/plain']], body: `Hello, ${request.method}` });
};
