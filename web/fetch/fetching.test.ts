import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

const digest = (name: string, text: string): string => `${name}-${createHash(name).update(text).digest('base64')}`;

test('integrity: the strongest algorithm counts, and any of its digests', async () => {
  const platform = createPlatform();
  platform.server = () => ({ body: 'content' });
  const fetchWith = (integrity: string): Promise<unknown> =>
    platform.runAsync(
      `return (await fetch('https://other.example/', { integrity: ${JSON.stringify(integrity)} })).text();`,
    );
  const right = ['sha256', 'sha384', 'sha512'].map((name) => digest(name, 'content'));
  const wrong = ['sha256', 'sha384', 'sha512'].map((name) => digest(name, 'other'));
  const urlSafe = right[2]!.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  for (const integrity of [
    ...right,
    ...['', 'md5-x', urlSafe, `${right[0]}?option`],
    ...[`${wrong[0]} ${right[1]}`, `${wrong[2]} ${right[2]}`, `  ${right[0]}\t`],
  ]) {
    assert.equal(await fetchWith(integrity), 'content', integrity);
  }
  for (const integrity of [...wrong, `${right[0]} ${wrong[1]}`]) {
    await assert.rejects(fetchWith(integrity), (error: TypeError) => {
      assert.equal(error.name, 'TypeError');
      assert.equal((error.cause as { code: string }).code, 'ERR_INTEGRITY');
      assert.match(error.message, /what 'integrity' says: sha/);
      return true;
    });
  }
});

test('integrity of what has no content fails', async () => {
  const platform = createPlatform();
  platform.server = () => ({ status: 204 });
  const code = `await fetch('/', { integrity: '${digest('sha256', '')}' })`;
  await assert.rejects(platform.runAsync(code), { name: 'TypeError' });
});

test('421 is tried once more on another connection, unless the body is a stream', async () => {
  const platform = createPlatform();
  platform.server = ({ freshConnection }) => ({ status: freshConnection ? 200 : 421 });
  const status = (init: string): Promise<number> => platform.runAsync(`return (await fetch('/', ${init})).status;`);
  assert.equal(await status("{ method: 'POST', body: 'x' }"), 200);
  assert.deepEqual(
    platform.sent.map(({ body, freshConnection }) => [body, freshConnection]),
    [
      ['x', false],
      ['x', true],
    ],
  );
  assert.equal(await status("{ method: 'POST', body: new Blob(['x']) }"), 200);
  assert.equal(await status("{ method: 'POST', body: new ReadableStream(), duplex: 'half' }"), 421);
  platform.server = () => ({ status: 421 });
  platform.sent.length = 0;
  assert.equal(await status('{}'), 421);
  assert.equal(platform.sent.length, 2);
});

test('a blob is sent again after a redirect, and a Location keeps its bytes', async () => {
  const platform = createPlatform();
  platform.server = ({ url }) =>
    url.endsWith('/') ? { status: 307, headers: [['location', 'next?\xff%\xe2\x98\x83']] } : { body: 'there' };
  const code = "return (await fetch('/', { method: 'POST', body: new Blob(['x']) })).url;";
  assert.equal(await platform.runAsync(code), 'http://127.0.0.1:8080/next?%FF%%E2%98%83');
  assert.deepEqual(
    platform.sent.map(({ method }) => method),
    ['POST', 'POST'],
  );
});

test('a request holds on to the blob behind its URL', async () => {
  const { runAsync } = createPlatform();
  const code = `
    const url = URL.createObjectURL(new Blob(['x'], { type: 'no type' }));
    const request = new Request(url), copy = request.clone();
    URL.revokeObjectURL(url);
    const response = await fetch(request);
    const seen = [await response.text(), response.headers.get('content-type'), await (await fetch(copy)).text()];
    try { await fetch(url); } catch (error) { seen.push(error.cause.code); }
    return seen.join();`;
  assert.equal(await runAsync(code), 'x,,x,ERR_INVALID_URL');
});

test('a body that has failed says so at once, as often as it is asked', async () => {
  const platform = createPlatform();
  platform.server = () => ({ body: 'x' });
  const code = `
    const controller = new AbortController();
    const { signal } = controller;
    const one = await fetch('/', { signal }), two = await fetch('/', { signal });
    const reader = two.body.getReader();
    controller.abort('why');
    const seen = [];
    await Promise.all([one.text().catch((reason) => seen.push(reason)), Promise.resolve().then(() => seen.push('next'))]);
    await one.text().catch((reason) => seen.push(reason));
    await reader.closed.catch((reason) => seen.push(reason));
    return seen.join();`;
  assert.equal(await platform.runAsync(code), 'why,next,why,why');
});

test('priority and duplex take their values only', () => {
  const { run } = createPlatform();
  run("new Request('/', { priority: 'low', duplex: 'half' })");
  assert.throws(() => run("new Request('/', { priority: 'middle' })"), { name: 'TypeError' });
  assert.throws(() => run("new Request('/', { duplex: 'full' })"), { name: 'TypeError' });
});

test('a clone has chunks of its own', async () => {
  const { runAsync } = createPlatform();
  const code = `
    const chunk = { a: [1] };
    const one = new Response(new ReadableStream({ start(c) { c.enqueue(chunk); c.close(); } }));
    const two = one.clone();
    const first = (await one.body.getReader().read()).value, second = (await two.body.getReader().read()).value;
    return [first === chunk, second === chunk, second.a[0]].join();`;
  assert.equal(await runAsync(code), 'true,false,1');
});

test('a request that is replaced by another with a body of its own counts as used', async () => {
  const { runAsync } = createPlatform();
  const code = `
    const one = new Request('/', { method: 'POST', body: 'x' });
    const two = new Request(one, { body: 'y' });
    return [one.bodyUsed, await two.text()].join();`;
  assert.equal(await runAsync(code), 'true,y');
});
