// Answers with the status and headers that the query holds as JSON.
onmessage = ({ data: request }) => {
  const { status, headers } = JSON.parse(decodeURIComponent(request.url.slice(1)));
  postMessage({ status, headers, body: JSON.stringify(headers) });
};
