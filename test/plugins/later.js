// Answers after ?ms=, naming the request (or not, with ?unnamed), with the text of ?text=.
onmessage = ({ data: request }) => {
  const query = new URL(request.url, location).searchParams;
  const id = request.headers.find(([name]) => name === 'x-request-id')[1];
  const headers = query.has('unnamed') ? [] : [['X-Correlation-Id', id]];
  setTimeout(
    () => postMessage({ status: 200, headers, body: `${query.get('text') ?? ''} ${id}` }),
    Number(query.get('ms')),
  );
};
