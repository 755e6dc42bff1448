// The case table: what a plug-in answers, whatever it is written in and wherever it runs. A case asks with fetch() and
// nothing else, so that it runs in Node and in a web page alike, and gives a value that JSON can hold.

/** What one column of the table offers to a case. */
export interface Place {
  /** Where the case plug-ins are mounted: `${base}hello`, `${base}echo`, ... Ends with a slash. */
  base: string;
  /** An http: URL at which nobody listens. */
  nowhere: string;
}

export interface Case {
  name: string;
  /** Columns where the case makes sense; without it all. */
  only?: RegExp;
  run(place: Place): Promise<unknown>;
  expected: unknown;
}

const text = 'text/plain;charset=UTF-8';

/** Status, content-type and body: what every kind of plug-in must agree upon. */
async function answer(response: Response): Promise<unknown[]> {
  return [response.status, response.headers.get('content-type'), await response.text()];
}

/** The same for errors, which are problem+json (RFC 9457): status and type. */
async function problem(response: Response): Promise<unknown[]> {
  const type = response.headers.get('content-type');
  const body = (await response.json()) as { status: number; plugin: unknown };
  return [response.status, type, body.status === response.status, typeof body.plugin];
}

function bytes(length: number, factor = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * factor) & 0xff);
}

/** A checksum that says where two bodies differ in anything. */
function digest(data: Uint8Array): string {
  let sum = 0x811c9dc5;
  for (const byte of data) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return `${data.length}:${sum.toString(16)}`;
}

async function digestOf(response: Response): Promise<string> {
  return digest(new Uint8Array(await response.arrayBuffer()));
}

async function eventually(condition: () => Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return true;
    await new Promise((done) => setTimeout(done, 25));
  }
  return false;
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;

const cases: Case[] = [];

function add(name: string, expected: unknown, run: (place: Place) => Promise<unknown>, only?: RegExp): void {
  cases.push({ name, expected, run, ...(only ? { only } : {}) });
}

// --- hello

for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
  add(`hello: ${method}`, [200, text, 'OK response from a plugin'], async ({ base }) =>
    answer(await fetch(`${base}hello`, { method })),
  );
}

add('hello: HEAD has no body', [200, text, ''], async ({ base }) =>
  answer(await fetch(`${base}hello`, { method: 'HEAD' })),
);

add('hello: a body that nobody reads', [200, text, 'OK response from a plugin'], async ({ base }) =>
  answer(await fetch(`${base}hello`, { method: 'POST', body: bytes(100_000) })),
);

add('hello: below the mount, with a query', [200, text, 'OK response from a plugin'], async ({ base }) =>
  answer(await fetch(`${base}hello/a/b?c=d`)),
);

add('hello: the answer names request and plug-in', ['123abc', true], async ({ base }) => {
  const response = await fetch(`${base}hello`, { headers: { 'x-request-id': '123abc' } });
  return [response.headers.get('x-correlation-id'), response.headers.get('x-valor-plugin') !== null];
});

// --- with-state

add('with-state: config and query', [200, text, 'Alice says hello Bob!'], async ({ base }) =>
  answer(await fetch(`${base}with-state?who=Bob`)),
);

add('with-state: the query is decoded', [200, text, 'Alice says hello Jörg + A&Ω!'], async ({ base }) =>
  answer(await fetch(`${base}with-state?a=1&who=J%C3%B6rg+%2B+A%26%CE%A9`)),
);

add('with-state: an empty name', [200, text, 'Alice says hello !'], async ({ base }) =>
  answer(await fetch(`${base}with-state?who=`)),
);

add('with-state: without a name', [400, text, 'who is missing'], async ({ base }) =>
  answer(await fetch(`${base}with-state`)),
);

add('with-state: the state lasts from request to request', 3, async ({ base }) => {
  const count = async (): Promise<number> => Number(await (await fetch(`${base}with-state/count`)).text());
  const before = await count();
  for (let i = 0; i < 3; i++) await fetch(`${base}with-state?who=${i}`);
  return (await count()) - before;
});

