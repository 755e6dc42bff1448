// Everything that plug-in code can do to the engine, its limits and its own answers; the first word of the URL says what.
const hoard = [];
const ok = (body) => postMessage({ status: 200, headers: [], body });
const head = (status, headers = []) => postMessage({ status, headers, body: 'x' });
const buffer = () => new Uint8Array([65, 66, 67, 68]).buffer;

// An array that says something else of its length, in the end always the same.
const lying = (...lengths) =>
  new Proxy([['a', 'b']], {
    get: (target, key) => (key === 'length' ? (lengths.length > 1 ? lengths.shift() : lengths[0]) : target[key]),
  });

const revoked = (target) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

const deeds = {
  fine: () => ok('fine'),

  // --- statuses ---
  'status-0': () => head(0),
  'status-99': () => head(99),
  'status-1000': () => head(1000),
  'status-65736': () => head(65_736),
  'status-negative': () => head(-200),
  'status-fraction': () => head(200.5),
  'status-nan': () => head(Number.NaN),
  'status-infinity': () => head(Number.POSITIVE_INFINITY),
  'status-abc': () => head('abc'),
  'status-string': () => head('200'),
  'status-null': () => head(null),
  'status-bigint': () => head(200n),
  'status-object': () => head({ valueOf: () => 200 }),
  'status-symbol': () => head(Symbol('200')),

  // --- headers ---
  'header-newline': () => head(200, [['x-a', 'b\nx-injected: yes']]),
  'header-carriage-return': () => head(200, [['x-a', 'b\rx-injected: yes']]),
  'header-nul': () => head(200, [['x-a', 'b\0']]),
  'header-control': () => head(200, [['x-a', 'b\x07']]),
  'header-beyond-latin1': () => head(200, [['x-a', 'grüß \u{1f600}']]),
  'name-newline': () => head(200, [['x-a\r\nx-injected', 'yes']]),
  'name-nul': () => head(200, [['x-a\0x-injected', 'yes']]),
  'name-colon': () => head(200, [['x-a: b', 'c']]),
  'name-blank': () => head(200, [['x a', 'b']]),
  'name-empty': () => head(200, [['', 'b']]),
  'name-beyond-ascii': () => head(200, [['x-ä', 'b']]),
  'name-number': () => head(200, [[1, 'b']]),
  'value-object': () => head(200, [['x-a', {}]]),
  'value-symbol': () => head(200, [['x-a', Symbol('b')]]),
  'value-missing': () => head(200, [['x-a']]),
  'value-too-many': () => head(200, [['x-a', 'b', 'c']]),
  'headers-object': () => head(200, { 'x-a': 'b' }),
  'headers-map': () => head(200, new Map([['x-a', 'b']])),
  'headers-string': () => head(200, 'x-a: b'),
  'headers-number': () => head(200, 5),
  'headers-huge': () => head(200, new Array(2 ** 32 - 1)),
  'headers-holes': () => head(200, Object.assign([], { 1: ['x-a', 'b'] })),
  'headers-length-text': () => head(200, lying('no number')),
  'headers-length-negative': () => head(200, lying(-1)),
  'headers-length-huge': () => head(200, lying(4_000_000_000)),
  'headers-length-fraction': () => head(200, lying(0.5)),
  'headers-length-object': () => head(200, lying({})),
  'headers-revoked': () => head(200, revoked([])),
  'pair-revoked': () => head(200, [revoked(['x-a', 'b'])]),
  'headers-throw': () =>
    head(200, [
      Object.defineProperty([], 0, {
        get() {
          throw new Error('thrown by a header');
        },
      }),
    ]),

  // --- messages ---
  'message-revoked': () => postMessage(revoked({})),
  'message-proxy': () => postMessage(new Proxy({ status: 200, headers: [], body: 'x' }, {})),
  'message-proxy-throws': () =>
    postMessage(
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('thrown by a trap');
          },
        },
      ),
    ),
  'message-cyclic': () => {
    const message = { status: 200, headers: [], body: {} };
    message.body.message = message;
    postMessage(message);
  },
  'message-function': () => postMessage(() => {}),
  'message-symbol': () => postMessage(Symbol('x')),
  'message-weak-map': () => postMessage(new WeakMap()),
  'message-promise': () => postMessage(Promise.resolve({ status: 200, headers: [], body: 'x' })),
  'message-deep': () => {
    let message = {};
    for (let i = 0; i < 200_000; i++) message = { message };
    postMessage(message);
  },
  'message-array': () => postMessage([200, [], 'x']),
  'getter-throws': () =>
    postMessage({
      get status() {
        throw new Error('thrown by a getter');
      },
    }),
  'getter-posts': () =>
    postMessage({
      get status() {
        ok('from within');
        return 99;
      },
    }),
  'transfer-nonsense': () => postMessage({ status: 200, headers: [], body: 'x' }, [5]),
  'transfer-twice': () => {
    const body = buffer();
    postMessage({ status: 200, headers: [], body }, [body, body]);
  },
  'transfer-detached': () => {
    const body = buffer();
    structuredClone(body, { transfer: [body] });
    postMessage({ status: 200, headers: [], body }, [body]);
  },

  // --- bodies that are odd and allowed ---
  'body-detached': () => {
    const body = buffer();
    structuredClone(body, { transfer: [body] });
    postMessage({ status: 200, headers: [], body });
  },
  'body-detached-view': () => {
    const body = new Uint8Array(buffer());
    structuredClone(body.buffer, { transfer: [body.buffer] });
    postMessage({ status: 200, headers: [], body });
  },
  'body-resized': () => {
    const body = new ArrayBuffer(8, { maxByteLength: 64 });
    const view = new Uint8Array(body, 4);
    body.resize(2);
    postMessage({ status: 200, headers: [], body: view });
  },
  'body-grown': () => {
    const body = new ArrayBuffer(2, { maxByteLength: 64 });
    const view = new Uint8Array(body);
    body.resize(4);
    view.fill(65);
    postMessage({ status: 200, headers: [], body: view });
  },
  'body-shared': () => postMessage({ status: 200, headers: [], body: new Uint8Array(new SharedArrayBuffer(4)) }),
  'body-shared-bare': () => postMessage({ status: 200, headers: [], body: new SharedArrayBuffer(4) }),
  'body-lone-surrogate': () => ok('\ud800'),
  'body-number': () => ok(5),
  'body-date': () => ok(new Date(0)),

  // --- without end ---
  loop: () => {
    for (;;);
  },
  microtasks: () => {
    const again = () => Promise.resolve().then(again);
    again();
  },
  recursion: () => {
    const down = (n) => down(n + 1) + down(n + 1);
    down(0);
  },
  'recursion-caught': () => {
    const down = () => {
      try {
        down();
      } finally {
        down();
      }
    };
    down();
  },
  'recursion-json': () => {
    let deep = [];
    for (let i = 0; i < 1_000_000; i++) deep = [deep];
    ok(JSON.stringify(deep));
  },
  heap: () => {
    for (;;) hoard.push(new Array(10_000).fill({}));
  },
  buffers: () => {
    for (;;) hoard.push(new Uint8Array(1_000_000).fill(1));
  },
  'buffers-caught': () => {
    for (;;) {
      try {
        hoard.push(new Uint8Array(1_000_000).fill(1));
      } catch {}
    }
  },
  strings: () => {
    for (let i = 0; ; i++) hoard.push(`${i}`.repeat(10_000) + Math.random());
  },
  'string-doubling': () => {
    let text = 'x';
    for (;;) {
      text += text;
      hoard.push(text.charCodeAt(text.length - 1), [...text.slice(0, 1000)]);
    }
  },
  promises: () => {
    const more = () => {
      hoard.push(new Array(1000).fill(0));
      return Promise.resolve().then(more);
    };
    more();
  },
  timers: () => {
    for (;;) setTimeout(() => hoard.push(1), 1e6);
  },
  listeners: () => {
    for (;;) addEventListener('message', () => {});
  },
  map: () => {
    const map = new Map();
    for (let i = 0; ; i++) map.set(i, { i });
  },
  'million-messages': () => {
    for (let i = 0; i < 1_000_000; i++) postMessage({ status: 200, headers: [], body: 'nobody asked' });
  },
  'million-logs': () => {
    for (let i = 0; i < 300_000; i++) console.log('a line that nobody needs');
    ok('logged');
  },
  'log-huge': () => {
    console.log('x'.repeat(10_000_000));
    ok('logged');
  },
};

onmessage = ({ data: request }) => deeds[new URL(request.url, location).pathname.split('/').at(-1)]();
