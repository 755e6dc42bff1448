// node node-hello.js PORT: Node's own way, which is its fastest
import { createServer } from 'node:http';

createServer((request, response) => {
  const body = `Hello, ${request.method}`;
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
