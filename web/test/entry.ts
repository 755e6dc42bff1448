// What the tests see of the platform: the global, and what the glue uses.
import { createAbortSignal, signalAbort } from '../dom/abort.ts';
import { dispatch } from '../dom/event-target.ts';
import { onOutgoingFailed, onOutgoingHead } from '../fetch/exchange.ts';
import { useBrowserFetch } from '../fetch/page-rules.ts';
import { createRequest } from '../fetch/request.ts';
import { responseState } from '../fetch/response.ts';
import { createMessageEvent } from '../html/message-event.ts';
import { fireUnhandledRejection } from '../html/promise-rejection-event.ts';
import { onTimer } from '../html/timers.ts';
import { installGlobals } from '../install.ts';
import { captureLate } from '../intrinsics/captured.ts';
import { onBroadcast } from '../messaging/hooks.ts';

installGlobals(globalThis);
captureLate();

Object.assign(globalThis, {
  glue: {
    createAbortSignal,
    createMessageEvent,
    createRequest,
    dispatch,
    fireUnhandledRejection,
    onBroadcast,
    onOutgoingFailed,
    onOutgoingHead,
    onTimer,
    responseState,
    signalAbort,
    useBrowserFetch,
  },
});
