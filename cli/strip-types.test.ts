import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripTypes } from './strip-types.ts';

test('types become blanks and every position stays', () => {
  const source = 'interface A { b: string }\nconst a: A = { b: "x" } as A;\n';
  const stripped = stripTypes('/p/a.ts', source);
  assert.equal(stripped.length, source.length);
  assert.equal(stripped.split('\n').length, source.split('\n').length);
  assert.equal(new Function(`${stripped}; return a.b`)(), 'x');
});

test('what needs code to be generated is refused with file, line and advice', () => {
  assert.throws(
    () => stripTypes('/p/a.ts', 'let a = 1;\n\nenum B { C }\n'),
    /^Error: \/p\/a\.ts:3: .*enum.*JavaScript/,
  );
});

test('a syntax error names file and line', () => {
  assert.throws(
    () => stripTypes('/p/a.ts', 'let a = 1;\nlet b: number = ;\n'),
    /^Error: \/p\/a\.ts:2: Expression expected$/,
  );
});
