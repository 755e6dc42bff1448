// Bodies stream: ten uploads and ten downloads of 1 GiB each, all at once, pass through below 200 MiB of memory.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { serve, web, within } from './harness.ts';

const gib = 2 ** 30;
const limitKib = 200 * 1024;
const transferDeadlineMs = 240_000;
const piece = Buffer.alloc(1024 * 1024, 'v');

/** Sends `bytes` to /stream/up and returns how many the plug-in counted. */
function upload(port: number, bytes: number): Promise<number> {
  return new Promise((done, failed) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    socket.on('error', failed);
    socket.on('data', (text) => (answer += text));
    socket.on('close', () => done(Number(/\{"bytes":(\d+)\}$/.exec(answer)?.[1])));
    socket.write(`POST /stream/up HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${bytes}\r\n\r\n`);
    let left = bytes;
    const pump = (): void => {
      while (left > 0) {
        const size = Math.min(left, piece.length);
        left -= size;
        if (!socket.write(piece.subarray(0, size))) break;
      }
    };
    socket.on('drain', pump);
    pump();
  });
}

/** Takes `bytes` from /stream/down into one buffer, again and again, and returns how many came. */
function download(port: number, bytes: number): Promise<number> {
  return new Promise((done, failed) => {
    let came = 0;
    let tail = '';
    const socket = net.connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(256 * 1024),
        callback: (size, buffer) => {
          came += size;
          tail = (tail + Buffer.from(buffer.buffer, buffer.byteOffset, size).subarray(-8).toString('latin1')).slice(-8);
          return true;
        },
      },
    });
    socket.on('error', failed);
    socket.on('close', () =>
      tail.endsWith('0\r\n\r\n') ? done(came) : failed(new Error(`ended early after ${came} bytes`)),
    );
    socket.write(`GET /stream/down?bytes=${bytes} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  });
}

test('ten uploads and ten downloads of 1 GiB at once stay below 200 MiB', {
  timeout: 2 * transferDeadlineMs,
}, async (t) => {
  const valor = await serve([web('stream.js', { limits: { timeout_ms: 600_000 } })]);
  try {
    const started = Date.now();
    const ten = <T>(transfer: () => Promise<T>): Promise<T>[] => Array.from({ length: 10 }, transfer);
    const up = ten(() => upload(valor.port, gib));
    const down = ten(() => download(valor.port, gib));
    const [counted, came] = await within(
      Promise.all([Promise.all(up), Promise.all(down)]),
      'all transfers',
      transferDeadlineMs,
    );
    for (const bytes of counted) assert.equal(bytes, gib);
    // Besides the body there are a head and the lines between chunks.
    for (const bytes of came) assert.ok(bytes > gib && bytes < gib * 1.01, String(bytes));
    const peak = valor.memoryKib('VmHWM');
    t.diagnostic(`20 GiB in ${Math.round((Date.now() - started) / 1000)} s, at most ${Math.round(peak / 1024)} MiB`);
    assert.ok(peak < limitKib, `${peak} KiB`);
  } finally {
    await valor.stop();
  }
});
