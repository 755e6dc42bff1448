import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './.valor/sdk/assemblyscript/test.js';

const file = new URL('build/__name__.wasm', import.meta.url);

test('greets whoever is named', async () => {
  const plugin = await load(file, { config: 'Alice' });
  const response = await plugin.fetch('?who=Bob');
  assert.equal(response.status, 200);
  assert.equal(await response.text(), 'Alice says hello Bob!\n');
});

test('asks for a name', async () => {
  const plugin = await load(file, { config: 'Alice' });
  assert.equal((await plugin.fetch('')).status, 400);
});

test('says what its config must be', async () => {
  await assert.rejects(load(file, { config: 7 }), /the config is a name/);
});
