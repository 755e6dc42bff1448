import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { createPlatform } from '../test/platform.ts';

const text = 'Valor answers requests. '.repeat(5000);
const pipe = (stream: string, bytes: string): string =>
  `new Uint8Array(await new Response(new Blob([${bytes}]).stream().pipeThrough(new ${stream})).arrayBuffer())`;
const bytesOf = (data: Uint8Array): string => `new Uint8Array([${[...data].join()}])`;

const formats = {
  gzip: [zlib.gzipSync, zlib.gunzipSync],
  deflate: [zlib.deflateSync, zlib.inflateSync],
  'deflate-raw': [zlib.deflateRawSync, zlib.inflateRawSync],
  brotli: [zlib.brotliCompressSync, zlib.brotliDecompressSync],
} as const;

for (const [format, [compress, decompress]] of Object.entries(formats)) {
  test(`${format}: what is compressed is understood elsewhere, and the other way round`, async () => {
    const { runAsync } = createPlatform();
    const compressed: Uint8Array = await runAsync(
      `return ${pipe(`CompressionStream('${format}')`, JSON.stringify(text))}`,
    );
    assert.ok(compressed.length < text.length / 10);
    assert.equal(decompress(Buffer.from(compressed)).toString(), text);
    const plain: Uint8Array = await runAsync(
      `return ${pipe(`DecompressionStream('${format}')`, bytesOf(compress(text)))}`,
    );
    assert.equal(Buffer.from(plain).toString(), text);
  });

  test(`${format}: what is cut short, damaged or followed by something is an error`, async () => {
    const { runAsync } = createPlatform();
    const whole = compress('abc'.repeat(100));
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 2, Math.min(12, whole.length));
    for (const input of [whole.subarray(0, whole.length - 1), Buffer.concat([whole, Buffer.from('x')]), damaged]) {
      await assert.rejects(runAsync(`return ${pipe(`DecompressionStream('${format}')`, bytesOf(input))}`), {
        name: 'TypeError',
      });
    }
  });
}

test('other formats and other chunks are refused', async () => {
  const { run, runAsync } = createPlatform();
  assert.throws(() => run("new CompressionStream('zip')"), { name: 'TypeError' });
  await assert.rejects(
    runAsync("for await (const _ of ReadableStream.from(['text']).pipeThrough(new CompressionStream('gzip')));"),
    { name: 'TypeError' },
  );
});
