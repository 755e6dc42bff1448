import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

/** A source that gives the pieces one after the other, each only after it was asked twice. */
function source(...pieces: (string | Error)[]): {
  read(): unknown;
  ready(): Promise<void>;
  cancel(reason: unknown): void;
  reads: number;
  canceled: unknown[];
} {
  let late = false;
  return {
    reads: 0,
    canceled: [],
    read() {
      late = !late;
      if (late) return undefined;
      const piece = pieces[this.reads++];
      if (piece instanceof Error) throw piece;
      return piece === undefined ? null : new Uint8Array(Buffer.from(piece));
    },
    ready: async () => {},
    cancel(reason) {
      this.canceled.push(reason);
    },
  };
}

const requestParts = {
  url: 'http://host/path?q',
  method: 'POST',
  flatHeaders: 'x-a\x001\0content-type\0text/plain\0x-a\x002\0',
  body: null as unknown,
  signalFactory: (): unknown => {
    throw new Error('nobody asked for a signal');
  },
};

test('headers combine, sort, and keep set-cookie apart', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const headers = new Headers([['X-B', '1'], ['a', ' 2 '], ['x-b', '3'], ['Set-Cookie', 'm=1'], ['set-cookie', 'n=2']]);
    headers.append('empty', '');
    JSON.stringify([[...headers], headers.get('x-b'), headers.get('none'), headers.getSetCookie(),
                    headers.get('set-cookie'), headers.has('A')])`),
    '[[["a","2"],["empty",""],["set-cookie","m=1"],["set-cookie","n=2"],["x-b","1, 3"]],"1, 3",null,["m=1","n=2"],"m=1, n=2",true]',
  );
});

test('headers: set replaces all of a name in its first place, delete removes all', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const headers = new Headers({ a: '1', b: '2' });
    headers.append('a', '3'); headers.set('A', '4'); headers.delete('B'); headers.delete('none'); headers.set('c', 5);
    JSON.stringify([...headers])`),
    '[["a","4"],["c","5"]]',
  );
});

test('headers refuse invalid names, values and shapes', () => {
  const { run } = createPlatform();
  for (const code of [
    "new Headers({ 'a b': '1' })",
    "new Headers({ '': '1' })",
    "new Headers({ a: '1\\r\\nb: 2' })",
    "new Headers({ a: '1\\0' })",
    "new Headers({ a: '\\u0100' })",
    "new Headers({ '\\u0100': '1' })",
    "new Headers([['a']])",
    "new Headers([['a', 'b', 'c']])",
    "new Headers(['ab'])",
    "new Headers('a: b')",
    'new Headers(null)',
    "new Headers().append('a')",
    'new Headers().get()',
    "new Headers().get('a b')",
    "Headers.prototype.get.call({}, 'a')",
    "new Headers({ [Symbol('x')]: '1' })",
  ]) {
    assert.throws(() => run(code), { name: 'TypeError' }, code);
  }
  assert.equal(run("new Headers({ a: '\\t x\\r\\n' }).get('a') + new Headers({ a: '\\xe9 y' }).get('a')"), 'x\xe9 y');
});

test('headers can be made of any iterable of pairs, records and other headers', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    function* pairs() { yield ['g', '1']; yield new Set(['h', '2']); }
    const copy = new Headers(new Headers(new Map([['m', '3']])));
    copy.append('n', '4');
    JSON.stringify([[...new Headers(pairs())], [...copy], [...new Headers(undefined)]])`),
    '[[["g","1"],["h","2"]],[["m","3"],["n","4"]],[]]',
  );
});

test('iterating headers sees changes, and iterators look right', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const headers = new Headers({ a: '1', b: '2' });
    const seen = [];
    for (const [name] of headers) { seen.push(name); if (name === 'a') { headers.set('c', '3'); headers.delete('b'); } }
    headers.forEach(function (value, name, all) { seen.push(value, name, all === headers, this.x); }, { x: 9 });
    const iterator = headers.keys();
    seen.push(Object.prototype.toString.call(iterator), iterator[Symbol.iterator]() === iterator,
              Headers.prototype[Symbol.iterator] === Headers.prototype.entries, iterator.constructor.name);
    seen.join()`),
    'a,c,1,a,true,9,3,c,true,9,[object Headers Iterator],true,true,Iterator',
  );
});

