onmessage = () =>
  postMessage({
    status: 200,
    headers: [['content-type', 'text/plain;charset=UTF-8']],
    body: 'OK response from a plugin',
  });
