// Guests that behave: what the ABI promises them, in the browser's host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { built, FakeHost, refusal, within } from './testing/fake-host.ts';
import { I32, I64, op, writeGuest } from './testing/module-writer.ts';

const behaviours = (options?: Parameters<typeof FakeHost.start>[1]) =>
  FakeHost.start(built('plugins/wasm/test-plugins/behaviours.wasm'), { name: 'behaviours.wasm', ...options });

test('a guest answers requests, with its name, config and location', async () => {
  const plugin = await behaviours({ config: { a: 1 } });
  assert.equal(await plugin.text(''), 'fine');
  assert.equal(await plugin.text('words'), 'test {"a":1} http://127.0.0.1:8080/test/');
  assert.equal(await plugin.text('now'), '1');
  assert.equal(await plugin.text('random'), '1');
  const failed = await plugin.send('fail');
  assert.deepEqual(failed.problem, {
    status: 500,
    detail: 'the plug-in failed while it handled the request',
    plugin: 'test',
  });
  assert.match(plugin.log, /error: request r5 failed: it did not work/);
});

test('sleeping takes as long as was said, and no time at all at once', async () => {
  const plugin = await behaviours();
  const start = performance.now();
  assert.equal(await plugin.text('sleep/50'), 'slept');
  assert.ok(performance.now() - start >= 50);
  const again = performance.now();
  for (let i = 0; i < 100; i++) await plugin.text('sleep/0');
  assert.ok(performance.now() - again < 400, `${performance.now() - again} ms`);
});

test('state belongs to the instance', async () => {
  const [one, other] = [await behaviours(), await behaviours()];
  assert.equal(await one.text('state'), '1');
  assert.equal(await one.text('state'), '2');
  assert.equal(await other.text('state'), '1');
});

/** Pieces on demand. `pulled` counts them. */
function source(pieces: number, size: number): { stream: ReadableStream<Uint8Array>; pulled: () => number } {
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (pulled === pieces) return controller.close();
        controller.enqueue(new Uint8Array(size).fill(97 + pulled++));
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, pulled: () => pulled };
}

test('a body streams through, and the slower side sets the pace', async () => {
  const plugin = await behaviours();
  const { stream, pulled } = source(10, 30_000);
  const { body } = await plugin.begin('echo', { method: 'POST', body: stream }).head;
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  await new Promise((done) => setTimeout(done, 50));
  assert.ok(pulled() < 6, `${pulled()} pieces were taken from the client`);
  let text = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += new TextDecoder().decode(piece.value);
  }
  assert.equal(text, [...'abcdefghij'].map((letter) => letter.repeat(30_000)).join(''));
});

test('a body in one piece is read at once', async () => {
  const plugin = await behaviours();
  const body = new TextEncoder().encode('0123456789'.repeat(20_000)).buffer;
  assert.equal(await plugin.text('echo', { method: 'POST', body }), '0123456789'.repeat(20_000));
  assert.equal(await plugin.text('echo', { method: 'POST', body: new ArrayBuffer(0) }), '');
  assert.equal(await plugin.text('echo'), '');
});

test('a client whose body breaks off', async () => {
  const plugin = await behaviours();
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new Error('the client has left')),
  });
  const { head, id } = plugin.begin('echo', { method: 'POST', body: stream });
  await head;
  plugin.instance.drop(id, 'gone');
  assert.equal(await plugin.text('dropped'), '10');
});

test('a client that leaves ends what waits, and the guest is told why', async () => {
  const plugin = await behaviours();
  const endless = plugin.begin('endless');
  const { body } = await endless.head;
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.cancel();
  assert.equal(await plugin.text('dropped'), '10');
  plugin.instance.drop(endless.id, 'gone');
  assert.equal(await plugin.text('dropped'), '10', 'it is told once');
  const never = plugin.begin('never');
  never.head.catch(() => {});
  plugin.instance.drop(never.id, 'timeout');
  assert.equal(await plugin.text('dropped'), '21');
});

