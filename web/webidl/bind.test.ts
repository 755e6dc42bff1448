// What every interface gets from its declaration, on the example of some.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

const { run } = createPlatform();

test('members have the attributes that Web IDL asks for', () => {
  assert.equal(
    run(`
    const { writable, enumerable, configurable, value } = Object.getOwnPropertyDescriptor(Blob.prototype, 'slice');
    const { get, set } = Object.getOwnPropertyDescriptor(Blob.prototype, 'size');
    [writable, enumerable, configurable, value.name, value.length, get.name, set, Blob.length, File.length, Blob.name,
      Object.prototype.toString.call(new Blob()), File.__proto__ === Blob, 'prototype' in value].join()`),
    'true,true,true,slice,0,get size,,0,2,Blob,[object Blob],true,false',
  );
});

test('wrong receivers, missing arguments and wrong types throw a TypeError that names the place', () => {
  const cases: [string, RegExp][] = [
    ['Blob()', /'new'/],
    ['Blob.prototype.size', /not of type 'Blob'/],
    ['Blob.prototype.slice.call({})', /not of type 'Blob'/],
    ["new File(['a'])", /'File': 2 arguments required, but only 1 present/],
    ['new Blob(1)', /Failed to construct 'Blob': parameter 1/],
    ["new Blob([], { endings: 'x' })", /'x' is not a valid value of EndingType/],
    ['new FileReader().readAsText({})', /'readAsText' on 'FileReader': parameter 1 is not of type 'Blob'/],
    ['new PerformanceEntry()', /Illegal constructor/],
  ];
  for (const [code, message] of cases) assert.throws(() => run(code), { name: 'TypeError', message }, code);
});

test('an operation that returns a promise rejects instead of throwing', async () => {
  await assert.rejects(run('Blob.prototype.text.call({})'), { name: 'TypeError' });
});

test('a subclass of a plug-in has the state of the interface', () => {
  assert.equal(run("class Mine extends File { get twice() { return this.size * 2; } } new Mine(['ab'], 'x').twice"), 4);
});

test('integers are clamped, wrapped or refused as their type says', () => {
  assert.equal(run("new Blob(['abcdef']).slice(1.5, 2 ** 70).size"), 4);
  assert.equal(run("new File([], 'x', { lastModified: 2 ** 64 + 2 ** 20 }).lastModified"), 1048576);
  assert.equal(run("new ProgressEvent('x', { loaded: 5, lengthComputable: 1 }).lengthComputable"), true);
});
