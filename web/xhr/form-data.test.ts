import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

test('entries are kept in order; set replaces the first and removes the others', () => {
  const { run } = createPlatform();
  assert.equal(
    run(`
    const form = new FormData();
    form.append('a', 1); form.append('b', 2); form.append('a', 3);
    form.set('a', 4);
    form.append('f', new Blob(['x']), 'x.txt');
    form.append('g', new Blob(['y']));
    [...form].map(([name, value]) => name + '=' + (value.name ?? value)).join() + form.getAll('a').length + form.has('b')`),
    'a=4,b=2,f=x.txt,g=blob1true',
  );
});

test('a form goes through a body and back, with files and odd names', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const form = new FormData();
    form.append('na"me\\n', 'line\\nline');
    form.append('file', new File([new Uint8Array([0, 13, 10, 45, 45])], 'q"uote.bin', { type: 'application/x' }));
    const response = new Response(form);
    const back = await response.formData();
    const file = back.get('file');
    return JSON.stringify([[...back.keys()], back.get('na"me\\r\\n'), file.name, file.type, [...await file.bytes()]]);`),
    JSON.stringify([['na"me\r\n', 'file'], 'line\r\nline', 'q"uote.bin', 'application/x', [0, 13, 10, 45, 45]]),
  );
});

test('urlencoded bodies are forms; other ones are refused', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const form = await new Request('http://a/', { method: 'POST', body: new URLSearchParams('a=1&b=%20+') }).formData();
    return JSON.stringify([...form]);`),
    '[["a","1"],["b","  "]]',
  );
  for (const [type, body] of [
    ['text/plain', 'a=1'],
    ['multipart/form-data', ''],
    ['multipart/form-data; boundary=x', '--x\r\nbroken'],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end'],
  ]) {
    await assert.rejects(
      runAsync(`return new Response(${JSON.stringify(body)}, { headers: { 'content-type': '${type}' } }).formData()`),
      { name: 'TypeError' },
      `${type} ${body}`,
    );
  }
});

test('a body becomes a blob with its type, and a blob a body', async () => {
  const { runAsync } = createPlatform();
  assert.equal(
    await runAsync(`
    const response = new Response(new Blob(['abc'], { type: 'text/x' }));
    const blob = await response.clone().blob();
    return [response.headers.get('content-type'), await response.text(), blob.type, await blob.text()].join();`),
    'text/x,abc,text/x,abc',
  );
});
