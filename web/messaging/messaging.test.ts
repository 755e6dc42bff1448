import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import vm from 'node:vm';
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
  run('channel.port2.onmessage = ({ data, origin, ports }) => seen.push(String(data) + origin + ports.length)');
  run('channel.port1.postMessage(undefined)');
  await advance(5);
  assert.equal(run('seen.at(-1)'), 'undefined0');
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

test('the other instances are told of channels and messages, and what they post is heard', async () => {
  const { run, advance, broadcasts, glue } = createPlatform();
  run(`
    globalThis.seen = [];
    globalThis.first = new BroadcastChannel('a');
    globalThis.second = new BroadcastChannel('a');
    for (const channel of [first, second]) {
      channel.onmessage = ({ data }) => seen.push(data.n++);
      channel.onmessageerror = ({ data }) => seen.push(data);
    }
    first.postMessage({ n: 1 });`);
  glue.onBroadcast('a', { n: 5 }, true);
  glue.onBroadcast('b', { n: 6 }, true);
  glue.onBroadcast('a', undefined, false);
  await advance(5);
  assert.equal(run('JSON.stringify(seen)'), '[1,5,5,null,null]');
  run('first.close(); first.close();');
  glue.onBroadcast('a', { n: 7 }, true);
  await advance(5);
  assert.equal(run('seen.at(-1)'), 7);
  assert.throws(() => run('second.postMessage(() => {})'), { name: 'DataCloneError' });
  assert.throws(() => run('first.postMessage(1)'), { name: 'InvalidStateError' });
  assert.deepEqual(JSON.parse(JSON.stringify(broadcasts)), [
    ['open', 'a'],
    ['open', 'a'],
    ['post', 'a', { n: 1 }],
    ['close', 'a'],
  ]);
});

test('what nobody can hear any more is given up: a channel without listeners, a port that was never started', async () => {
  const { run, advance, broadcasts } = createPlatform();
  run(`
    globalThis.seen = [];
    (() => {
      const { port1 } = new MessageChannel();
      port1.onmessage = () => {};
      port1.onclose = () => seen.push('closed');
      globalThis.kept = port1;
    })();
    (() => {
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = ({ data }) => seen.push(data);
      port2.onclose = () => seen.push('wrong');
      globalThis.busy = port1;
    })();
    new BroadcastChannel('silent');
    new BroadcastChannel('heard').onmessage = () => {};`);
  setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  const closed = (): boolean => broadcasts.some(([what]) => what === 'close') && run("seen.includes('closed')");
  for (let tries = 0; tries < 100 && !closed(); tries++) {
    await new Promise((done) => setTimeout(done, 10));
    collect();
    await advance(5);
  }
  run("busy.postMessage('alive')");
  await advance(5);
  assert.equal(run('seen.join()'), 'closed,alive');
  assert.deepEqual(
    broadcasts.filter(([what]) => what === 'close'),
    [['close', 'silent']],
  );
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
