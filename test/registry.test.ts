// /_plugins: plug-ins are listed, added, replaced and removed while the server runs.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AskOptions, pluginPath, serve, sleep, temporaryFolder, web } from './harness.ts';

const valor = await serve([web('echo.js'), web('throws-at-load.js')], ['-w']);
after(() => valor.stop());

const json = { 'content-type': 'application/json' };
const send = (method: string, path: string, definition: unknown) =>
  valor.ask(path, {
    method,
    headers: json,
    body: typeof definition === 'string' ? definition : JSON.stringify(definition),
  });

test('without -w there is no registry', async () => {
  const own = await serve([web('echo.js')]);
  assert.equal((await own.ask('/_plugins')).status, 404);
  await own.stop();
});

test('GET lists every plug-in with its definition and state, failed ones with the reason', async () => {
  const answer = await valor.ask('/_plugins');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/json');
  const { plugins } = answer.json();
  const byName = Object.fromEntries(plugins.map((plugin: { name: string }) => [plugin.name, plugin]));
  assert.equal(byName.echo.state, 'running');
  assert.equal(byName.echo.definition.prefix, 'echo');
  assert.equal(byName.echo.definition.type, 'web');
  assert.equal(byName.echo.version, 1);
  assert.equal(byName['throws-at-load'].state, 'failed');
  assert.match(byName['throws-at-load'].error, /no start on purpose/);
});

test('POST adds: 201 with the entry, and it answers at once', async () => {
  const answer = await send('POST', '/_plugins', web('config.js', { name: 'added', prefix: 'new/place', config: 5 }));
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.headers.location, '/_plugins/added');
  assert.equal(answer.json().state, 'running');
  assert.deepEqual((await valor.ask('/new/place')).json(), { config: 5 });
});

test('POST of a taken name or mount gets 409', async () => {
  assert.equal((await send('POST', '/_plugins', web('config.js', { name: 'echo' }))).status, 409);
  assert.equal((await send('POST', '/_plugins', web('config.js', { name: 'other', prefix: '/echo/' }))).status, 409);
  assert.equal((await send('POST', '/_plugins', web('config.js', { name: 'other', prefix: '_health' }))).status, 409);
});

test('POST of what is no definition gets 400 and says what was expected', async () => {
  for (const [body, words] of [
    ['{"type":', /request body/],
    ['[]', /request body/],
    [{ type: 'web', name: 'x' }, /url/],
    [{ type: 'web', name: 'x', url: 'x.js', limits: { timout_ms: 5 } }, /timout_ms.*timeout_ms/],
    [{ type: 'python', name: 'x' }, /type/],
  ] as const) {
    const answer = await send('POST', '/_plugins', body);
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.match(answer.json().detail, words);
  }
  assert.equal(
    (await valor.ask('/_plugins', { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } })).status,
    415,
  );
});

test('POST of a plug-in that cannot start gets 422 with the reason, and it is not added', async () => {
  const answer = await send('POST', '/_plugins', web('throws-at-load.js', { name: 'hopeless' }));
  assert.equal(answer.status, 422);
  assert.match(answer.json().detail, /no start on purpose/);
  assert.equal((await valor.ask('/_plugins/hopeless')).status, 404);
  assert.equal((await valor.ask('/hopeless')).status, 404);
  assert.equal((await send('POST', '/_plugins', web('absent.js', { name: 'hopeless' }))).status, 422);
});

test('GET of one plug-in, 404 for an unknown one, 405 for an unknown method', async () => {
  assert.equal((await valor.ask('/_plugins/echo')).json().name, 'echo');
  assert.equal((await valor.ask('/_plugins/nobody')).status, 404);
  assert.equal((await send('DELETE', '/_plugins/nobody', '')).status, 404);
  const answer = await send('PATCH', '/_plugins/echo', '{}');
  assert.equal(answer.status, 405);
  assert.match(String(answer.headers.allow), /DELETE/);
});

test('counters of a plug-in grow', async () => {
  const before = (await valor.ask('/_plugins/echo')).json();
  await valor.ask('/echo');
  await valor.ask('/echo');
  const now = (await valor.ask('/_plugins/echo')).json();
  assert.equal(now.requests, before.requests + 2);
  assert.equal(now.failures, before.failures);
  assert.equal(now.in_flight, 0);
});

