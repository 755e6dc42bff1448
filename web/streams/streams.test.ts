import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('streams pipe through transforms, and are pulled no faster than they are read', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    let next = 0;
    const readable = new ReadableStream({ pull(controller) { controller.enqueue(++next); } });
    const doubled = readable.pipeThrough(new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk * 2); } }));
    const reader = doubled.getReader();
    const seen = [(await reader.read()).value, (await reader.read()).value];
    await new Promise((resolve) => queueMicrotask(resolve));
    return seen.join() + (next < 6)`),
    '2,4true',
  );
});

test('a pipe writes nothing within enqueue(), and all of it before it closes', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const seen = [];
    let source;
    const readable = new ReadableStream({ start(controller) { source = controller; } }, { highWaterMark: 0 });
    const piped = readable.pipeTo(new WritableStream({ write: (chunk) => void seen.push(chunk), close: () => void seen.push('closed') }));
    for (let turn = 0; turn < 10; turn++) await undefined;
    source.enqueue('a');
    seen.push('enqueued');
    source.close();
    await piped;
    return seen.join()`),
    'enqueued,a,closed',
  );
});

test('a pipe stops when its signal is aborted', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const controller = new AbortController();
    let canceled;
    const readable = new ReadableStream({ cancel(reason) { canceled = reason; } });
    const piped = readable.pipeTo(new WritableStream(), { signal: controller.signal });
    controller.abort('enough');
    try { await piped; } catch (reason) { return reason + canceled; }`),
    'enoughenough',
  );
});

test('ReadableStream.from, async iteration and tee', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const [first, second] = ReadableStream.from(['a', 'b']).tee();
    const seen = [];
    for await (const chunk of first) seen.push(chunk);
    for await (const chunk of second) seen.push(chunk);
    return seen.join()`),
    'a,b,a,b',
  );
});

test('text streams encode and decode across the borders of chunks', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const bytes = [];
    for await (const chunk of ReadableStream.from(['a\\ud83d', '\\ude00', '\\ud83d']).pipeThrough(new TextEncoderStream())) {
      bytes.push(...chunk);
    }
    let text = '';
    const single = ReadableStream.from(bytes.map((byte) => new Uint8Array([byte])));
    for await (const chunk of single.pipeThrough(new TextDecoderStream())) text += chunk;
    return text`),
    'a\u{1f600}\ufffd',
  );
  await assert.rejects(
    runAsync(`for await (const chunk of ReadableStream.from([new Uint8Array([255])])
      .pipeThrough(new TextDecoderStream('utf-8', { fatal: true })));`),
    { name: 'TypeError' },
  );
});

test('a plug-in may answer with a stream that it transforms on the way', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const upper = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()); } });
    const body = new Response('text').body.pipeThrough(new TextDecoderStream()).pipeThrough(upper)
      .pipeThrough(new TextEncoderStream());
    return new Response(body).text()`),
    'TEXT',
  );
});

test('whoever enqueues a chunk does not find itself inside of the sink that it is piped to', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const seen = [];
    let controller;
    const readable = new ReadableStream({ start(c) { controller = c; } });
    const piped = readable.pipeTo(new WritableStream({ write(chunk) { seen.push('write ' + chunk); } }));
    await new Promise((resolve) => setTimeoutLike(resolve));
    function setTimeoutLike(go) { let turns = 10; (function next() { if (turns-- > 0) queueMicrotask(next); else go(); })(); }
    controller.enqueue('a');
    seen.push('enqueued');
    controller.close();
    await piped;
    return seen.join()`),
    'enqueued,write a',
  );
});

test('a byte stream fills the memory of its reader, and keeps the rest for the next', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const stream = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1, 2, 3, 4, 5])); c.close(); } });
    const reader = stream.getReader({ mode: 'byob' });
    const first = await reader.read(new Uint8Array(2));
    const second = await reader.read(new Uint16Array(1), { min: 1 });
    const third = await reader.read(new Uint8Array(8));
    const last = await reader.read(new Uint8Array(8));
    return [first.value.join(), second.value.constructor.name, third.value.join(), last.done, last.value.length].join('|')`),
    '1,2|Uint16Array|5|true|0',
  );
});

test('a body is read whatever a plug-in has put on prototypes', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const bytes = (text) => new TextEncoder().encode(text);
    const make = () => new ReadableStream({ start(c) { c.enqueue(bytes('right')); c.close(); } });
    const response = new Response(make());
    ReadableStream.prototype.getReader = () => { throw new Error('called'); };
    Object.prototype.then = (resolve) => { delete Object.prototype.then; resolve({ done: false, value: bytes('wrong') }); };
    const seen = await response.text();
    const found = 'then' in Object.prototype;
    delete Object.prototype.then;
    return seen + found`),
    'righttrue',
  );
});

test('readable.cancel() reaches the transformer, and a transform that fails ends both sides', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const seen = [];
    const { readable, writable } = new TransformStream({ cancel(reason) { seen.push('cancel ' + reason); } });
    await readable.cancel('enough');
    await writable.getWriter().closed.catch((reason) => seen.push('closed ' + reason));
    const broken = new TransformStream({ transform() { throw new RangeError('broken'); } });
    const writer = broken.writable.getWriter();
    writer.write(1).catch((error) => seen.push('write ' + error.message));
    await broken.readable.getReader().read().catch((error) => seen.push('read ' + error.message));
    await writer.closed.catch((error) => seen.push('closed ' + error.message));
    return seen.join()`),
    'cancel enough,closed enough,read broken,write broken,closed broken',
  );
});
