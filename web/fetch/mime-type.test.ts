import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMimeType } from './mime-type.ts';

test('MIME types are parsed and written in one form', () => {
  for (const [input, expected] of [
    ['text/html', 'text/html'],
    [' TEXT/HTML ; Charset=UTF-8 ', 'text/html;charset=UTF-8'],
    ['a/b;x="q \\" \\\\ r"', 'a/b;x="q \\" \\\\ r"'],
    ['a/b;x="plain"', 'a/b;x=plain'],
    ['a/b;x=', 'a/b'],
    ['a/b;x=""', 'a/b;x=""'],
    ['a/b;x;y=1;x=2;x=3', 'a/b;y=1;x=2'],
    ['a/b;x="1', 'a/b;x=1'],
    ['a/b;x="1" rest;y=2', 'a/b;x=1;y=2'],
    ['a/b;é=1;x=é', 'a/b;x="é"'],
    ['a/b;x=\u0100', 'a/b'],
    ['a/b;;;x=1', 'a/b;x=1'],
    ['', null],
    ['text', null],
    ['/b', null],
    ['a/', null],
    ['a b/c', null],
    ['a/b c', null],
  ] as const) {
    assert.equal(parseMimeType(input), expected, input);
  }
});
