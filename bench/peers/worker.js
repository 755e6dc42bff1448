self.onmessage = ({ data }) => {
  const end = Date.now() + (data.compute ?? 0);
  let sum = 0;
  while (Date.now() < end) for (let i = 0; i < 100_000; i++) sum += Math.sqrt(i);
  self.postMessage({
    status: 200,
    headers: [['content-type', 'text/plain']],
    body: `Hello from a plug-in${sum || ''}`,
  });
};
