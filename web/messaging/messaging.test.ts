import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('messages arrive in order, copied, once the port is started', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    globalThis.channel = new MessageChannel();
    const message = { list: [1] };
    channel.port1.postMessage(message);
    channel.port1.postMessage('second');
    message.list.push(2);`);
  await advance(5);
  assert.equal(run('seen.length'), 0);
  run('channel.port2.onmessage = ({ data }) => seen.push(JSON.stringify(data))');
  await advance(5);
  assert.equal(run('seen.join()'), '{"list":[1]},"second"');
});

test('a port can be sent through a port, with the messages that wait for it', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    const carrier = new MessageChannel();
    const inner = new MessageChannel();
    inner.port1.postMessage('early');
    carrier.port2.onmessage = ({ data, ports }) => {
      ports[0].onmessage = (event) => seen.push(event.data);
      seen.push(data.port === ports[0]);
    };
    carrier.port1.postMessage({ port: inner.port2 }, [inner.port2]);
    inner.port1.postMessage('late');`);
  await advance(10);
  assert.equal(run('seen.join()'), 'true,early,late');
});

test('closing a port closes the other one, and what cannot be copied or sent is refused', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    globalThis.channel = new MessageChannel();
    channel.port2.addEventListener('close', () => seen.push('closed'));
    channel.port1.close();`);
  await advance(5);
  assert.equal(run('seen.join()'), 'closed');
  for (const code of [
    'new MessageChannel().port1.postMessage(() => {})',
    'const { port1 } = new MessageChannel(); port1.postMessage(1, [port1])',
    'const { port1 } = new MessageChannel(); structuredClone(port1)',
    'const { port1 } = new MessageChannel(); structuredClone(port1, { transfer: [port1] }); structuredClone(port1, { transfer: [port1] })',
  ]) {
    assert.throws(() => run(`(() => { ${code} })()`), { name: 'DataCloneError' }, code);
  }
});

test('a broadcast reaches every other channel of the name', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    const channels = ['a', 'a', 'b', 'a'].map((name, index) => {
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data, origin }) => seen.push(index + data + origin);
      return channel;
    });
    channels[3].close();
    channels[0].postMessage('x');`);
  await advance(5);
  assert.equal(run('seen.join()'), '1xhttp://127.0.0.1:8080');
});

test('streams are transferred: chunks are copied, errors and the end arrive', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    (async () => {
      const chunk = { n: 1 };
      const source = new ReadableStream({ start(c) { c.enqueue(chunk); c.enqueue({ n: 2 }); c.close(); } });
      const readable = structuredClone(source, { transfer: [source] });
      seen.push(source.locked);
      for await (const piece of readable) seen.push(piece.n, piece === chunk);
      const sink = new WritableStream({ write(piece) { seen.push(piece); }, close() { seen.push('closed'); } });
      const writer = structuredClone(sink, { transfer: [sink] }).getWriter();
      await writer.write('written');
      await writer.close();
      const broken = new ReadableStream({ start(c) { c.error(new RangeError('broken')); } });
      try { await structuredClone(broken, { transfer: [broken] }).getReader().read(); } catch (e) { seen.push(e.message); }
    })();`);
  for (let count = 0; count < 20; count++) await advance(5);
  assert.equal(run('seen.join()'), 'true,1,false,2,false,written,closed,broken');
  assert.throws(() => run('const s = new ReadableStream(); s.getReader(); structuredClone(s, { transfer: [s] })'), {
    name: 'DataCloneError',
  });
});
