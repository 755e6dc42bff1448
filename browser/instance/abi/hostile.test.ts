// Guests that lie, trap or do not end: each gets an error, and the host goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostFunction, hostFunctions } from './signatures.ts';
import { built, FakeHost, refusal } from './testing/fake-host.ts';
import { I32, op, typesOf, writeCalling, writeGuest } from './testing/module-writer.ts';

const module = built('plugins/wasm/test-plugins/behaviours.wasm');
const behaviours = (options?: Parameters<typeof FakeHost.start>[1]) =>
  FakeHost.start(module, { name: 'behaviours.wasm', ...options });

const instance = op.loadI64(8);
const request = op.local(1);
const nothing = [...op.i32(0), ...op.i32(0)];

test('places outside of the memory, other instances and unknown numbers are refused', async () => {
  const plugin = await behaviours();
  for (const what of [
    ...['log-far', 'log-wraps', 'log-over-end', 'random-far', 'config-far', 'read-far', 'headers-far', 'body-far'],
    ...['log-level', 'unknown-operation', 'created-again'],
  ]) {
    assert.equal(await plugin.text(`refused/${what}`), '-3', what);
  }
  assert.match(plugin.log, /error: log\(\): 16 bytes at 4294967040 are not within the plug-in's memory/);
  const others = { 'log-up-to-end': 0, 'log-empty-far': 0, 'other-instance': -4, 'instance-0': -4, clock: 0 };
  for (const [what, result] of Object.entries({ ...others, 'unknown-request': -2 })) {
    assert.equal(await plugin.text(`refused/${what}`), String(result), what);
  }
  assert.equal(await plugin.text('twice'), 'first');
  assert.equal(await plugin.text(''), 'fine');
});

test('a trap breaks the instance, with its message and the stack in the names of the source', async () => {
  for (const [what, message, place] of [
    ['trap', 'unreachable', 'misbehave'],
    ['out-of-bounds', 'memory access out of bounds', 'misbehave'],
    ['stack', 'Maximum call stack size exceeded', 'descend'],
  ]) {
    const problem = await (await behaviours()).breaks(what!);
    assert.equal(problem.status, 502);
    assert.equal(problem.plugin, 'test');
    assert.ok(problem.detail.startsWith(`The plug-in trapped: ${message} (at `), problem.detail);
    assert.match(problem.stack ?? '', new RegExp(`^at ${place} \\(behaviours\\.wasm:wasm-function\\[`, 'm'));
    assert.doesNotMatch(problem.stack ?? '', /\.ts/);
  }
});

test('a trap ends what was open, and nothing of the guest is called any more', async () => {
  const plugin = await behaviours();
  const endless = ((await plugin.begin('endless').head).body as ReadableStream<Uint8Array>).getReader();
  const sleeping = plugin.begin('sleep/20');
  sleeping.head.catch(() => {});
  await plugin.breaks('trap');
  await assert.rejects(async () => {
    for (;;) await endless.read();
  }, /broke off/);
  plugin.instance.drop(sleeping.id, 'gone');
  plugin.instance.destroy();
  await new Promise((done) => setTimeout(done, 40));
  assert.doesNotMatch(plugin.log, /destroyed/);
});

test('places in the stack are those in the file, though the module was rewritten', async () => {
  const bytes = writeGuest({ start: op.unreachable });
  const { stack = '' } = await (await FakeHost.start(bytes)).breaks('');
  const place = Number.parseInt(/:0x([0-9a-f]+)/.exec(stack)![1]!, 16);
  assert.deepEqual([...bytes.subarray(place, place + 2)], [...op.unreachable, ...op.end]);
});

test('abort() does not return, and its message is passed on', async () => {
  const plugin = await behaviours();
  const problem = await plugin.breaks('abort');
  assert.equal(problem.detail, 'The plug-in gave up: I cannot go on');
  assert.match(problem.stack ?? '', /misbehave/);
  assert.doesNotMatch(plugin.log, /went on/);
});

test('a guest that catches whatever is thrown does not survive abort()', async () => {
  // try { abort("") } catch_all {}; then log().
  const bytes = writeGuest({
    imports: [
      ['abort', typesOf('abort')],
      ['log', typesOf('log')],
    ],
    create: [
      ...[...op.try, ...op.local(0), ...op.i32(0), ...op.i32(0), ...op.call(1), ...op.drop],
      ...[...op.catchAll, ...op.end],
      ...[...op.local(0), ...op.i32(1), ...op.i32(0), ...op.i32(1), ...op.call(2), ...op.drop, ...op.i32(0)],
    ],
  });
  assert.equal(await refusal(bytes), 'The plug-in gave up: it did not say why');
});

test('a guest that catches what abort() throws calls the host in vain', async () => {
  const bytes = writeCalling(['abort', 'respond'], (call) => ({
    start: [
      ...[...op.try, ...instance, ...nothing, ...call('abort'), ...op.catchAll, ...op.end],
      ...[...instance, ...request, ...op.i32(200), ...nothing, ...nothing, ...call('respond')],
    ],
  }));
  const plugin = await FakeHost.start(bytes);
  plugin.onrespond = () => assert.fail('it answered');
  assert.equal((await plugin.breaks('')).detail, 'The plug-in gave up: it did not say why');
});

test('what a guest says with abort() is kept in part only', async () => {
  const bytes = writeCalling(['abort'], (call) => ({
    memories: [{ minimum: 20 }],
    start: [...instance, ...op.i32(0), ...op.i32(2 ** 20), ...call('abort')],
  }));
  const { detail } = await (await FakeHost.start(bytes)).breaks('');
  assert.ok(detail.length >= 65_536 && detail.length < 65_600, String(detail.length));
});

test('state is bounded', async () => {
  const set = (size: number): number[] => [...instance, ...op.i32(0), ...op.i32(1), ...op.i32(0), ...op.i32(size)];
  const key = (size: number): number[] => [...instance, ...op.i32(0), ...op.i32(size), ...nothing];
  const bytes = writeCalling(['state_set', 'state_delete'], (call) => ({
    memories: [{ minimum: 300 }],
    start: [
      ...[...set(2 ** 24 - 1), ...call('state_set'), ...set(2 ** 24), ...call('state_set')],
      // What is replaced does not count, nor what is deleted.
      ...[...set(2 ** 24 - 1), ...call('state_set'), ...instance, ...op.i32(0), ...op.i32(1), ...call('state_delete')],
      ...[...key(256), ...call('state_set'), ...key(257), ...call('state_set'), ...key(0), ...call('state_set')],
    ],
  }));
  const plugin = await FakeHost.start(bytes);
  plugin.begin('').head.catch(() => {});
  assert.deepEqual(plugin.logged, [
    'error: state_set(): all keys and values together may have 16777216 bytes',
    'error: state_set(): a key has 1 to 256 bytes, not 257',
    'error: state_set(): a key has 1 to 256 bytes, not 0',
  ]);
});

test('a guest that catches an error of the host does not go on', async () => {
  const bytes = writeCalling(['respond'], (call) => ({
    start: [
      ...[...op.try, ...instance, ...request, ...op.i32(200), ...nothing, ...nothing, ...call('respond')],
      ...[...op.catchAll, ...op.end],
    ],
  }));
  const plugin = await FakeHost.start(bytes);
  plugin.onrespond = () => {
    throw new RangeError('Maximum call stack size exceeded');
  };
  assert.match((await plugin.breaks('')).detail, /trapped: Maximum call stack size exceeded/);
});

test('memory that runs out is the matter of the guest, and ends in its trap', async () => {
  const problem = await (await behaviours({ memoryMb: 8 })).breaks('hoard');
  assert.match(problem.detail, /^The plug-in trapped: unreachable \(at boom/);
});

test('a log without end is cut', async () => {
  const bytes = writeGuest({
    imports: [['log', typesOf('log')]],
    memories: [{ minimum: 2 }],
    create: [...op.storeI64(8, op.local(0)), ...op.i32(0)],
    start: [
      ...Array(5000).fill([...op.loadI64(8), ...op.i32(1), ...op.i32(0), ...op.i32(70_000), ...op.call(1), ...op.drop]),
    ].flat(),
  });
  const plugin = await FakeHost.start(bytes);
  plugin.begin('').head.catch(() => {});
  assert.ok(plugin.logged.length < 30, `${plugin.logged.length} lines`);
  assert.equal(plugin.logged[0]?.length, 'info: '.length + 65_536);
  assert.match(plugin.logged.at(-1)!, /^warn: 49\d\d lines of the log were dropped/);
});

test('a guest that lies about the memory that it gives is found out, or harms nobody but itself', async () => {
  const liar = built('plugins/wasm/test-plugins/liar.wasm');
  const found: [string, RegExp][] = [
    ['zero', /has no memory left: valor_alloc\(2048\) returned 0 \(memory_mb: 128\)/],
    ['far', /returned 4294967288, which is not within its memory/],
    ['end', /which is not within its memory/],
    ['odd', /which is not aligned to 8 bytes/],
    ['trap', /The plug-in trapped: unreachable/],
    ['abort', /The plug-in gave up: no memory/],
  ];
  for (const [config, message] of found) {
    assert.match((await (await FakeHost.start(liar, { config })).breaks('')).detail, message);
  }
  for (const config of ['grows', 'start', 'free-traps', '']) {
    const plugin = await FakeHost.start(liar, { config });
    assert.equal(await plugin.text(''), '1');
    assert.equal(await plugin.text(''), '1');
    const long = 'x'.repeat(5000);
    if (config === 'free-traps') assert.match((await plugin.breaks(long)).detail, /unreachable/);
    else if (config !== 'start') assert.equal(await plugin.text(long), '2');
  }
});

test('an answer that breaks a rule: the client gets 500', async () => {
  const status = await FakeHost.start(
    writeCalling(['respond'], (call) => ({
      start: [
        ...[...instance, ...request, ...op.i32(99), ...nothing, ...nothing, ...call('respond')],
        ...[...instance, ...request, ...op.i32(200), ...nothing, ...nothing, ...call('respond')],
      ],
    })),
  );
  const answer = await status.send('');
  assert.equal(answer.problem?.status, 500);
  assert.match(answer.problem?.detail ?? '', /answer cannot be sent: its status 99 is not/);
  // Sizes that lead past the end of the block: the instance's number and what follows are no headers.
  const block = await FakeHost.start(
    writeCalling(['respond'], (call) => ({
      start: [...instance, ...request, ...op.i32(200), ...op.i32(8), ...op.i32(9), ...nothing, ...call('respond')],
    })),
  );
  assert.match((await block.send('')).problem?.detail ?? '', /a block of headers cut short/);
});

test('sending more or less than announced breaks the answer off', async () => {
  for (const [length, size] of [
    [3n, 4],
    [5n, 4],
  ] as const) {
    const plugin = await FakeHost.start(
      writeCalling(['send_head', 'send_body', 'send_end'], (call) => ({
        start: [
          ...[...instance, ...request, ...op.i32(200), ...nothing, ...op.i64(length), ...call('send_head')],
          ...[...instance, ...request, ...op.i32(0), ...op.i32(size), ...op.i64(1n), ...call('send_body')],
          ...[...instance, ...request, ...call('send_end')],
        ],
      })),
    );
    await assert.rejects(plugin.send(''), /broke off/);
  }
});

test('who does not wait before sending is refused, and stopped when it cancels that', async () => {
  const size = 64 * 65_536;
  const plugin = await FakeHost.start(
    writeCalling(['send_head', 'send_body', 'cancel'], (call) => {
      const head = [...instance, ...request, ...op.i32(200), ...nothing, ...op.i64(-1n), ...call('send_head')];
      const piece = [...instance, ...request, ...op.i32(0), ...op.i32(size), ...op.i64(7n), ...call('send_body')];
      const ahead = Array(70).fill([...piece, ...instance, ...op.i64(7n), ...call('cancel')]);
      return { memories: [{ minimum: 100 }], start: [...head, ...piece, ...piece, ...ahead.flat()] };
    }),
  );
  const { body } = await plugin.begin('').head;
  assert.match(plugin.log, /send_body\(\): an earlier send_body\(\) of this exchange is not complete/);
  assert.match(plugin.log, /the plug-in sends faster than its clients take it/);
  await assert.rejects(new Response(body).bytes(), /broke off/);
});

test('sleeping without end is bounded', async () => {
  // Does not stop before operation 65,537.
  const next = [...op.storeI64(16, [...op.loadI64(16), ...op.i64(1n), 0x7c])];
  const plugin = await FakeHost.start(
    writeCalling(['sleep'], (call) => ({
      start: [
        ...[...op.loop, ...instance, ...op.i64(1n << 60n), ...op.loadI64(16), ...call('sleep'), ...next],
        ...[...op.loadI64(16), ...op.i64(65_537n), 0x54, 0x0d, 0, ...op.end],
      ],
    })),
  );
  plugin.begin('').head.catch(() => {});
  assert.match(plugin.log, /sleep\(\): too many operations wait \(65536\)/);
  plugin.instance.destroy();
});

test('keys without end, and the head of a fetch, are bounded', async () => {
  const next = [...op.storeI64(16, [...op.loadI64(16), ...op.i64(1n), 0x7c])];
  const plugin = await FakeHost.start(
    writeCalling(['state_set', 'fetch'], (call) => ({
      memories: [{ minimum: 3 }],
      start: [
        ...[...op.loop, ...instance, ...op.i32(16), ...op.i32(4), ...nothing, ...call('state_set'), ...next],
        ...[...op.loadI64(16), ...op.i64(65_537n), 0x54, 0x0d, 0, ...op.end],
        ...[...instance, ...op.i64(0n), ...op.i32(0), ...op.i32(3), ...op.i32(0), ...op.i32(65_536)],
        ...[...op.i32(0), ...op.i32(65_534), ...op.i64(0n), ...op.i32(0), ...op.i64(1n), ...call('fetch')],
      ],
    })),
  );
  plugin.begin('').head.catch(() => {});
  assert.deepEqual(plugin.logged, [
    'error: state_set(): there are 65536 keys, and there may be no more',
    'error: fetch(): method, URL and headers together may have 131072 bytes, not 131073',
  ]);
  plugin.instance.destroy();
});

test('random guests harm nobody', { timeout: 120_000 }, async () => {
  const rounds = Number(process.env.VALOR_RANDOM_ROUNDS ?? 300);
  let seed = Number(process.env.VALOR_RANDOM_SEED ?? 5);
  const below = (end: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * end);
  };
  const oneIn = (count: number): boolean => below(count) === 0;
  const edges = [0, 1, 2, 3, 4, 7, 8, 16, 200, 404, 599, 600, 4096, 65_528, 65_536, 65_537, 131_071, -1, -2, -8];
  const number = (): number => (oneIn(3) ? below(2 ** 32) : edges[below(edges.length)]!);
  const wideEdges = [0n, 1n, 2n, 3n, 10n, 100n, -1n, -2n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 32n, 2n ** 62n + 1n];
  const wide = (): bigint => (oneIn(3) ? BigInt(below(2 ** 32)) * 77_777_777n : wideEdges[below(wideEdges.length)]!);
  const names = (Object.keys(hostFunctions) as HostFunction[]).filter((name) => name !== 'create_done');

  const call = (own: number | undefined): number[] => {
    const index = below(names.length);
    if (names[index] === 'abort' && !oneIn(8)) return [];
    const code: number[] = [];
    let seen = 0;
    for (const type of typesOf(names[index]!)[0]) {
      if (type === I32) code.push(...op.i32(number()));
      else if (seen++ === 0 && !oneIn(8)) code.push(...instance);
      else if (seen === 2 && own !== undefined && !oneIn(4)) code.push(...op.local(own));
      else code.push(...op.i64(wide()));
    }
    return [...code, ...op.call(1 + index), ...op.drop];
  };
  const steps = (count: number, own?: number): number[] => {
    const code: number[] = [];
    for (; count > 0; count--) {
      const what = below(16);
      if (what === 0) code.push(...op.i32(below(40)), ...op.grow(), ...op.drop);
      else if (what === 1) code.push(...op.fill(number(), number(), below(64)));
      else if (what === 2) code.push(...(oneIn(8) ? op.unreachable : []));
      else code.push(...call(own));
    }
    return code;
  };

  let ready = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = writeGuest({
      imports: names.map((name) => [name, typesOf(name)]),
      allocated: oneIn(4) ? number() : 1024,
      memories: [{ minimum: 1 + below(3), ...(oneIn(2) ? { maximum: 200 } : {}) }],
      create: [...op.storeI64(8, op.local(0)), ...steps(below(4)), ...op.i32(number())],
      start: steps(1 + below(12), 1),
      complete: steps(below(6)),
      drop: steps(below(4), 1),
      destroy: steps(below(4)),
      ...(oneIn(4) ? { atStart: steps(below(4)) } : {}),
    });
    const plugin = await FakeHost.start(bytes, { memoryMb: 8 }).catch((error: Error) => {
      // Valid as WebAssembly, each of them, and none of the host's own errors.
      assert.doesNotMatch(error.message, /the module is invalid|TypeError|undefined/, `round ${round}`);
      return undefined;
    });
    if (!plugin) continue;
    ready++;
    plugin.fetch = async () => new Response(new Uint8Array(1000), { status: 200 });
    plugin.broken.promise.then(({ detail }) => {
      assert.match(
        detail,
        /^The plug-in (trapped: (unreachable|memory access|Maximum call|divide|table)|gave up|breaks|has no memory)/,
      );
    });
    const open: number[] = [];
    for (let i = 0; i < 6; i++) {
      const body = oneIn(2) ? new TextEncoder().encode('p'.repeat(below(100_000))).buffer : null;
      const { id, head } = plugin.begin('u'.repeat(below(3000)), { method: body ? 'POST' : 'GET', body });
      head.then(({ body }) => new Response(body).text()).catch(() => {});
      open.push(id);
      if (oneIn(2)) await new Promise((done) => setImmediate(done));
      if (oneIn(2)) plugin.instance.drop(open[below(open.length)]!, 'gone');
    }
    plugin.instance.destroy();
  }
  // Otherwise all this would have tested little.
  assert.ok(ready * 3 > rounds, `${ready} of ${rounds} were created`);
});
