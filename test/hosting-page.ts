// A page of the scope that its address says.

import { lead } from '../browser/page/leader.ts';
import { keepLedger } from '../browser/page/ledger.ts';
import { PROTOCOL } from '../browser/protocol.ts';

const scope = new URL('.', location.href).href;
keepLedger(scope, new AbortController().signal);
const registration = await navigator.serviceWorker.register('/valor-sw.js', { scope });
const controlled = new Promise<void>((done) => {
  if (navigator.serviceWorker.controller !== null) done();
  navigator.serviceWorker.addEventListener('controllerchange', () => done());
});
await controlled;
const leader = lead({ scope, registration, folder: new URL('/', location.href).href });

async function call(method: string): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  const reply = new Promise<MessageEvent>((done) => {
    port1.onmessage = done;
  });
  registration.active!.postMessage({ valor: PROTOCOL, scope, type: 'call', method }, [port2]);
  return (await reply).data;
}

Object.assign(globalThis, { leader, call, ready: true });

// In a frame of bench/browser.ts. The same loop as in bench/handlers/frame.js.
if (parent !== window) {
  addEventListener('message', async ({ data: { url, count }, source }) => {
    const taken: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await (await fetch(url)).text();
      taken.push(performance.now() - began);
    }
    (source as Window).postMessage(taken, '*');
  });
  parent.postMessage('ready', '*');
}
