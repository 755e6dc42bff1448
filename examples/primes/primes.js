// Computes: counts the primes up to ?n=. While it does, the other plug-ins go on answering.
function countPrimes(n) {
  const composite = new Uint8Array(n + 1);
  let count = 0;
  for (let i = 2; i <= n; i++) {
    if (composite[i]) continue;
    count++;
    for (let j = i * i; j <= n; j += i) composite[j] = 1;
  }
  return count;
}

onmessage = ({ data: request }) => {
  const n = Number(new URL(request.url, location).searchParams.get('n') ?? 1_000_000);
  if (!Number.isInteger(n) || n < 0 || n > 50_000_000) {
    postMessage({ status: 400, headers: [], body: 'n is a whole number up to 50,000,000\n' });
    return;
  }
  const body = JSON.stringify({ n, primes: countPrimes(n) });
  postMessage({ status: 200, headers: [['content-type', 'application/json']], body });
};