test('PUT replaces under load without one failed request', async () => {
  const folder = temporaryFolder();
  const version = (n: number) => {
    const file = join(folder, `v${n}.js`);
    writeFileSync(
      file,
      `onmessage = ({ data }) => setTimeout(() => postMessage({ status: 200, body: '${n}',
      headers: [['x-correlation-id', data.headers.find(([name]) => name === 'x-request-id')[1]]] }), Math.random() * 10);`,
    );
    return { type: 'web', name: 'versioned', url: file };
  };
  assert.equal((await send('POST', '/_plugins', version(1))).status, 201);

  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const options: AskOptions = { agent };
  const seen = new Set<string>();
  let running = true;
  let requests = 0;
  const clients = Array.from({ length: 8 }, async () => {
    while (running) {
      const answer = await valor.ask('/versioned', options);
      assert.equal(answer.status, 200, answer.text);
      seen.add(answer.text);
      requests++;
    }
  });
  for (let n = 2; n <= 6; n++) {
    await sleep(60);
    const answer = await send('PUT', '/_plugins/versioned', version(n));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().version, n);
    assert.equal((await valor.ask('/versioned')).text, String(n), 'new requests go to the new version');
  }
  running = false;
  await Promise.all(clients);
  agent.destroy();
  assert.ok(seen.has('1') && seen.has('6') && requests > 50, `${requests} requests saw versions ${[...seen]}`);
});

test('PUT of a version that cannot start gets 422 and the old one stays', async () => {
  await send('POST', '/_plugins', web('config.js', { name: 'stays', config: 'old' }));
  assert.equal((await send('PUT', '/_plugins/stays', web('throws-at-load.js', { name: 'stays' }))).status, 422);
  assert.deepEqual((await valor.ask('/stays')).json(), { config: 'old' });
});

test('PUT of a name that is free adds it, and a name that differs from the address gets 400', async () => {
  assert.equal((await send('PUT', '/_plugins/fresh', { type: 'web', url: pluginPath('config.js') })).status, 201);
  assert.equal((await valor.ask('/fresh')).status, 200);
  assert.equal((await send('PUT', '/_plugins/fresh', web('config.js'))).status, 400);
});

test('DELETE finishes what runs, then the plug-in is gone', async () => {
  await send('POST', '/_plugins', web('later.js', { name: 'leaving' }));
  const running = Array.from({ length: 5 }, (_, i) => valor.ask(`/leaving?ms=${200 + i * 20}&text=${i}`));
  await sleep(80);
  const removed = await send('DELETE', '/_plugins/leaving', '');
  assert.equal(removed.status, 204);
  for (const [i, answer] of (await Promise.all(running)).entries()) assert.match(answer.text, new RegExp(`^${i} `));
  assert.equal((await valor.ask('/leaving')).status, 404);
  assert.equal((await valor.ask('/_plugins/leaving')).status, 404);
  assert.equal((await send('POST', '/_plugins', web('later.js', { name: 'leaving' }))).status, 201);
});

test('plug-ins come and go hundreds of times without a trace', async () => {
  for (let i = 0; i < 100; i++) {
    assert.equal((await send('POST', '/_plugins', web('config.js', { name: 'guest' }))).status, 201);
    assert.equal((await send('DELETE', '/_plugins/guest', '')).status, 204);
  }
  assert.equal((await valor.ask('/echo')).status, 200);
});

test('with a token: 401 without one, 403 with a wrong one, fine with the right one', async () => {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, 's3cret\n');
  const own = await serve([web('echo.js')], ['-w', '--admin-token-file', file]);
  const ask = (authorization?: string) => own.ask('/_plugins', { headers: authorization ? { authorization } : {} });
  const none = await ask();
  assert.equal(none.status, 401);
  assert.match(String(none.headers['www-authenticate']), /^Bearer/);
  assert.equal((await ask('Bearer wrong')).status, 403);
  assert.equal((await ask('Basic s3cret')).status, 401);
  assert.equal((await ask('Bearer s3cret')).status, 200);
  assert.equal(
    (await own.ask('/_plugins', { method: 'POST', headers: json, body: JSON.stringify(web('config.js')) })).status,
    401,
  );
  assert.equal((await own.ask('/echo')).status, 200, 'plug-ins need no token');
  await own.stop();
});

test('without a token a web page of another origin is refused', async () => {
  assert.equal((await valor.ask('/_plugins', { headers: { host: 'rebound.example' } })).status, 403);
  assert.equal((await valor.ask('/_plugins', { headers: { origin: 'https://evil.example' } })).status, 403);
  assert.equal((await valor.ask('/_plugins', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
});
