// deno run deno.js HANDLER PORT
const [handler, port] = Deno.args;
const { default: app } = await import(handler);
Deno.serve({ hostname: '127.0.0.1', port: Number(port), onListen() {} }, (request) => app.fetch(request));
