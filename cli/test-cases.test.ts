// The cases file of `valor test`: mistakes are named with line and field, and answers compared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJson } from './json-lines.ts';
import type { Answer } from './test-ask.ts';
import { differences, readCases } from './test-cases.ts';

const one = (expect: object, request: object = {}) =>
  readCases(JSON.stringify({ cases: [{ request, expect }] }), 'c.json')[0]!;

function mistake(text: string): string {
  try {
    readCases(text, 'c.json');
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

test('what is left out has its default', () => {
  assert.deepEqual(one({}), {
    name: 'GET the mount',
    request: { method: 'GET', path: '', headers: {} },
    expect: { status: 200, headers: {}, contains: [] },
  });
  const { request } = one({}, { path: 'a?b', json: { a: 1 } });
  assert.equal(request.method, 'POST');
  assert.deepEqual(request.headers, { 'content-type': 'application/json' });
  assert.equal(Buffer.from(request.body!, 'base64').toString(), '{"a":1}');
  assert.equal(one({}, { method: 'PUT', body: 'x' }).request.body, 'eA==');
  assert.equal(one({}, { base64: '/w==' }).request.body, '/w==');
});

test('mistakes name file, line and field', () => {
  const cases: [string, string][] = [
    ['{\n  "cases": [\n    1,,\n  ]\n}', 'c.json:3: no JSON: , where a value is expected'],
    ['{"cases": [1', 'c.json:1: no JSON: it ends before , or ] is expected'],
    ['{"cases"\n: ["a\\q"]}', 'c.json: no JSON: '],
    ['{"cases": []} x', 'c.json:1: no JSON: x where the end is expected'],
    ['{"case": []}', 'c.json:1: case is no field; did you mean cases?'],
    ['{"cases": {}}', 'c.json:1: cases is a list, not {}'],
    ['{"cases": []}', 'c.json:1: cases is empty'],
    ['[]', 'c.json:1: the file is no object'],
    ['{"cases": [\n{"expect": {}},\n{}]}', 'c.json:3: cases[1] has no "expect"'],
    ['{"cases": [{"expect": {\n"statsu": 1}}]}', 'c.json:2: cases[0].expect.statsu is no field; did you mean status?'],
    ['{"cases": [{"expect": {\n"status": "x"}}]}', 'c.json:2: cases[0].expect.status is a whole number from 200'],
    ['{"cases": [{"expect": {},\n"request": {\n"path": 1}}]}', 'c.json:3: cases[0].request.path is a string, not 1'],
    ['{"cases": [{"expect": {}, "request": {"body": "", "json": 1}}]}', 'json and body exclude each other'],
    ['{"cases": [{"expect": {}, "request": {"base64": "x"}}]}', 'base64 is no base64'],
    ['{"cases": [{"expect": {}, "request": {"method": "GET", "body": "x"}}]}', 'method is GET, which has no body'],
    ['{"cases": [{"expect": {"headers": {\n"a": 1}}}]}', 'c.json:2: cases[0].expect.headers.a is a string, not 1'],
  ];
  for (const [text, words] of cases) assert.ok(mistake(text).includes(words), `${text}\n${mistake(text)}`);
});

test('lines are those of the parts', () => {
  const { lineOf } = readJson('{\n"a": [\n1,\n{"b":\n2}],\n"c": "\\"{"}', 'f');
  const lines = [['a'], ['a', 0], ['a', 1], ['a', 1, 'b'], ['a', 1, 'missing'], ['c']].map((path) => lineOf(path));
  assert.deepEqual(lines, [2, 3, 4, 5, 4, 6]);
});

test('what is not as expected is told, all of it', () => {
  const answer: Answer = { status: 404, headers: [['a', '1']], body: Buffer.from('{"x":1}').toString('base64') };
  const found = (expect: object): string[] => differences(answer, one(expect).expect);
  assert.deepEqual(found({ status: 404, headers: { A: '1', b: null }, json: { x: 1 }, contains: ['x', '1'] }), []);
  assert.deepEqual(found({ status: 404, body: '{"x":1}' }), []);
  assert.deepEqual(found({ headers: { a: '2', b: '3' }, json: { x: 2 }, contains: 'y' }), [
    'status is 404, not 200; its body: "{\\"x\\":1}"',
    'header a is "1", not "2"',
    'there is no header b',
    'body is {"x":1}, not {"x":2}',
    'body does not contain "y": "{\\"x\\":1}"',
  ]);
  assert.deepEqual(found({ status: 404, headers: { a: null }, body: '' }), [
    'there is a header a: "1"',
    'body is "{\\"x\\":1}", not ""',
  ]);
  assert.deepEqual(differences({ ...answer, error: 'why' }, one({}).expect), ['why']);
  const redirect = { ...answer, status: 0, redirected: true };
  assert.deepEqual(differences(redirect, one({ status: 302, headers: { location: 'x' } }).expect), []);
  assert.equal(differences(redirect, one({}).expect).length, 1);
});
