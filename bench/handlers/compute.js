// Computes without a pause for as many milliseconds as the query says, then answers.
onmessage = ({ data: request }) => {
  const end = Date.now() + Number(request.url.slice(1));
  let sum = 0;
  while (Date.now() < end) for (let i = 0; i < 100_000; i++) sum += Math.sqrt(i);
  postMessage({ status: 200, headers: [], body: String(sum) });
};
