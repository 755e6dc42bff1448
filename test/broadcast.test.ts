// BroadcastChannel between the four instances of a plug-in: who hears what, in which order, and what becomes of the others
// when one floods, falls behind, loops, runs out of memory or is replaced.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, serve, sleep, web } from './harness.ts';

const instances = { min: 4, max: 4 };
const limits = { timeout_ms: 3000, memory_mb: 64 };
const names = ['plain', 'flooded', 'behind', 'looping', 'hoarding', 'replaced'];
const definition = (name: string) =>
  web('broadcast.js', { name, instances, limits: name === 'behind' ? { ...limits, memory_mb: 256 } : limits });
const valor = await serve(names.map(definition), ['-w', '--no-access-log']);
after(() => valor.stop());

// biome-ignore lint/suspicious/noExplicitAny: JSON
type Message = any;
interface Heard {
  id: string;
  heard: Message[];
}

async function get(path: string): Promise<Message> {
  const answer = await valor.ask(path);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

async function trySay(plugin: string, ...messages: Message[]): Promise<boolean> {
  const answer = await valor.ask(`/${plugin}/say`, { method: 'POST', body: JSON.stringify(messages) });
  return answer.status === 200;
}

async function say(plugin: string, ...messages: Message[]): Promise<void> {
  assert.ok(await trySay(plugin, ...messages));
}

let rounds = 0;

/** What each of the four has heard, once all have heard all that was said before. */
async function heardByAll(plugin: string): Promise<Heard[]> {
  const all = new Map<string, Heard>();
  // A new instance may have come too late for one round, and one that ends fails it.
  await eventually(async () => {
    const last = `round ${++rounds}`;
    // A request goes to the instance with the fewest.
    const hearing = Array.from({ length: 4 }, () => valor.ask(`/${plugin}/hear?last=${encodeURIComponent(last)}`));
    await sleep(20); // until all listen
    const said = await trySay(plugin, { last });
    const answers = await Promise.all(hearing);
    if (!said || answers.some(({ status }) => status !== 200)) return false;
    all.clear();
    for (const answer of answers) all.set(answer.json().id, answer.json());
    return all.size === 4;
  }, 'four instances that hear');
  return [...all.values()];
}

const without = (heard: Message[]): Message[] => heard.filter(({ last }) => last === undefined);

test('every instance hears what one says, and no other plug-in does', async () => {
  await heardByAll('plain');
  await say('plain', { a: 1 }, { b: [2] });
  for (const { heard } of await heardByAll('plain')) assert.deepEqual(without(heard), [{ a: 1 }, { b: [2] }]);
  for (const { heard } of await heardByAll('replaced')) assert.deepEqual(without(heard), []);
});

test('in a flood from several each hears the messages of each in order, and requests are answered meanwhile', async () => {
  await heardByAll('flooded');
  const count = 2000;
  const flood = Promise.all(Array.from({ length: 8 }, () => get(`/flooded/count?to=${count}`)));
  assert.equal((await valor.ask('/_health')).status, 200);
  await get('/flooded/hello');
  const senders = (await flood).map(({ id }) => id as string);
  // What an instance says to itself may overtake what the others have said before.
  const all = await eventually(async () => {
    const answers = await heardByAll('flooded');
    return answers.every(({ heard }) => without(heard).length === 8 * count) && answers;
  }, 'the end of the flood');
  for (const { heard } of all) {
    const next = new Map<string, number>();
    for (const { from, n } of without(heard)) {
      assert.equal(n, next.get(from) ?? 0);
      next.set(from, (n + 1) % count);
    }
    assert.deepEqual(new Set(next.keys()), new Set(senders));
  }
});

test('an instance that falls behind misses messages, is told so, and goes on; who misses none is told nothing', async () => {
  await heardByAll('behind');
  const behind = new Set<string>();
  let shouted = 0;
  // On a busy machine all may be said only after it has caught up.
  await eventually(async () => {
    const busy = get('/behind/busy?ms=2000');
    await sleep(100);
    for (let n = 0; n < 10; n++) await get('/behind/shout?mib=4');
    shouted += 40;
    behind.add((await busy).id);
    await heardByAll('behind');
    return /BroadcastChannel "news": the instance did not keep up and missed \d+ messages/.test(valor.log);
  }, 'messages that are missed');
  const missing: string[] = [];
  for (const { id, heard } of await heardByAll('behind')) {
    const texts = heard.filter((message) => message === '1048576 characters').length;
    assert.equal(heard.includes('missed'), texts < shouted, `${texts} of ${shouted}`);
    if (texts < shouted) missing.push(id);
  }
  assert.ok(missing.some((id) => behind.has(id)));
});

for (const [plugin, does] of [
  ['looping', 'loop'],
  ['hoarding', 'hoard'],
] as const) {
  test(`an instance whose listener goes on to ${does} is replaced; the others hear on, and so does the new one`, async () => {
    const before = (await heardByAll(plugin)).map(({ id }) => id);
    const victim = before[0]!;
    await say(plugin, { to: victim, does });
    await eventually(async () => !(await heardByAll(plugin)).some(({ id }) => id === victim), 'another instance');
    await say(plugin, { after: does });
    for (const { id, heard } of await heardByAll(plugin)) {
      assert.deepEqual(heard.filter(({ after }) => after).length, 1, id);
    }
  });
}

test('the instances of a new version take the place of the old ones', async () => {
  const before = new Set((await heardByAll('replaced')).map(({ id }) => id));
  const answer = await valor.ask('/_plugins/replaced', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(definition('replaced')),
  });
  assert.equal(answer.status, 200, answer.text);
  await say('replaced', { for: 'the new' });
  for (const { id, heard } of await heardByAll('replaced')) {
    assert.ok(!before.has(id));
    assert.deepEqual(without(heard), [{ for: 'the new' }]);
  }
});
