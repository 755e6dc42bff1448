import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('a blob is made of texts, bytes and blobs, and is not changed afterwards', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const bytes = new Uint8Array([98, 99]);
    const inner = new Blob(['\\u20ac']);
    const blob = new Blob(['a', bytes, inner, bytes.buffer], { type: 'Text/PLAIN' });
    bytes[0] = 0;
    return [await blob.text(), blob.size, blob.type, (await blob.bytes()).length].join();`),
    'abc\u20acbc,8,text/plain,8',
  );
});

test('slices count from the end too, and reach across pieces', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const blob = new Blob(['abc', 'def', 'ghi']);
    const slices = [blob.slice(2, 7), blob.slice(-4, -1), blob.slice(5, 2), blob.slice(100), blob.slice(2, 7).slice(1, 3)];
    return (await Promise.all(slices.map((slice) => slice.text()))).join();`),
    'cdefg,fgh,,,de',
  );
});

test('a blob streams in pieces, and a stream of text decodes it', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    let pieces = 0, length = 0;
    for await (const piece of new Blob(['x'.repeat(200000)]).stream()) { pieces++; length += piece.length; }
    let text = '';
    for await (const piece of new Blob(['\\u20ac']).textStream()) text += piece;
    return [pieces > 1, length, text].join();`),
    'true,200000,\u20ac',
  );
});

test('files have a name and a time, and survive structuredClone', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const file = structuredClone({ deep: new File(['abc'], 'a.txt', { type: 'text/x', lastModified: 5 }) }).deep;
    [file instanceof File, file instanceof Blob, file.name, file.lastModified, file.type, file.size].join()`),
    'true,true,a.txt,5,text/x,3',
  );
  assert.equal(
    run('Array.from(structuredClone([new Blob(["a"]), new Blob(["bc"])]), (blob) => blob.size).join()'),
    '1,2',
  );
});

test('FileReader fires its events in order; FileReaderSync reads at once', async () => {
  const { run, advance } = createPlatform();
  run(`
    globalThis.seen = [];
    const reader = new FileReader();
    for (const type of ['loadstart', 'progress', 'load', 'loadend', 'error', 'abort']) {
      reader.addEventListener(type, (event) => seen.push(type + event.loaded));
    }
    reader.onload = () => seen.push(reader.result);
    reader.readAsDataURL(new Blob(['abc'], { type: 'text/plain' }));`);
  await advance(10);
  assert.equal(run('seen.join()'), 'loadstart0,progress3,load3,data:text/plain;base64,YWJj,loadend3');
  assert.equal(run("new FileReaderSync().readAsText(new Blob([new Uint8Array([0xb1])]), 'iso-8859-2')"), '\u0105');
  assert.throws(() => run("new FileReader().readAsText('abc')"), { name: 'TypeError' });
});

test('object URLs name their blob until they are revoked', () => {
  const { run } = createPlatform();
  assert.match(
    run('URL.createObjectURL(new Blob([]))'),
    /^blob:http:\/\/127\.0\.0\.1:8080\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.throws(() => run('URL.createObjectURL({})'), { name: 'TypeError' });
  run("URL.revokeObjectURL('blob:x')");
});