test('headers of requests without CORS take safelisted ones only', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const { headers } = new Request('http://a/', { mode: 'no-cors', headers: { accept: 'x', 'x-own': '1' } });
    headers.set('content-type', 'application/json');
    headers.set('content-language', 'en');
    headers.append('accept', 'y'.repeat(127));
    JSON.stringify([...headers])`),
    '[["accept","x"],["content-language","en"]]',
  );
});

test('a request from the runtime builds nothing before it is asked for', async () => {
  const { glue, run, loaded } = createPlatform();
  const body = source('he', 'llo');
  const request = glue.createRequest({ ...requestParts, body });
  assert.equal(request.url, 'http://host/path?q');
  assert.equal(request.method, 'POST');
  assert.equal(request.headers.get('X-A'), '1, 2');
  assert.equal(request.headers, request.headers);
  assert.throws(() => request.headers.set('a', 'b'), { name: 'TypeError' });
  assert.equal(body.reads, 0);
  assert.equal(await request.text(), 'hello');
  assert.equal(request.bodyUsed, true);
  await assert.rejects(request.text(), { name: 'TypeError' });
  assert.deepEqual(loaded, []);
  assert.equal(run('Request').prototype, Object.getPrototypeOf(request));
});

test("a request's signal is made when asked for, once", () => {
  const { glue } = createPlatform();
  let made = 0;
  const signal = glue.createAbortSignal();
  const countSignal = (): unknown => {
    made++;
    return signal;
  };
  const request = glue.createRequest({ ...requestParts, signalFactory: countSignal });
  const copy = request.clone();
  assert.equal(made, 0);
  assert.equal(request.signal, signal);
  assert.equal(copy.signal.aborted, false);
  glue.signalAbort(signal, 'gone');
  assert.equal(copy.signal.reason, 'gone');
  assert.equal(made, 1);
});

test("a request's body as a stream, read in pieces, as a byte stream", async () => {
  const { global, glue } = createPlatform();
  global.request = glue.createRequest({ ...requestParts, body: source('ab', '', 'c') });
  const pieces: string[] = [];
  for await (const piece of global.request.body) pieces.push(Buffer.from(piece).toString());
  assert.deepEqual(pieces, ['ab', 'c']);
  assert.equal(global.request.bodyUsed, true);
  const other = glue.createRequest({ ...requestParts, body: source('wxyz') });
  const reader = other.body.getReader({ mode: 'byob' });
  const { value } = await reader.read(new Uint8Array(2));
  assert.equal(Buffer.from(value).toString(), 'wx');
  await reader.read(new Uint8Array(2));
  assert.equal((await reader.read(new Uint8Array(2))).done, true);
});

test('a failing body rejects, canceling tells the source', async () => {
  const { glue } = createPlatform();
  const request = glue.createRequest({ ...requestParts, body: source('a', new Error('cut')) });
  await assert.rejects(request.arrayBuffer(), { message: 'cut' });
  const broken = glue.createRequest({ ...requestParts, body: source(new Error('cut')) });
  await assert.rejects(broken.body.getReader().read(), { message: 'cut' });
  const body = source('a', 'b');
  await glue.createRequest({ ...requestParts, body }).body.cancel('why');
  assert.deepEqual(body.canceled, ['why']);
});

test('body methods give what they say, empty without a body', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const seen = [];
    seen.push(await new Response('\\ufefft\\ud800').text(), (await new Response('\\u20ac').arrayBuffer()).byteLength);
    seen.push((await new Response(new Uint16Array([0x4142])).bytes()).join(), (await new Response('{"a":1}').json()).a);
    seen.push(await new Response(new URLSearchParams({ a: 'b c' })).text(), await new Response().text());
    seen.push((await new Response(null).bytes()).length, await new Response(5).text(), new Response().body);
    const view = new Uint8Array([1, 2, 3, 4]);
    const response = new Response(view.subarray(1, 3));
    view.fill(9);
    const buffer = await response.arrayBuffer();
    seen.push(buffer.byteLength, new Uint8Array(buffer).join());
    return JSON.stringify(seen);`),
    '["t\ufffd",3,"66,65",1,"a=b+c","",0,"5",null,2,"2,3"]',
  );
  await assert.rejects(runAsync("await new Response('x{').json()"), { name: 'SyntaxError' });
  await assert.rejects(runAsync('await new Response().json()'), { name: 'SyntaxError' });
  await assert.rejects(runAsync('await Response.prototype.text.call({})'), { name: 'TypeError' });
});

