// Everything that a plug-in can do wrong while it answers; the first word of the URL says what.
const hoard = [];

function burn(ms) {
  const end = Date.now() + ms;
  let n = 0;
  while (Date.now() < end) n++;
  return n;
}

const deeds = {
  fine: () => postMessage({ status: 200, headers: [], body: 'fine' }),
  throw: () => {
    throw new Error('thrown on purpose');
  },
  reject: () => {
    Promise.reject(new Error('rejected on purpose'));
  },
  'throw-string': () => {
    throw 'just a string';
  },
  'throw-in-timer': () => {
    setTimeout(() => {
      throw new Error('thrown in a timer');
    }, 1);
    setTimeout(() => postMessage({ status: 200, headers: [], body: 'survived' }), 20);
  },
  never: () => {},
  twice: () => {
    postMessage({ status: 200, headers: [], body: 'first' });
    postMessage({ status: 200, headers: [], body: 'second' });
  },
  'twice-late': () => {
    postMessage({ status: 200, headers: [], body: 'first' });
    setTimeout(() => postMessage({ status: 200, headers: [], body: 'second, late' }), 10);
  },
  'status-99': () => postMessage({ status: 99, headers: [], body: null }),
  'status-600': () => postMessage({ status: 600, headers: [], body: null }),
  'status-text': () => postMessage({ status: 'fine', headers: [], body: null }),
  'status-101': () => postMessage({ status: 101, headers: [], body: null }),
  newline: () => postMessage({ status: 200, headers: [['x-a', 'b\r\nx-injected: yes']], body: 'x' }),
  'header-name': () => postMessage({ status: 200, headers: [['x a', 'b']], body: 'x' }),
  'header-nul': () => postMessage({ status: 200, headers: [['x-a', 'b\0c']], body: 'x' }),
  'header-shape': () => postMessage({ status: 200, headers: 'x-a: b', body: 'x' }),
  'bare-string': () => postMessage('hello'),
  'bare-null': () => postMessage(null),
  'bare-nothing': () => postMessage(),
  'body-object': () => postMessage({ status: 200, headers: [], body: { a: 1 } }),
  'not-cloneable': () => postMessage({ status: 200, headers: [], body: () => {} }),
  getter: () =>
    postMessage({
      get status() {
        throw new Error('thrown by a getter');
      },
    }),
  'unknown-id': () => postMessage({ status: 200, headers: [['x-correlation-id', 'nobody']], body: 'x' }),
  loop: () => {
    for (;;);
  },
  'loop-in-promise': () => {
    Promise.resolve().then(() => {
      for (;;);
    });
  },
  'loop-in-timer': () => {
    setTimeout(() => {
      for (;;);
    }, 1);
  },
  microtasks: () => {
    const again = () => queueMicrotask(again);
    again();
  },
  regex: () => {
    /^(a+)+$/.test(`${'a'.repeat(64)}b`);
  },
  recurse: () => {
    const down = () => down() + 1;
    down();
  },
  compute: (query) => {
    burn(Number(query.get('ms')));
    postMessage({ status: 200, headers: [], body: 'computed' });
  },
  heap: () => {
    for (;;) hoard.push(new Array(10_000).fill({}));
  },
  strings: () => {
    for (let i = 0; ; i++) hoard.push(`${i}`.repeat(1000) + Math.random());
  },
  buffers: () => {
    for (;;) hoard.push(new Uint8Array(1_000_000).fill(1));
  },
  // Beyond the largest array that V8 can have, where it ends a process of its own.
  'one-array': () => {
    hoard.push('x'.repeat(2 ** 28).split(''));
  },
  'one-buffer': () => {
    postMessage({ status: 200, headers: [], body: String(new Uint8Array(4_000_000_000).length) });
  },
  'keep-buffers': (query) => {
    for (let i = 0; i < Number(query.get('mb')); i++) hoard.push(new Uint8Array(1_048_576).fill(1));
    postMessage({ status: 200, headers: [], body: 'kept' });
  },
  close: () => {
    self.close?.();
  },
};

onmessage = ({ data: request }) => {
  const url = new URL(request.url, location);
  deeds[url.pathname.split('/').at(-1)](url.searchParams);
};
