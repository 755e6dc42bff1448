/** biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are sources */
// The lexer finds what es-module-lexer finds, in all JavaScript that the project's packages bring.
import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { parse as theirs } from 'es-module-lexer/minimal/js';
import { LexError, parse } from './lexer.ts';

/** What both tell of a source; null where they cannot read it. */
function found(read: () => readonly [readonly Import[], readonly Export[], ...unknown[]]): unknown {
  try {
    const [imports, exports] = read();
    return [
      imports.map(({ n, s, e, ss, se, d, a }) => [n, s, e, ss, se, d, d === -1 ? a : -1]),
      // Theirs takes `class extends` for a class of that name.
      exports.map(({ n, ln, s, e }) => [n, ln === 'extends' ? undefined : ln, s, e]),
    ];
  } catch {
    return null;
  }
}
type Import = Record<'s' | 'e' | 'ss' | 'se' | 'd' | 'a', number> & { n: string | undefined };
type Export = Record<'s' | 'e', number> & { n: string; ln: string | undefined };

test('as es-module-lexer, in the files of packages', () => {
  let modules = 0;
  for (const path of globSync('node_modules/**/*.{js,mjs}')) {
    if (!statSync(path).isFile()) continue;
    const source = readFileSync(path, 'utf8');
    const expected = found(() => theirs(source));
    if (expected !== null && JSON.stringify(expected) !== '[[],[]]') modules++;
    assert.deepEqual(
      found(() => parse(source)),
      expected,
      path,
    );
  }
  assert.ok(modules > 500, `${modules} modules`);
});

const sources = [
  'a = b / c; import("x"); d = e / f',
  'if (a) /import("no")/.test(b); import("x")',
  'while (a) {} /import("no")/g.test(b)',
  'x = {} / import("x") / 2',
  'f(a)/import("x")/2',
  'a++ / import("x") / b',
  'return_ = 1; typeof /import("no")/; y = z.return / import("x")',
  '`a${`b${import("x")}c`}d ${/`/.test("`")} import("no")`',
  'a.import("no"); b?.import("no"); ({ import() { return import("x"); } })',
  'export const a = `x${1}`, { b: [c = import("x"), ...d], ["e"]: f, g = {}, ...h } = i\nj, k',
  'export default class extends X {}; export default function* a() {}',
  'export { a as "b c", default as d } from "x" with { type: "json" }; export * as "e f" from "y"',
  'import"x";import a,{b as c}from"y"\nimport*as g from"z"',
  'import.meta.url; import("x", { with: { type: "json" } }); import(a + import("y"))',
  'let s = "export const no", t = \'\\\'import("no")\' // export let no\n/* import "no" */ export { s }',
];

for (const source of sources) {
  test(source, () => {
    assert.deepEqual(
      found(() => parse(source)),
      found(() => theirs(source)),
    );
  });
}

test('what es-module-lexer does not see', () => {
  const names = (source: string) => {
    const [imports, exports] = parse(source);
    return [...imports.map(({ n }) => n), ...exports.map(({ n }) => n)];
  };
  assert.deepEqual(names('++/import("no")/.lastIndex'), []);
  assert.deepEqual(names('export const a = b\n/c/d, e = 1'), ['a', 'e']);
  assert.deepEqual(names('import{"d e"as f}from"y"'), ['y']);
  assert.deepEqual(names('#!/usr/bin/env import("no")\nexport let a'), ['a']);
});

test('where lists of exports are', () => {
  const source = 'export {}; export { a }; export { b } from "x"; export let c; "export {}"';
  const lists = parse(source)[2].map(([start, end]) => source.slice(start, end));
  assert.deepEqual(lists, ['export {}', 'export { a }']);
});

test('phases', () => {
  const phases = (source: string) => parse(source)[0].map(({ phase }) => phase);
  assert.deepEqual(phases('import source a from "x"; import defer * as b from "y"; import.defer("z")'), [
    'source',
    'defer',
    'defer',
  ]);
  assert.deepEqual(
    phases('import source from "x"; import defer, { a } from "y"; import("z")'),
    Array(3).fill(undefined),
  );
});

test('what is cut off anywhere is read or refused', () => {
  for (const source of sources) {
    for (let end = 0; end < source.length; end++) {
      try {
        parse(source.slice(0, end));
      } catch (error) {
        assert.ok(error instanceof LexError || error instanceof SyntaxError, `${source.slice(0, end)}: ${error}`);
      }
    }
  }
});
