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
