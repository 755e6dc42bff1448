// For Deno and Bun: web-workers.js COUNT [PORT]
// Starts COUNT workers one after the other, each until it has answered, prints the milliseconds each took as a JSON array
// and stays. With PORT it then serves a hello; a request for /compute/N has worker N compute for 600 s.
const [countText, portText] = globalThis.Deno ? Deno.args : Bun.argv.slice(2);
const workers = [];
const times = [];
for (let i = 0; i < Number(countText); i++) {
  await new Promise((done) => setTimeout(done, 20));
  const start = performance.now();
  const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
  await new Promise((answered) => {
    worker.onmessage = answered;
    worker.postMessage({ url: '', method: 'GET', headers: [], body: null });
  });
  times.push(performance.now() - start);
  workers.push(worker);
}
console.log(JSON.stringify(times));

function answer(request) {
  const which = /\/compute\/(\d+)$/.exec(request.url)?.[1];
  if (which) workers[which].postMessage({ compute: 600_000 });
  return new Response('Hello from a plug-in', { headers: { 'content-type': 'text/plain' } });
}

if (portText) {
  const options = { hostname: '127.0.0.1', port: Number(portText) };
  if (globalThis.Deno) Deno.serve({ ...options, onListen() {} }, answer);
  else Bun.serve({ ...options, fetch: answer });
} else {
  setInterval(() => {}, 60_000);
}
