// Entry of valor-sw.js, which valor-host.js imports: service worker and Workers both run plug-ins, so most of their code is
// the same.
import { hostPlugin } from './instance/worker.ts';
import { serveScope } from './service-worker/main.ts';

if ('ServiceWorkerGlobalScope' in self) serveScope();
else hostPlugin();
