// Everything that the startup snapshot holds: the Web platform and the contracts of plug-ins written in JavaScript.
import { onOutgoingFailed, onOutgoingHead, onOutgoingReadable, onOutgoingWanted } from '../../web/fetch/exchange.ts';
import { useBrowserFetch } from '../../web/fetch/page-rules.ts';
import { fireUnhandledRejection } from '../../web/html/promise-rejection-event.ts';
import { onTimer } from '../../web/html/timers.ts';
import { installGlobals } from '../../web/install.ts';
import { captureLate } from '../../web/intrinsics/captured.ts';
import { onBroadcast, unpackPlatformObject } from '../../web/messaging/hooks.ts';
import { onWasmSource } from '../../web/wasm/hook.ts';
import {
  chooseModule,
  installFetchStyle,
  listensToFetch,
  onBodyReady,
  onDropped,
  onFetch,
  onWritable,
} from './fetch-style.ts';
import { installPostMessage, listensToMessages, onMessage } from './message-style.ts';
import { natives, type Style } from './natives.ts';
import { installValorGlobal } from './valor-global.ts';
import { warmUp } from './warm-up.ts';

function chooseStyle(namespace: Record<string, unknown> | undefined): Style | '' {
  if (chooseModule(namespace)) return 'module';
  if (listensToFetch()) return 'service-worker';
  return listensToMessages() ? 'message' : '';
}

installGlobals(globalThis);
installPostMessage(globalThis);
installFetchStyle(globalThis);
installValorGlobal(globalThis);

natives.setHooks({
  onContextMade: captureLate,
  useBrowserFetch,
  onTimer,
  onUnhandledRejection: fireUnhandledRejection,
  chooseStyle,
  onMessage,
  onFetch,
  onBodyReady,
  onWritable,
  onDropped,
  onOutgoingHead,
  onOutgoingReadable,
  onOutgoingWanted,
  onOutgoingFailed,
  onWasmSource,
  onBroadcast,
  unpackPlatformObject,
});

warmUp();
