// What plug-ins were given of this page's requests that may not be repeated, for a service worker that comes after one that was
// stopped meanwhile.
import { type NoticeMessage, PROTOCOL } from '../protocol.ts';

/** Until `signal` says so. */
export function keepLedger(scope: string, signal: AbortSignal): void {
  const begun = new Map<string, number>();
  const add = (key: string, count: number): void => {
    const sum = (begun.get(key) ?? 0) + count;
    if (sum > 0) begun.set(key, sum);
    else begun.delete(key);
  };
  navigator.serviceWorker.addEventListener(
    'message',
    ({ data, ports }: MessageEvent<NoticeMessage>) => {
      if (data?.valor !== PROTOCOL || data.scope !== scope) return;
      if (data.type === 'begun') add(data.key, 1);
      else if (data.type === 'ended') add(data.key, -1);
      else if (data.type === 'recall') {
        ports[0]?.postMessage(begun.has(data.key));
        add(data.key, -1);
      }
    },
    { signal },
  );
}
