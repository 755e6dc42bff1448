const text = ['content-type', 'text/plain;charset=UTF-8'];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

onmessage = async ({ data: request }) => {
  const parameters = new URL(request.url, location).searchParams;
  const header = (name) => request.headers.find(([key]) => key === name)?.[1];
  const answer = (status, headers, body) =>
    postMessage({ status, headers: [...headers, ['x-correlation-id', header('x-request-id')]], body });

  if (parameters.has('fail')) throw new Error('asked to fail');
  if (parameters.has('bad-header')) return answer(200, [['x-bad', 'two\nlines']], null);
  if (parameters.has('block')) {
    const end = performance.now() + Number(parameters.get('block'));
    while (performance.now() < end);
  }
  if (parameters.has('wait')) await sleep(Number(parameters.get('wait')));
  if (parameters.has('fetch')) {
    try {
      const response = await fetch(parameters.get('fetch'));
      const type = response.headers.get('content-type');
      const body = await response.arrayBuffer();
      return answer(response.status, type === null ? [] : [['content-type', type]], body);
    } catch {
      return answer(599, [text], 'fetch failed');
    }
  }
  const type = header('content-type');
  answer(
    Number(parameters.get('status') ?? 200),
    [
      ['x-method', request.method],
      ['x-url', request.url],
      ...request.headers.filter(([name]) => name.startsWith('x-case-')),
      ...(type !== undefined && request.body?.byteLength ? [['content-type', type]] : []),
    ],
    request.body,
  );
};