test('a body is consumed once; an empty one as often as wanted', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const response = new Response('x');
    const seen = [response.bodyUsed];
    const first = response.text();
    seen.push(response.bodyUsed);
    await first;
    try { await response.text(); } catch (error) { seen.push(error.name); }
    try { response.clone(); } catch (error) { seen.push(error.name); }
    seen.push(response.body.locked);
    const locked = new Response('y');
    locked.body.getReader();
    try { await locked.text(); } catch (error) { seen.push(error.name, locked.bodyUsed); }
    const none = new Response();
    await none.text(); await none.text();
    seen.push(none.bodyUsed);
    return seen.join();`),
    'false,true,TypeError,TypeError,true,TypeError,false,false',
  );
});

test('content types follow the kind of body, unless given', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const type = (body, init) => new Response(body, init).headers.get('content-type');
    JSON.stringify([type('x'), type(new URLSearchParams('a=b')), type(new Uint8Array(1)), type(new ArrayBuffer(1)),
      type(null), type(new ReadableStream()), type('x', { headers: { 'Content-Type': 'a/b' } }), type({}),
      Response.json(1).headers.get('content-type')])`),
    '["text/plain;charset=UTF-8","application/x-www-form-urlencoded;charset=UTF-8",null,null,null,null,"a/b",' +
      '"text/plain;charset=UTF-8","application/json"]',
  );
});

test('responses: defaults, statuses and refusals', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const { status, statusText, ok, type, url, redirected, bodyUsed } = new Response();
    JSON.stringify([status, statusText, ok, type, url, redirected, bodyUsed, new Response(null, { status: 404 }).ok,
                    new Response('', { status: 599, statusText: 'Odd one' }).statusText])`),
    '[200,"",true,"default","",false,false,false,"Odd one"]',
  );
  for (const status of [199, 600, 0, 99, 65536 + 100]) {
    assert.throws(() => run(`new Response(null, { status: ${status} })`), { name: 'RangeError' }, String(status));
  }
  for (const code of [
    "new Response('x', { status: 204 })",
    "new Response('', { status: 304 })",
    'Response.json({}, { status: 205 })',
    "new Response(null, { statusText: 'a\\nb' })",
    "new Response(null, { statusText: '\\u0100' })",
    "new Response(null, 'x')",
    'Response.json(undefined)',
    'Response.json()',
    'Response.json(Symbol())',
    "Response.redirect('http://[')",
    'Response.redirect()',
    'Response.prototype.status',
  ]) {
    assert.throws(() => run(code), { name: 'TypeError' }, code);
  }
});

test('static responses', async () => {
  const { run, runAsync } = createPlatform();
  assert.equal(
    run(`
    const error = Response.error();
    const redirect = Response.redirect('../x y', 303);
    const refuses = (response) => { try { response.headers.set('a', 'b'); } catch (error) { return error.name; } };
    JSON.stringify([error.type, error.status, refuses(error), redirect.status, redirect.headers.get('location'),
                    refuses(redirect), Response.redirect('/').status])`),
    '["error",0,"TypeError",303,"http://127.0.0.1:8080/x%20y","TypeError",302]',
  );
  assert.throws(() => run("Response.redirect('/', 200)"), { name: 'RangeError' });
  assert.equal(await runAsync('return Response.json({ a: [1] }, { status: 201 }).text()'), '{"a":[1]}');
});

test('clones are independent', async () => {
  const { runAsync, glue, global } = createPlatform();
  assert.equal(
    await runAsync(`
    const response = new Response('x', { status: 201, headers: { a: '1' } });
    const copy = response.clone();
    copy.headers.set('a', '2');
    const bytes = new Response(new Uint8Array([1, 2]));
    const bytesCopy = bytes.clone();
    const first = await bytes.bytes();
    first.fill(7);
    return JSON.stringify([await response.text(), await copy.text(), copy.status, response.headers.get('a'),
                           (await bytesCopy.bytes()).join()]);`),
    '["x","x",201,"1","1,2"]',
  );
  global.request = glue.createRequest({
    ...requestParts,
    signalFactory: glue.createAbortSignal,
    body: source('ab', 'c'),
  });
  assert.equal(
    await runAsync('const copy = request.clone(); return [await copy.text(), await request.text(), copy.url].join()'),
    'abc,abc,http://host/path?q',
  );
});

test('requests: defaults, relative URLs, methods and refusals', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const request = new Request('sub?x#y', { method: 'post', body: 'b', headers: { a: '1' } });
    const other = new Request(new URL('http://h/%7Ea b'), { method: 'patch' });
    JSON.stringify([request.url, request.method, request.headers.get('content-type'), request.mode, request.credentials,
      request.cache, request.redirect, request.referrer, request.keepalive, request.duplex, request.signal.aborted,
      other.url, other.method, other.body])`),
    '["http://127.0.0.1:8080/hi/sub?x#y","POST","text/plain;charset=UTF-8","cors","same-origin","default","follow",' +
      '"about:client",false,"half",false,"http://h/%7Ea%20b","patch",null]',
  );
  for (const code of [
    'new Request()',
    "new Request('http://[')",
    "new Request('http://u:p@h/')",
    "new Request('/', { method: 'TRACE' })",
    "new Request('/', { method: 'a b' })",
    "new Request('/', { body: 'x' })",
    "new Request('/', { method: 'HEAD', body: '' })",
    "new Request('/', { mode: 'navigate' })",
    "new Request('/', { redirect: 'x' })",
    "new Request('/', { signal: {} })",
    "new Request('/', { method: 'POST', body: new ReadableStream() })",
    "new Request('/', { method: 'PUT', mode: 'no-cors' })",
    "new Request('/', { cache: 'only-if-cached' })",
  ]) {
    assert.throws(() => run(code), { name: 'TypeError' }, code);
  }
  assert.equal(run("new Request('/', { method: 'POST', body: new ReadableStream(), duplex: 'half' }).method"), 'POST');
});

