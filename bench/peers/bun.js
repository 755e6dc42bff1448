// bun bun.js HANDLER PORT
const [handler, port] = Bun.argv.slice(2);
const { default: app } = await import(handler);
Bun.serve({ hostname: '127.0.0.1', port: Number(port), fetch: (request) => app.fetch(request) });
