// The case plug-ins of test/parity/, in every language, in the browser's host.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { built, FakeHost } from './testing/fake-host.ts';

for (const language of ['cpp', 'rust', 'c', 'assemblyscript']) {
  describe(language, () => {
    const start = (name: string, options?: Parameters<typeof FakeHost.start>[1]) =>
      FakeHost.start(built(`parity/${language}/${name}.wasm`), options);

    test('answers', async () => {
      assert.equal(await (await start('hello')).text(''), 'OK response from a plugin');
      const state = await start('with-state', { config: 'Alice' });
      assert.equal(await state.text('?who=Bob'), 'Alice says hello Bob!');
      assert.equal((await state.send('')).status, 400);
    });

    test('refuses a config', async () => {
      await assert.rejects(start('with-state', { config: { name: 'Alice' } }), /the config must be a name/);
    });

    test('echoes method, url, headers and body', async () => {
      const echo = await start('echo');
      const body = new TextEncoder().encode('grüße').buffer;
      const headers: [string, string][] = [
        ['x-case-a', 'gr\u00fc\u00df'],
        ['x-case-b', ''],
        ['x-case-a', '2'],
      ];
      const answer = await echo.send('a/b?c', { method: 'PROPFIND', headers, body });
      const of = (name: string) => answer.headers.filter(([key]) => key === name).map(([, value]) => value);
      assert.deepEqual(['x-method', 'x-url', 'x-case-a', 'x-case-b'].map(of), [
        ['PROPFIND'],
        ['a/b?c'],
        ['gr\u00fc\u00df', '2'],
        [''],
      ]);
      assert.equal(answer.text, 'grüße');
      assert.equal((await echo.send('?fail')).problem?.status, 500);
      assert.equal((await echo.send('?bad-header')).problem?.status, 500);
      assert.equal((await echo.send('?status=204')).status, 204);
    });

    test('waits, and traps', async () => {
      const echo = await start('echo');
      const all = await Promise.all([1, 2, 3].map((i) => echo.text(`?wait=${i * 20}`, { method: 'POST' })));
      assert.deepEqual(all, ['', '', '']);
      assert.match((await echo.breaks('?trap')).detail, /^The plug-in (trapped|gave up): /);
    });

    test('fetches', async () => {
      const echo = await start('echo');
      echo.fetch = async ({ url }) => {
        if (url === 'http://nowhere/') throw new TypeError('Failed to fetch');
        return new Response('x'.repeat(300_000), { status: 400, headers: { 'content-type': 'text/x' } });
      };
      const answer = await echo.send(`?fetch=${encodeURIComponent('http://h/')}`);
      assert.equal(answer.status, 400);
      assert.equal(answer.text.length, 300_000);
      assert.deepEqual(await echo.text(`?fetch=${encodeURIComponent('http://nowhere/')}`), 'fetch failed');
    });

    test('streams both ways, and notices who leaves', async () => {
      const stream = await start('stream');
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const { body } = await stream.begin('', { method: 'POST', body: readable }).head;
      const reader = (body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
      const writer = writable.getWriter();
      for (const text of ['one', 'two']) {
        await writer.write(new TextEncoder().encode(text));
        assert.equal((await reader.read()).value, text);
      }
      await writer.close();
      assert.equal((await reader.read()).done, true);
      const endless = ((await stream.begin('endless').head).body as ReadableStream<Uint8Array>).getReader();
      await endless.read();
      await endless.cancel();
      assert.equal(await stream.text('gone'), '1');
    });
  });
}
