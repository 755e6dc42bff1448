// Whatever a plug-in does to the language's built-ins, the platform goes on with those that it captured
// (tools/capture-intrinsics.ts): a plug-in that replaced them all finds out about no use by the platform.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';

const valor = await serve([web('spying.js')]);
after(() => valor.stop());

// What Web IDL has the platform do with the lists that a plug-in passes: https://webidl.spec.whatwg.org/#js-sequence
const byTheStandards = ['Array.prototype.Symbol(Symbol.iterator)', 'ArrayIterator.next'];
// What the uses themselves call.
const own: Record<string, string[]> = {
  encoding: ['Uint8Array'],
  digests: ['Uint8Array'],
  keys: ['Uint8Array'],
};

const uses: string[] = (await valor.ask('/spying')).json();
assert.ok(uses.length > 20);

for (const use of uses) {
  test(`the platform uses nothing that a plug-in replaced: ${use}`, async () => {
    const answer = await valor.ask(`/spying/${encodeURIComponent(use)}`);
    assert.equal(answer.status, 200, answer.text);
    const { failed, counts } = answer.json();
    assert.equal(failed, undefined);
    const allowed = [...byTheStandards, ...(own[use] ?? [])];
    assert.deepEqual(
      Object.keys(counts).filter((name) => !allowed.includes(name)),
      [],
    );
  });
}
