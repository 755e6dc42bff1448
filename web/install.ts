// Puts the Web platform on the global: every interface and operation, with the property attributes of the standards.

import { installConsole } from './console/console.ts';
import { installCrypto } from './crypto/crypto.ts';
import { installAbort } from './dom/abort.ts';
import { installCustomEvent } from './dom/custom-event.ts';
import { installEvent } from './dom/event.ts';
import { installEventTarget } from './dom/event-target.ts';
import { installTextDecoder } from './encoding/text-decoder.ts';
import { installTextEncoder } from './encoding/text-encoder.ts';
import { installTextStreams } from './encoding/text-streams.ts';
import { installFetch } from './fetch/fetch.ts';
import { installHeaders } from './fetch/headers.ts';
import { installRequest } from './fetch/request.ts';
import { installResponse } from './fetch/response.ts';
import { installFileApi } from './file-api/file-api.ts';
import { installBase64 } from './html/base64.ts';
import { installErrorEvent } from './html/error-event.ts';
import { installImportScripts } from './html/import-scripts.ts';
import { installLocation } from './html/location.ts';
import { installMessageEvent } from './html/message-event.ts';
import { installNavigator } from './html/navigator.ts';
import { installPromiseRejectionEvent } from './html/promise-rejection-event.ts';
import { installStructuredClone } from './html/structured-clone.ts';
import { installTimers } from './html/timers.ts';
import { installWorkerGlobalScope } from './html/worker-global-scope.ts';
import { defineLazyInterfaces } from './lazy.ts';
import { installPerformance } from './performance/install.ts';
import { installScheduling } from './scheduling/install.ts';
import { installStreams } from './streams/streams.ts';
import { installURL } from './url/url.ts';
import { installURLSearchParams } from './url/url-search-params.ts';
import { installDOMException } from './webidl/dom-exception.ts';

const installers = [
  ...[
    installDOMException,
    installEvent,
    installEventTarget,
    installWorkerGlobalScope,
    installCustomEvent,
    installAbort,
  ],
  ...[installMessageEvent, installErrorEvent, installPromiseRejectionEvent],
  ...[installLocation, installImportScripts, installNavigator, installPerformance, installScheduling],
  ...[installTimers, installStructuredClone, installBase64, installConsole],
  ...[installTextEncoder, installTextDecoder, installTextStreams, installURL, installURLSearchParams, installStreams],
  ...[installHeaders, installRequest, installResponse, installFetch, installFileApi, installCrypto, installLazyParts],
];

function installLazyParts(global: object): void {
  defineLazyInterfaces(global, 'compression', ['CompressionStream', 'DecompressionStream']);
  defineLazyInterfaces(global, 'url-pattern', ['URLPattern']);
  defineLazyInterfaces(global, 'messaging', ['BroadcastChannel', 'MessageChannel', 'MessagePort']);
}

/** To be called once, while the snapshot is built. */
export function installGlobals(global: object): void {
  for (const install of installers) install(global);
}
