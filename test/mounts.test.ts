// Where requests go: mounts and what cannot escape them.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { serve, web } from './harness.ts';
import { raw } from './raw.ts';

const valor = await serve([
  web('echo.js', { name: 'hello' }),
  web('echo.js', { name: 'longer', prefix: 'hello/there' }),
  web('echo.js', { name: 'files', prefix: 'secret/files' }),
]);
const withRoot = await serve([web('echo.js', { name: 'root', prefix: '/' }), web('echo.js', { name: 'below' })]);
after(() => Promise.all([valor.stop(), withRoot.stop()]));

const plugin = async (path: string) => (await valor.ask(path)).headers['x-valor-plugin'];

test('the longest mount wins', async () => {
  assert.equal(await plugin('/hello/x'), 'hello');
  assert.equal(await plugin('/hello/there'), 'longer');
  assert.equal(await plugin('/hello/there/x'), 'longer');
  assert.equal(await plugin('/hello/therex'), 'hello');
});

test('a mount does not answer a longer word', async () => {
  for (const path of ['/hellox', '/hell', '/', '/HELLO', '/secret', '/secret/filesx']) {
    const answer = await valor.ask(path);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.headers['x-valor-plugin'], undefined, path);
  }
});

test('404 is problem+json with the request id', async () => {
  const answer = await valor.ask('/nowhere', { headers: { 'x-request-id': 'id-1' } });
  assert.equal(answer.status, 404);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers['x-correlation-id'], 'id-1');
  const problem = answer.json();
  assert.equal(problem.status, 404);
  assert.equal(problem.type, 'about:blank');
  assert.equal(problem.title, 'Not Found');
  assert.equal(problem.request_id, 'id-1');
  assert.equal(typeof problem.detail, 'string');
});

test('dot segments, encoded or not, are resolved before the mount is looked for', async () => {
  assert.equal((await valor.ask('/secret/files/../x')).status, 404);
  assert.equal((await valor.ask('/secret/files/%2e%2e/x')).status, 404);
  assert.equal((await valor.ask('/secret/files/%2E./x')).status, 404);
  assert.equal((await valor.ask('/hello/there/%2e%2e/x')).headers['x-valor-plugin'], 'hello');
  assert.equal((await valor.ask('/hello/there/%2e%2e/x')).json().url, 'x');
  assert.equal((await valor.ask('/x/../hello/y')).json().url, 'y');
  assert.equal((await valor.ask('/hello/./y')).json().url, 'y');
});

test('an encoded slash is no slash', async () => {
  assert.equal((await valor.ask('/hello%2Fthere')).status, 404);
  assert.equal((await valor.ask('/hello/..%2F..%2Fx')).json().url, '..%2F..%2Fx');
});

test('a percent-encoded character is that character', async () => {
  assert.equal(await plugin('/%68ello/x'), 'hello');
});

test('the rest of the path cannot be read as another address', async () => {
  for (const path of ['/hello//evil.example/x', '/hello/http://evil.example/', '/hello/\\\\evil.example']) {
    const seen = (await valor.ask(path)).json();
    assert.ok(seen.public.startsWith(`${valor.url}/hello/`), `${path}: ${seen.public}`);
  }
});

test('a mount at the root answers what no other mount answers', async () => {
  assert.equal((await withRoot.ask('/below/x')).headers['x-valor-plugin'], 'below');
  const answer = await withRoot.ask('/anything/else');
  assert.equal(answer.headers['x-valor-plugin'], 'root');
  assert.equal(answer.json().url, 'anything/else');
  assert.equal(answer.json().public, `${withRoot.url}/anything/else`);
  assert.equal((await withRoot.ask('/')).json().url, '');
});

test('an absolute-form target is routed by its path', async () => {
  const answer = await raw(valor.port, (connection) =>
    connection.send('GET http://other.example/hello/x HTTP/1.1\r\nhost: other.example\r\n\r\n').response(),
  );
  assert.equal(JSON.parse(answer.body).url, 'x');
});
