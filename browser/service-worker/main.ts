// What valor-sw.js does in a service worker: it is the registered script itself, or imported by a page author's service worker, which then asks
// `self.valor.handle(event)` for each fetch event.
import { loadCore } from '../core/core.ts';
import { createInstance } from '../instance/create.ts';
import { Control, isGuest } from './control.ts';
import { OwnFiles } from './own.ts';
import { Runtime } from './runtime.ts';

declare const self: ServiceWorkerGlobalScope & { valor: { handle(event: FetchEvent): boolean } };

/** URL of the folder that this script came from. A script that is imported is not told; errors are. */
function ownFolder(): string {
  if (!isGuest()) return new URL('.', self.location.href).href;
  const [, folder] = /(https?:[^\s()]*\/)valor-sw\.js/.exec(new Error().stack ?? '') ?? [];
  return folder ?? new URL('/_valor/', self.location.href).href;
}

export function serveScope(): void {
  const own = new OwnFiles(self.registration.scope, ownFolder());
  const control = new Control(own);
  const runtime = new Runtime(
    {
      createInstance,
      loadCore: async () => loadCore(await own.core()),
      openRegistry: (scope, core) => control.open(scope, core),
      call: (message, asked) => control.call(message, asked),
      own: (request) => own.answer(request),
    },
    self.registration.scope,
  );

  self.valor = { handle: (event) => runtime.handle(event) };
  self.addEventListener('message', (event) => runtime.message(event));
  control.listen(runtime);
  if (!isGuest()) {
    self.addEventListener('install', (event) => {
      event.waitUntil(Promise.all([self.skipWaiting(), own.install()]));
    });
    self.addEventListener('activate', (event) => {
      event.waitUntil(own.activate().then(() => self.clients.claim()));
    });
    self.addEventListener('fetch', (event) => runtime.handle(event));
  }
}
