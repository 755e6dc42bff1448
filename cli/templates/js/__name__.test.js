import assert from 'node:assert/strict';
import { test } from 'node:test';
import plugin from './__name__.js';

const ask = (path) => plugin.fetch(new Request(new URL(path, 'http://localhost/__name__/')), { name: 'Alice' });

test('greets whoever is named', async () => {
  const response = await ask('?who=Bob');
  assert.equal(response.status, 200);
  assert.equal(await response.text(), 'Alice says hello Bob!\n');
});

test('asks for a name', async () => {
  assert.equal((await ask('')).status, 400);
});