// --- echo

for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
  add(`echo: ${method} arrives as it was sent`, method, async ({ base }) =>
    (await fetch(`${base}echo`, { method })).headers.get('x-method'),
  );
}

for (const [path, expected] of [
  ['', ''],
  ['/', ''],
  ['/a/b/', 'a/b/'],
  ['/a//b', 'a//b'],
  ['?x=1&x=2', '?x=1&x=2'],
  ['/a%20b%2Fc?q=%C3%A9&+', 'a%20b%2Fc?q=%C3%A9&+'],
  ['/%F0%9F%98%80', '%F0%9F%98%80'],
  ['/é?ü', '%C3%A9?%C3%BC'],
  ["/a;b=c,d!$'()*@~", "a;b=c,d!$'()*@~"],
  // What would be read as a scheme is kept from it, so that new URL(url, location) is the public URL.
  ['/a:b', './a:b'],
] as const) {
  add(`echo: the url of ${path || 'the mount itself'}`, expected, async ({ base }) =>
    (await fetch(`${base}echo${path}`)).headers.get('x-url'),
  );
}

add('echo: headers come back, names in lower case', ['One, 2', '', 'a b  c'], async ({ base }) => {
  const headers = new Headers([
    ['X-Case-A', 'One'],
    ['x-case-a', '2'],
    ['x-case-empty', ''],
    ['X-CASE-Blanks', ' a b  c '],
  ]);
  const response = await fetch(`${base}echo`, { headers });
  return ['x-case-a', 'x-case-empty', 'x-case-blanks'].map((name) => response.headers.get(name));
});

add('echo: bytes of a header value', 'gr\u00fc\u00df \u00ff', async ({ base }) =>
  (await fetch(`${base}echo`, { headers: { 'x-case-bytes': 'gr\u00fc\u00df \u00ff' } })).headers.get('x-case-bytes'),
);

add('echo: a long header value', 7000, async ({ base }) => {
  const response = await fetch(`${base}echo`, { headers: { 'x-case-long': 'v'.repeat(7000) } });
  return response.headers.get('x-case-long')?.length;
});

