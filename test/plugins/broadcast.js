// Instances that talk with each other: what one says, all hear, itself too (its ear is another channel than its mouth).
const id = crypto.randomUUID();
const mouth = new BroadcastChannel('news');
const ear = new BroadcastChannel('news');
const heard = [];
const waiting = new Map();

function hear(message) {
  heard.push(message);
  waiting.get(message.last)?.();
}

ear.onmessage = ({ data }) => {
  if (data.to === id && data.does === 'loop') for (;;);
  if (data.to === id && data.does === 'hoard') for (const all = []; ; ) all.push(new Array(1e5).fill(0.5));
  hear(typeof data.text === 'string' ? `${data.text.length} characters` : data);
};
ear.onmessageerror = () => hear('missed');

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url);
  switch (pathname.split('/').at(-1)) {
    case 'say':
      for (const message of await request.json()) mouth.postMessage(message);
      break;
    case 'count': // messages of their own sender
      for (let n = 0; n < Number(searchParams.get('to')); n++) mouth.postMessage({ from: id, n });
      break;
    case 'shout': // as many MiB
      for (let n = 0; n < Number(searchParams.get('mib')); n++) mouth.postMessage({ text: 'x'.repeat(1 << 20) });
      break;
    case 'hear': // waits for this message
      await new Promise((done) => waiting.set(searchParams.get('last'), done));
      return Response.json({ id, heard });
    case 'busy':
      for (const end = Date.now() + Number(searchParams.get('ms')); Date.now() < end; );
  }
  return Response.json({ id });
}

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));
