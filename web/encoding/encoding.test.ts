import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

const platform = createPlatform();
const { TextDecoder, TextEncoder } = platform.global;

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

// The library that decodes them takes no bytes of another realm.
const ownBytes = (list: number[]): Uint8Array => platform.global.Uint8Array.from(list);

/** Decodes in every pair of pieces, one byte at a time too: all must agree. */
function decodeAllWays(label: string, input: Uint8Array, options = {}): string {
  const whole = new TextDecoder(label, options).decode(input);
  for (let cut = 0; cut <= input.length; cut++) {
    const decoder = new TextDecoder(label, options);
    const text = decoder.decode(input.subarray(0, cut), { stream: true }) + decoder.decode(input.subarray(cut));
    assert.equal(text, whole, `cut at ${cut}`);
  }
  const decoder = new TextDecoder(label, options);
  let text = '';
  for (const byte of input) text += decoder.decode(new Uint8Array([byte]), { stream: true });
  assert.equal(text + decoder.decode(), whole, 'byte by byte');
  return whole;
}

// The expectations follow "maximal subpart" replacement of https://encoding.spec.whatwg.org/#utf-8-decoder
const utf8Cases: [string, string][] = [
  ['', ''],
  ['61 62', 'ab'],
  ['c3 a9', '\u00e9'],
  ['e2 82 ac', '\u20ac'],
  ['f0 9f 98 80', '\u{1f600}'],
  ['c3', '\ufffd'],
  ['e2 82', '\ufffd'],
  ['f0 9f 98', '\ufffd'],
  ['f0 9f 98 61', '\ufffda'],
  ['e2 82 e2 82 ac', '\ufffd\u20ac'],
  ['80 bf', '\ufffd\ufffd'],
  ['c0 80', '\ufffd\ufffd'],
  ['c1 bf', '\ufffd\ufffd'],
  ['e0 80 80', '\ufffd\ufffd\ufffd'],
  ['ed a0 80', '\ufffd\ufffd\ufffd'],
  ['f0 80 80 80', '\ufffd\ufffd\ufffd\ufffd'],
  ['f4 90 80 80', '\ufffd\ufffd\ufffd\ufffd'],
  ['f5 80', '\ufffd\ufffd'],
  ['ff fe', '\ufffd\ufffd'],
  ['ef bb bf 61', 'a'],
  ['ef bb bf ef bb bf 61', '\ufeffa'],
  ['ef bb', '\ufffd'],
  ['61 ef bb bf', 'a\ufeff'],
];

test('utf-8 decodes like the standard, whole and in pieces', () => {
  for (const [hex, text] of utf8Cases) assert.equal(decodeAllWays('utf-8', bytes(hex)), text, hex);
});

test('utf-8 decodes long texts with an error anywhere', () => {
  for (let at = 0; at < 80; at++) {
    const input = new Uint8Array(80).fill(0x61);
    input[at] = 0xff;
    assert.equal(new TextDecoder().decode(input), `${'a'.repeat(at)}\ufffd${'a'.repeat(79 - at)}`);
    assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(input), { name: 'TypeError' });
  }
});

test('a fatal decoder refuses exactly what would need a replacement', () => {
  for (const [hex, text] of utf8Cases) {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    if (text.includes('\ufffd')) assert.throws(() => decoder.decode(bytes(hex)), { name: 'TypeError' }, hex);
    else assert.equal(decodeAllWays('utf-8', bytes(hex), { fatal: true }), text);
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  assert.equal(decoder.decode(bytes('e2 82'), { stream: true }), '');
  assert.throws(() => decoder.decode(), { name: 'TypeError' });
  assert.equal(decoder.decode(bytes('61')), 'a');
});

test('ignoreBOM keeps the byte order mark', () => {
  assert.equal(decodeAllWays('utf-8', bytes('ef bb bf 61'), { ignoreBOM: true }), '\ufeffa');
});

test('a decoder can be used again after the last piece', () => {
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(bytes('ef bb bf 61')), 'a');
  assert.equal(decoder.decode(bytes('ef bb bf 62')), 'b');
});

test('buffers and views of every kind are input', () => {
  const decoder = new TextDecoder();
  const buffer = bytes('61 62 63 64').slice().buffer;
  assert.equal(decoder.decode(buffer), 'abcd');
  assert.equal(decoder.decode(new DataView(buffer, 1, 2)), 'bc');
  assert.equal(decoder.decode(new Uint16Array(buffer)), 'abcd');
  const views = [buffer, new DataView(buffer), new Uint16Array(buffer)];
  structuredClone(buffer, { transfer: [buffer] });
  for (const view of views) assert.equal(decoder.decode(view), '');
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set([0x68, 0xff]);
  assert.equal(decoder.decode(shared), 'h\ufffd');
  assert.equal(decoder.decode(new Uint8Array(1000).fill(0x61)).length, 1000);
  assert.throws(() => decoder.decode('text'), { name: 'TypeError' });
  assert.throws(() => decoder.decode(null), { name: 'TypeError' });
});

