// Lies about the framing of its answer.
onmessage = () =>
  postMessage({
    status: 200,
    headers: [
      ['content-length', '400'],
      ['transfer-encoding', 'chunked'],
      ['connection', 'close'],
      ['keep-alive', 'timeout=1'],
    ],
    body: 'four',
  });
