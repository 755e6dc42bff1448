// The service worker with a registry that is what the server says at its start, and instances for tests.
import type { Definition } from '../../browser/core/core.ts';
import { loadCore } from '../../browser/core/core.ts';
import type { RegisteredPlugin, Registry } from '../../browser/service-worker/registry.ts';
import { Runtime } from '../../browser/service-worker/runtime.ts';
import { createInstance } from './create.ts';

declare const self: ServiceWorkerGlobalScope;

async function definitions(
  scope: string,
): Promise<{ plugins: RegisteredPlugin[]; hosting: 'page' | 'service-worker' }> {
  const response = await fetch(`/definitions${new URL(scope).pathname}`);
  const { plugins, hosting } = (await response.json()) as {
    plugins: (Definition & { version?: number })[];
    hosting: 'page' | 'service-worker';
  };
  return { plugins: plugins.map(({ version = 1, ...definition }) => ({ definition, version })), hosting };
}

const runtime = new Runtime(
  {
    createInstance,
    async loadCore() {
      return loadCore(await WebAssembly.compileStreaming(fetch('/valor-core.wasm')));
    },
    async openRegistry(scope) {
      const { plugins, hosting } = await definitions(scope);
      return {
        plugins,
        settings: { hosting },
        onchange: null,
        async read(_, url) {
          const response = await fetch(url);
          return { url, type: 'text/plain', bytes: await response.arrayBuffer() };
        },
      };
    },
    async call({ method }, { registry, scope, ...rest }) {
      const loaded = (await registry) as { -readonly [Key in keyof Registry]: Registry[Key] };
      if (method === 'list') return runtime.status();
      if (method === 'reload') {
        loaded.plugins = (await definitions(scope)).plugins;
        loaded.onchange?.();
        return;
      }
      throw new Error(`${method}? ${Object.keys(rest)}`);
    },
  },
  self.registration.scope,
);

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => runtime.message(event));
self.addEventListener('fetch', (event) => runtime.handle(event));
