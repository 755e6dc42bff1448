// The same as web-workers.js for Node: node-workers.js COUNT [PORT]
import { createServer } from 'node:http';
import { Worker } from 'node:worker_threads';

const [countText, portText] = process.argv.slice(2);
const workers = [];
const times = [];
for (let i = 0; i < Number(countText); i++) {
  await new Promise((done) => setTimeout(done, 20));
  const start = performance.now();
  const worker = new Worker(new URL('node-worker.js', import.meta.url));
  await new Promise((answered) => {
    worker.once('message', answered);
    worker.postMessage({ url: '', method: 'GET', headers: [], body: null });
  });
  times.push(performance.now() - start);
  workers.push(worker);
}
console.log(JSON.stringify(times));

if (portText) {
  createServer((request, response) => {
    const which = /\/compute\/(\d+)$/.exec(request.url)?.[1];
    if (which) workers[which].postMessage({ compute: 600_000 });
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 20 });
    response.end('Hello from a plug-in');
  }).listen(Number(portText), '127.0.0.1');
}
