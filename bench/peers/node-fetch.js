// node node-fetch.js HANDLER PORT: apps with fetch(), through hono's adapter
import { serve } from '@hono/node-server';

const [handler, port] = process.argv.slice(2);
const { default: app } = await import(handler);
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(port) });