test('an answer without a body is sent at once, and more of it is not taken', async () => {
  const plugin = await behaviours();
  const { body } = await plugin.begin('endless', { method: 'HEAD' }).head;
  assert.equal(body, null);
  assert.equal(await plugin.text('echo', { method: 'HEAD' }), '');
  assert.equal(await plugin.text(''), 'fine');
});

test('a dropped answer breaks off', async () => {
  const plugin = await behaviours();
  const endless = plugin.begin('endless');
  const reader = ((await endless.head).body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  plugin.instance.drop(endless.id, 'gone');
  await assert.rejects(async () => {
    for (;;) await reader.read();
  }, /broke off/);
});

test('heads of any size reach the guest', async () => {
  const plugin = await behaviours();
  for (const size of [2000, 2100, 60_000, 70_000, 1_000_000]) {
    assert.ok(Number(await plugin.text(`x${'y'.repeat(size)}`)) > size || size < 65_536);
  }
  assert.equal(await plugin.text(''), 'fine');
});

test('memory is counted in pages up to the limit, exactly', async () => {
  const plugin = await behaviours({ memoryMb: 9 });
  assert.equal(await plugin.text('grow'), '144');
  assert.equal(await plugin.text('grow'), '144');
  assert.equal(await plugin.text('echo-after'), 'fine');
  assert.equal(await (await behaviours()).text('grow'), '2048');
});

test('the last that the guest does is valor_destroy()', async () => {
  const plugin = await behaviours();
  plugin.instance.destroy();
  assert.match(plugin.log, /info: destroyed/);
  plugin.instance.handle({ id: 99, requestId: 'r', method: 'GET', url: '', headers: [], body: null });
  plugin.instance.drop(99, 'gone');
  plugin.instance.destroy();
  assert.equal(plugin.logged.length, 1);
});

test('what goes wrong at creation is told in words', async () => {
  const module = built('plugins/wasm/test-plugins/behaviours.wasm');
  const name = 'behaviours.wasm';
  const why = (config: string) => refusal(module, { config, name });
  assert.equal(await why('fails'), 'the config is wrong');
  assert.match(await why('trap'), /^The plug-in trapped: unreachable \(at boom \(behaviours\.wasm:wasm-function\[/);
  assert.equal(await why('abort'), 'The plug-in gave up: I cannot go on');
  assert.match(await why('stack'), /Maximum call stack size/);
  const initialise = built('plugins/wasm/test-plugins/initialise-traps.wasm');
  assert.match(await refusal(initialise), /^The plug-in trapped: unreachable/);
});

test('a start function may call the host, but has no memory to show yet', async () => {
  const plugin = await FakeHost.start(
    writeGuest({
      imports: [
        ['log', [[I64, I32, I32, I32], [I32]]],
        ['now', [[I32], [I64]]],
      ],
      atStart: [
        ...[...op.i32(0), ...op.call(2), ...op.drop],
        ...[...op.i64(1n), ...op.i32(1), ...op.i32(0), ...op.i32(4), ...op.call(1), ...op.drop],
      ],
    }),
  );
  assert.match(plugin.log, /log\(\): 4 bytes at 0 are not within the plug-in's memory, which has 0/);
});

test('what comes while the guest runs waits until it has returned', async () => {
  const plugin = await behaviours();
  const order: string[] = [];
  plugin.onrespond = (id) => {
    order.push(`answered ${id}`);
    if (id === 1) {
      plugin.begin('').head.then(() => {});
      plugin.instance.drop(1, 'gone');
      order.push('handed over');
    }
  };
  await plugin.text('twice');
  await within(
    (async () => {
      while (order.length < 3) await new Promise((done) => setTimeout(done, 1));
    })(),
    'the second answer',
  );
  assert.deepEqual(order, ['answered 1', 'handed over', 'answered 2']);
});