test('utf-16 in both orders', () => {
  assert.equal(decodeAllWays('utf-16', bytes('ff fe 61 00 3d d8 00 de')), 'a\u{1f600}');
  assert.equal(decodeAllWays('utf-16be', bytes('fe ff 00 61 d8 3d de 00')), 'a\u{1f600}');
  assert.equal(decodeAllWays('utf-16le', bytes('3d d8 61 00')), '\ufffda');
  assert.equal(decodeAllWays('utf-16le', bytes('61 00 62')), 'a\ufffd');
  assert.equal(decodeAllWays('utf-16le', bytes('3d d8 62')), '\ufffd');
  assert.throws(() => new TextDecoder('utf-16le', { fatal: true }).decode(bytes('00 dc')), { name: 'TypeError' });
  assert.throws(() => new TextDecoder('utf-16le', { fatal: true }).decode(bytes('61')), { name: 'TypeError' });
});

test('windows-1252 and its many labels', () => {
  for (const label of ['latin1', ' ISO-8859-1\n', 'ascii', 'windows-1252']) {
    assert.equal(new TextDecoder(label).encoding, 'windows-1252');
  }
  assert.equal(decodeAllWays('latin1', bytes('61 80 81 9f ff')), 'a\u20ac\x81\u0178\xff');
});

test('labels', () => {
  assert.equal(new TextDecoder('UTF8').encoding, 'utf-8');
  assert.equal(new TextDecoder().encoding, 'utf-8');
  assert.equal(new TextDecoder(' Shift-JIS\n').encoding, 'shift_jis');
  for (const label of ['nonsense', '', 'utf-8\0', 'replacement', 'hz-gb-2312']) {
    assert.throws(() => new TextDecoder(label), { name: 'RangeError' }, label);
  }
});

test('legacy encodings decode, in pieces too', () => {
  const cases: [string, number[], string][] = [
    ['shift_jis', [0x93, 0xfa, 0x96, 0x7b, 0x61], '\u65e5\u672ca'],
    ['gb18030', [0x81, 0x30, 0x81, 0x30], '\x80'],
    ['iso-8859-2', [0xb1, 0xe6], '\u0105\u0107'],
    ['windows-1251', [0xcf], '\u041f'],
    ['x-user-defined', [0x80], '\uf780'],
  ];
  for (const [label, bytes, text] of cases) {
    assert.equal(new TextDecoder(label).decode(ownBytes(bytes)), text, label);
    const decoder = new TextDecoder(label);
    let pieces = bytes.map((byte) => decoder.decode(ownBytes([byte]), { stream: true })).join('');
    pieces += decoder.decode();
    assert.equal(pieces, text, label);
  }
  assert.equal(new TextDecoder('euc-jp').decode(ownBytes([0x8f])), '\ufffd');
  assert.throws(() => new TextDecoder('euc-jp', { fatal: true }).decode(ownBytes([0xff])), { name: 'TypeError' });
});

test('TextEncoder encodes, and replaces lone surrogates', () => {
  const encoder = new TextEncoder();
  const hex = (text?: string): string => Buffer.from(encoder.encode(text)).toString('hex');
  assert.equal(hex('a\u00e9\u20ac\u{1f600}'), '61c3a9e282acf09f9880');
  assert.equal(hex('\ud83d'), 'efbfbd');
  assert.equal(hex('\udc00a'), 'efbfbd61');
  assert.equal(hex(), '');
  assert.equal(hex('a'.repeat(5000)), '61'.repeat(5000));
  assert.equal(platform.run("new TextEncoder().encode('x') instanceof Uint8Array"), true);
});

test('encodeInto writes whole characters and says how far it came', () => {
  const cases: [string, number, number, number, string][] = [
    ['abc', 2, 2, 2, '6162'],
    ['a\u20ac', 3, 1, 1, '610000'],
    ['\u{1f600}b', 5, 3, 5, 'f09f988062'],
    ['\u{1f600}', 3, 0, 0, '000000'],
    ['\ud83d', 3, 1, 3, 'efbfbd'],
    ['', 1, 0, 0, '00'],
    ['a', 0, 0, 0, ''],
  ];
  for (const [text, size, read, written, hex] of cases) {
    const into = new Uint8Array(size);
    const result = new TextEncoder().encodeInto(text, into);
    assert.deepEqual([result.read, result.written, Buffer.from(into).toString('hex')], [read, written, hex], text);
  }
  const part = new Uint8Array(4).subarray(1, 3);
  assert.equal(new TextEncoder().encodeInto('xyz', part).written, 2);
  assert.deepEqual([...new Uint8Array(part.buffer)], [0, 0x78, 0x79, 0]);
});