add('echo: fifty headers', 'value-0 value-49', async ({ base }) => {
  const headers = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x-case-${i}`, `value-${i}`]));
  const response = await fetch(`${base}echo`, { headers });
  return `${response.headers.get('x-case-0')} ${response.headers.get('x-case-49')}`;
});

add('echo: text', [200, 'text/plain;charset=UTF-8', 'grüße'], async ({ base }) =>
  answer(await fetch(`${base}echo`, { method: 'POST', body: 'grüße' })),
);

add('echo: JSON keeps its type', [200, 'application/json', '{"a":[1,null]}'], async ({ base }) =>
  answer(
    await fetch(`${base}echo`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"a":[1,null]}',
    }),
  ),
);

for (const length of [0, 1, 256, 65_535, 65_536, 65_537, 1_000_003]) {
  add(`echo: ${length} bytes`, digest(bytes(length, 7)), async ({ base }) =>
    digestOf(await fetch(`${base}echo`, { method: 'POST', body: bytes(length, 7) })),
  );
}

for (const status of [200, 201, 204, 206, 304, 400, 404, 418, 422, 500, 503, 599]) {
  add(`echo: status ${status}`, [status, ''], async ({ base }) => {
    const response = await fetch(`${base}echo?status=${status}`);
    return [response.status, await response.text()];
  });
}

add('echo: a redirect is not followed by the server', [0, 302], async ({ base }) => {
  // What a page sees of it is an opaque redirect; Node shows the status.
  const response = await fetch(`${base}echo?status=302`, { redirect: 'manual' });
  return response.type === 'opaqueredirect' ? [0, 302] : [0, response.status];
});

add('echo: a failing handler', [500, 'application/problem+json', true, 'string'], async ({ base }) =>
  problem(await fetch(`${base}echo?fail`)),
);

add('echo: the next request after a failure', [200, ''], async ({ base }) => {
  await fetch(`${base}echo?fail`);
  const response = await fetch(`${base}echo`);
  return [response.status, await response.text()];
});

add('echo: a header that would break HTTP', [500, 'application/problem+json', true, 'string'], async ({ base }) =>
  problem(await fetch(`${base}echo?bad-header`)),
);

add('echo: waiting', true, async ({ base }) => {
  const start = Date.now();
  const response = await fetch(`${base}echo?wait=150`);
  return response.ok && Date.now() - start >= 149;
});

add('echo: twenty that wait do so together', true, async ({ base }) => {
  const start = Date.now();
  const all = await Promise.all(Array.from({ length: 20 }, () => fetch(`${base}echo?wait=400`)));
  // One after the other they would take 8 seconds.
  return all.every((response) => response.ok) && Date.now() - start < 6000;
});

add('echo: a hundred bodies at once come back to whom they belong', 100, async ({ base }) => {
  const one = async (i: number): Promise<boolean> => {
    const body = `${i} `.repeat(1 + ((i * 37) % 500));
    const response = await fetch(`${base}echo?wait=${(i * 13) % 40}`, {
      method: 'POST',
      headers: { 'x-case-i': String(i) },
      body,
    });
    return response.headers.get('x-case-i') === String(i) && (await response.text()) === body;
  };
  return (await Promise.all(Array.from({ length: 100 }, (_, i) => one(i)))).filter(Boolean).length;
});

add(
  'echo: two requests of the same id at once get their own answers',
  ['same first', 'same second'],
  async ({ base }) => {
    const one = async (body: string, ms: number): Promise<string> => {
      const headers = { 'x-request-id': 'same' };
      const response = await fetch(`${base}echo?wait=${ms}`, { method: 'POST', headers, body });
      return `${response.headers.get('x-correlation-id')} ${await response.text()}`;
    };
    return Promise.all([one('first', 300), one('second', 100)]);
  },
);

add('echo: blocking holds up nobody but its own plug-in', ['hello', 'echo'], async ({ base }) => {
  const order: string[] = [];
  const blocked = fetch(`${base}echo?block=700`).then(() => order.push('echo'));
  await new Promise((done) => setTimeout(done, 50));
  await fetch(`${base}hello`).then(() => order.push('hello'));
  await blocked;
  return order;
});

add('echo: what a client gives up does not disturb the next', ['AbortError', 200], async ({ base }) => {
  const abort = new AbortController();
  const given = fetch(`${base}echo?wait=20000`, { signal: abort.signal }).catch((error) => error.name);
  setTimeout(() => abort.abort(), 100);
  return [await given, (await fetch(`${base}echo`)).status];
});

add('echo: fetch of another plug-in', [200, text, 'OK response from a plugin'], async ({ base }) =>
  answer(await fetch(`${base}echo?fetch=${encodeURIComponent(`${base}hello`)}`)),
);

add('echo: fetch gives status and body as they are', [400, text, 'who is missing'], async ({ base }) =>
  answer(await fetch(`${base}echo?fetch=${encodeURIComponent(`${base}with-state`)}`)),
);

add('echo: fetch of a large body', 3_000_000, async ({ base }) => {
  const url = encodeURIComponent(`${base}stream?pieces=30&size=100000`);
  return (await (await fetch(`${base}echo?fetch=${url}`)).arrayBuffer()).byteLength;
});

add('echo: fetch of nobody', [599, text, 'fetch failed'], async ({ base, nowhere }) =>
  answer(await fetch(`${base}echo?fetch=${encodeURIComponent(nowhere)}`)),
);

// --- stream

for (const length of [0, 1, 65_537, 2_000_003]) {
  add(`stream: ${length} bytes come back`, digest(bytes(length, 11)), async ({ base }) =>
    digestOf(await fetch(`${base}stream`, { method: 'POST', body: bytes(length, 11) })),
  );
}

add('stream: the type of what comes back', ['image/png', 'application/octet-stream'], async ({ base }) => {
  const typed = await fetch(`${base}stream`, {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: bytes(10),
  });
  const plain = await fetch(`${base}stream`, { method: 'POST', body: bytes(10) });
  return [typed, plain].map((response) => response.headers.get('content-type'));
});

add('stream: pieces', [200, text, 'aaabbbccc'], async ({ base }) =>
  answer(await fetch(`${base}stream?pieces=3&size=3`)),
);

add('stream: no pieces', [200, text, ''], async ({ base }) => answer(await fetch(`${base}stream?pieces=0&size=3`)));

add('stream: eight megabytes', 8_000_000, async ({ base }) => {
  const response = await fetch(`${base}stream?pieces=100&size=80000`);
  return (await response.arrayBuffer()).byteLength;
});

add('stream: a piece arrives before the next is made', ['aaaa', true, 'aaaabbbb'], async ({ base }) => {
  const response = await fetch(`${base}stream?pieces=2&size=4&wait=600`);
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  const first = decoder.decode((await reader.read()).value);
  const at = Date.now();
  let all = first;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) all += decoder.decode(piece.value);
  return [first, Date.now() - at > 200, all];
});

add('stream: a client that leaves is noticed', true, async ({ base }) => {
  const gone = async (): Promise<number> => Number(await (await fetch(`${base}stream/gone`)).text());
  const before = await gone();
  const abort = new AbortController();
  const response = await fetch(`${base}stream/endless`, { signal: abort.signal });
  await response.body!.getReader().read();
  abort.abort();
  return eventually(async () => (await gone()) === before + 1);
});

add('stream: an answer that fails midway never looks whole', ['aaaabbbb', 'torn', 200], async ({ base }) => {
  const response = await fetch(`${base}stream?pieces=2&size=4&wait=50&fail=1`);
  const decoder = new TextDecoder();
  let all = '';
  let end = 'whole';
  try {
    const reader = response.body!.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) all += decoder.decode(piece.value);
  } catch {
    end = 'torn';
  }
  return [all, end, await status(`${base}stream?pieces=1&size=1`)];
});

add('stream: slow readers do not hold up each other', [500_000, 500_000, 500_000], async ({ base }) => {
  const one = async (): Promise<number> => {
    const response = await fetch(`${base}stream?pieces=10&size=50000&wait=5`);
    let size = 0;
    for (const reader = response.body!.getReader(); ; ) {
      const piece = await reader.read();
      if (piece.done) return size;
      size += piece.value.length;
      await new Promise((done) => setTimeout(done, 1));
    }
  };
  return Promise.all([one(), one(), one()]);
});

// --- what goes wrong; variants.ts has these plug-ins

add('hasty: who waits too long gets its client a 504, and the next is served', [504, 200], async ({ base }) => [
  await status(`${base}hasty?wait=20000`),
  await status(`${base}hasty`),
]);

add('hasty: who computes too long gets its client a 504, and the next is served', [504, 200], async ({ base }) => {
  const late = await status(`${base}hasty?block=4000`);
  // A native one cannot be stopped and computes to its end.
  await eventually(async () => (await status(`${base}hasty`)) === 200);
  return [late, await status(`${base}hasty`)];
});

add(
  'nameless: a config that the plug-in refuses',
  [502, 'application/problem+json', true, 'string'],
  async ({ base }) => problem(await fetch(`${base}nameless`)),
);

add(
  'brittle: a trap tells its stack, and the next is served by a new instance',
  [502, true, 200, 200],
  async ({ base }) => {
    const trapped = await fetch(`${base}brittle?trap`);
    const { stack = '' } = (await trapped.json()) as { stack?: string };
    const told = /^at .*echo\.wasm:wasm-function\[\d+\]:0x[0-9a-f]+\)?$/m.test(stack);
    await eventually(async () => (await status(`${base}brittle`)) === 200);
    return [trapped.status, told, await status(`${base}brittle`), await status(`${base}echo`)];
  },
  /-wasm$/,
);

export { cases };