test('a request made of another takes its body, headers and signal', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const controller = new AbortController();
    const one = new Request('/', { method: 'PUT', body: 'x', headers: { a: '1' }, signal: controller.signal });
    const two = new Request(one, { headers: { b: '2' }, redirect: 'manual' });
    controller.abort('r');
    const seen = [one.bodyUsed, two.bodyUsed, await two.text(), two.method, two.headers.get('a'), two.headers.get('b'),
                  two.signal.reason, two.redirect, one.redirect];
    try { new Request(one); } catch (error) { seen.push(error.name); }
    const three = new Request('/', { method: 'POST', body: new Response('streamed').body, duplex: 'half' });
    three.body;
    seen.push(await new Request(three).text(), three.bodyUsed);
    return JSON.stringify(seen);`),
    '[true,false,"x","PUT",null,"2","r","manual","follow","TypeError","streamed",true]',
  );
});

test('what the runtime sends of a response is plain data', async () => {
  const { run, glue, loaded } = createPlatform();
  const state = (code: string): { status: number; headers: string[]; body: unknown } => glue.responseState(run(code));
  const text = state("new Response('hi', { status: 201, headers: { 'X-A': '1' } })");
  assert.deepEqual(
    [text.status, [...text.headers], text.body],
    [201, ['x-a', '1', 'content-type', 'text/plain;charset=UTF-8'], 'hi'],
  );
  assert.deepEqual([...(state('new Response(new Uint8Array([1, 2]))').body as Uint8Array)], [1, 2]);
  assert.equal(state('new Response()').body, null);
  assert.deepEqual(loaded, []);
  const stream = state('new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([7])); c.close(); } }))');
  const body = stream.body as { read(): Uint8Array | null | undefined; ready(): Promise<void> };
  const next = async (): Promise<Uint8Array | null> => {
    const piece = body.read();
    if (piece !== undefined) return piece;
    await body.ready();
    return next();
  };
  assert.equal((await next())?.[0], 7);
  assert.equal(await next(), null);
  const wrong = state("new Response(new ReadableStream({ start(c) { c.enqueue('text'); } }))");
  assert.throws(() => (wrong.body as { read(): unknown }).read(), { name: 'TypeError' });
  run("const used = new Response('x'); used.text()");
  assert.throws(() => state('used'), { name: 'TypeError' });
  assert.throws(() => glue.responseState({}), { name: 'TypeError' });
});

test("a request's stream that becomes a response's body is passed on without reading it", async () => {
  const { run, glue, global } = createPlatform();
  const body = source('a', 'b');
  global.request = glue.createRequest({ ...requestParts, body });
  assert.equal(glue.responseState(run('new Response(request.body)')).body, body);
  assert.equal(body.reads, 0);
  assert.equal(run('request.bodyUsed && request.body.locked'), true);
});
