// Every plug-in of examples/plugins.json answers what `make run` says it answers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root, serveExamples } from './harness.ts';

const valor = await serveExamples();
after(() => valor.stop());

test('no example fails to load', () => {
  assert.doesNotMatch(valor.log, /failed/);
});

test('hello and with-state, in JavaScript, TypeScript, C++, C and AssemblyScript', async () => {
  assert.equal((await valor.ask('/hello/world')).text, 'Hello from GET /world\n');
  assert.equal((await valor.ask('/hello-ts')).text, 'Hello from TypeScript, 0 bytes received\n');
  assert.equal((await valor.ask('/hello-cpp')).status, 200);
  assert.equal((await valor.ask('/hello-cpp-wasm')).status, 200);
  for (const name of ['hello-c', 'hello-c-wasm', 'hello-assemblyscript']) {
    assert.equal((await valor.ask(`/${name}/x`)).text, 'OK response from a plugin', name);
  }
  for (const name of [
    'with-state',
    'with-state-cpp',
    'with-state-cpp-wasm',
    'with-state-c',
    'with-state-assemblyscript',
  ]) {
    assert.equal((await valor.ask(`/${name}?who=Bob`)).text, 'Alice says hello Bob!', name);
    assert.equal((await valor.ask(`/${name}`)).status, 400, name);
  }
});

test('fetch, hono, primes, transfer, site', async () => {
  assert.deepEqual((await valor.ask('/fetch/greet/Ada')).json(), { greeting: 'Hello, Ada!' });
  assert.equal((await valor.ask('/fetch/greet/Ada', { method: 'POST' })).status, 405);
  assert.equal((await valor.ask('/hono/books')).json().length, 2);
  assert.deepEqual((await valor.ask('/primes?n=100000')).json(), { n: 100_000, primes: 9592 });
  assert.deepEqual((await valor.ask('/transfer/up', { method: 'PUT', body: 'x'.repeat(100_000) })).json(), {
    bytes: 100_000,
  });
  assert.equal((await valor.ask('/transfer/down?bytes=1234567')).bytes.length, 1_234_567);
  for (const kind of ['cpp', 'cpp-wasm']) {
    assert.deepEqual((await valor.ask(`/primes-${kind}?n=100000`)).json(), { n: 100_000, primes: 9592 });
    assert.equal((await valor.ask(`/transfer-${kind}/down?bytes=1234567`)).bytes.length, 1_234_567);
    const counted = await valor.ask(`/transfer-${kind}/up`, { method: 'PUT', body: 'x'.repeat(100_000) });
    assert.match(counted.text, /100000/);
  }
  assert.match((await valor.ask('/site/')).text, /Static files/);
});

test('a GraphQL server: queries, mutations, what is wrong with them', async () => {
  const ask = (query: string, variables: object = {}) =>
    valor.ask('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
    });
  const title = 'Hints on Programming Language Design';
  const add =
    'mutation($title: String!, $author: String!) { addBook(title: $title, year: 1973, author: $author) { year } }';
  assert.deepEqual((await ask(add, { title, author: 'Tony Hoare' })).json().data, { addBook: { year: 1973 } });
  const answer = await ask('{ books(since: 1970) { title author { books { title } } } }');
  assert.equal(answer.headers['content-type'], 'application/graphql-response+json; charset=utf-8');
  const { books } = answer.json().data;
  assert.deepEqual(
    books.map((book: { title: string }) => book.title),
    ['Communicating Sequential Processes', title],
  );
  assert.equal(books[0].author.books.length, 2);
  assert.equal((await ask(add, { title, author: 'Nobody' })).json().errors[0].message, 'no author is named Nobody');
  const wrong = await ask('{ films }');
  assert.equal(wrong.status, 400);
  assert.match(wrong.json().errors[0].message, /Cannot query field "films"/);
});

test('remote procedures on tRPC: queries, mutations, several at once, input that does not fit', async () => {
  const call = (name: string, input: unknown) =>
    valor.ask(`/trpc/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
  const { id } = (await call('add', { title: 'test it' })).json().result.data;
  assert.deepEqual((await call('finish', { id })).json().result.data, { title: 'test it', done: true });
  assert.equal((await call('finish', { id: 99 })).status, 404);
  assert.equal((await call('add', { title: '' })).status, 400);
  const both = (await valor.ask('/trpc/list,nothing?batch=1&input={}')).json();
  assert.deepEqual(both[0].result.data.at(-1), { id, title: 'test it', done: true });
  assert.equal(both[1].error.data.code, 'NOT_FOUND');
});

test('Markdown to HTML', async () => {
  const body = '# Grüße\n\n| a | b |\n|---|---|\n| *1* | `2` |\n';
  const answer = await valor.ask('/markdown', { method: 'POST', body });
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(answer.text, /^<h1>Grüße<\/h1>\n<table>.*<td><em>1<\/em><\/td>\n<td><code>2<\/code><\/td>/s);
  assert.match((await valor.ask('/markdown?page', { method: 'POST', body })).text, /^<!doctype html>.*<h1>Grüße/s);
  assert.match((await valor.ask('/markdown')).text, /<td><code>page<\/code><\/td>/);
  assert.equal((await valor.ask('/markdown', { method: 'DELETE' })).status, 405);
});

const json = (body: object) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

test('notes are made, listed, found, changed and deleted', async () => {
  const notes = (path: string, method = 'GET', body?: object) =>
    valor.ask(`/notes/${path}`, { method, ...(body && json(body)) });
  assert.deepEqual((await notes('')).json(), { kept: 'memory', notes: [] });
  const made = await notes('', 'POST', { text: '# Crème brûlée\n\n- **cream**, eggs\n' });
  assert.equal(made.status, 201);
  const { id, changed } = made.json();
  assert.equal(made.headers.location, `./${id}`);
  await notes('', 'POST', { text: 'Shopping\n\nCream, and more cream' });
  await notes('', 'POST', { text: 'Nothing of that' });
  const listed = (await notes('')).json().notes;
  assert.deepEqual(
    listed.map(({ title }: { title: string }) => title),
    ['Nothing of that', 'Shopping', 'Crème brûlée'],
  );
  assert.deepEqual(listed[2], { id, title: 'Crème brûlée', excerpt: 'cream, eggs', changed });

  // Every word, without accents and case; titles count more.
  const find = async (words: string) =>
    (await notes(`?q=${encodeURIComponent(words)}`)).json().notes.map(({ title }: { title: string }) => title);
  assert.deepEqual(await find('BRULEE cream'), ['Crème brûlée']);
  assert.deepEqual(await find('creme'), ['Crème brûlée']);
  assert.deepEqual(await find('cream'), ['Shopping', 'Crème brûlée']);
  assert.deepEqual(await find('cream butter'), []);

  assert.equal((await notes(id, 'PUT', { text: 'new' })).json().text, 'new');
  assert.equal((await notes(id, 'PUT', { text: 'from long ago', changed: 1 })).json().text, 'new');
  assert.equal((await notes(id)).json().text, 'new');
  assert.equal((await notes(id, 'DELETE')).status, 204);
  assert.equal((await notes(id)).status, 404);
  const whole = (await notes('?whole')).json().notes;
  assert.deepEqual({ ...whole[0], changed }, { id, text: '', changed, deleted: true });
  assert.equal((await notes('')).json().notes.length, 2);
});

test('notes that cannot be kept', async () => {
  const refused = async (method: string, path: string, options: object) =>
    (await valor.ask(`/notes/${path}`, { method, ...options })).status;
  assert.equal(await refused('POST', '', { body: '{"text":"x"}' }), 415);
  assert.equal(await refused('POST', '', json({ words: 'x' })), 400);
  assert.equal(await refused('POST', '', json({ text: 'x'.repeat(100_001) })), 413);
  assert.equal(await refused('PUT', '..%2fx', json({ text: 'x' })), 400);
  assert.equal(await refused('PUT', 'x', json({ text: 'x', changed: 'now' })), 400);
  assert.equal(await refused('PATCH', '', json({ text: 'x' })), 405);
});

test('the notes of /notes-shared are others than those of /notes', async () => {
  await valor.ask('/notes-shared/only-here', { method: 'PUT', ...json({ text: 'x' }) });
  assert.equal((await valor.ask('/notes-shared/only-here')).json().text, 'x');
  assert.equal((await valor.ask('/notes/only-here')).status, 404);
});

const preview = async (body: string): Promise<string> =>
  (await valor.ask('/notes-preview', { method: 'POST', body })).text;

test('the preview of a note: what Markdown can do', async () => {
  const cases: [string, string][] = [
    ['# One *two*\n\nthree\nfour  \nfive', '<h1>One <em>two</em></h1>\n<p>three\nfour<br>\nfive</p>\n'],
    [
      '***a** b* snake_case_x ~~c~~ `<d>`',
      '<p><em><strong>a</strong> b</em> snake_case_x <del>c</del> <code>&lt;d&gt;</code></p>\n',
    ],
    [
      '- a\n  - b\n- [x] c',
      '<ul>\n<li>a\n<ul>\n<li>b\n</li>\n</ul>\n</li>\n<li><input type="checkbox" checked disabled> c\n</li>\n</ul>\n',
    ],
    ['3. a\n\n4. b', '<ol start="3">\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ol>\n'],
    ['> a\nb\n\nc', '<blockquote>\n<p>a\nb</p>\n</blockquote>\n<p>c</p>\n'],
    ['```js\n# <x>\n```', '<pre><code class="language-js"># &lt;x&gt;\n</code></pre>\n'],
    [
      '|a|b|\n|-|-|\n|1|',
      '<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td></td>\n</tr>\n</tbody>\n</table>\n',
    ],
    ['a [b *c*](/d?e&f "g") \\*h\\*', '<p>a <a href="/d?e&amp;f" rel="noopener noreferrer">b <em>c</em></a> *h*</p>\n'],
    [
      'see https://example.org/a_b_c.',
      '<p>see <a href="https://example.org/a_b_c" rel="noopener noreferrer">https://example.org/a_b_c</a>.</p>\n',
    ],
    ['---\nA\n===', '<hr>\n<h1>A</h1>\n'],
  ];
  for (const [markdown, html] of cases) assert.equal(await preview(markdown), html, markdown);
});

test('the preview of a note holds no HTML of the note, and leads to no script', async () => {
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](\u0001javascript:alert(1))',
    '[x](java\u0000script:alert(1))',
    '![x](data:text/html,<b>)',
    '[x](vbscript:x)',
    '<javascript:alert(1)>',
    '[x](/a"onclick="alert(1))',
    '![a"onerror="alert(1)](/b)',
    '```"><script>\nx\n```',
    '`<b>`',
    '|<b>|\n|-|\n|<i>|',
    'https://x.org/"onclick="alert(1)',
    '<https://x.org/"onclick="alert(1)>',
    '[![x](javascript:alert(1))](javascript:alert(1))',
  ];
  const tags = /^<\/?(p|a|img|pre|code|table|thead|tbody|tr|th|td)( (href|src|alt|rel|class)="[^"<>]*")*>$/;
  for (const text of hostile) {
    const html = await preview(text);
    for (const [tag] of html.matchAll(/<[^>]*>/g)) assert.match(tag, tags, text);
    assert.doesNotMatch(html, /(href|src)="[^"]*(script|data):/i, text);
  }
});

test('the preview of a note takes no longer for hostile text', async () => {
  for (const text of ['[![a](b)', '*a _b', '[](', '`a``b', '> ', '- a\n  ', '|a', '**a *b ']) {
    const answer = await valor.ask('/notes-preview', {
      method: 'POST',
      body: text.repeat(1_000_000 / text.length),
      patientMs: 5000,
    });
    assert.equal(answer.status, 200, text);
  }
  assert.equal((await valor.ask('/notes-preview', { method: 'POST', body: 'x'.repeat(1_100_000) })).status, 413);
});

test('the statistics of a note', async () => {
  const answer = await valor.ask('/notes-statistics', {
    method: 'POST',
    body: '# Bread\n\nFlour, water. Water again!\n',
  });
  assert.deepEqual(answer.json(), {
    words: 5,
    characters: 36,
    sentences: 3,
    paragraphs: 2,
    seconds: 2,
    ease: 70,
    frequent: [['water', 2]],
  });
  assert.equal((await valor.ask('/notes-statistics', { method: 'POST', body: '' })).json().ease, null);
  assert.equal((await valor.ask('/notes-statistics')).status, 405);
});

test('the notes page keeps all of its files for offline, and keeps scripts of elsewhere out', async () => {
  const page = (await valor.ask('/notes-app/')).text;
  assert.match(page, /content="default-src 'self'; script-src 'self' /);
  const precache = /data-precache="(.*)"/.exec(page)![1]!.split(' ');
  const files = readdirSync(join(root, 'examples/notes/notes-app'));
  assert.deepEqual(precache.toSorted(), files.map((file) => (file === 'index.html' ? './' : file)).toSorted());
  for (const file of precache) assert.equal((await valor.ask(`/notes-app/${file}`)).status, 200, file);
});

test('what `make run` says to try is there', async () => {
  const text = execFileSync(join(root, 'tools/what-to-try'), { encoding: 'utf8' });
  const paths = [...text.matchAll(/http:\/\/127\.0\.0\.1:8080(\/[^\s']*)/g)].map(([, path]) => path!);
  assert.ok(paths.length > 8);
  for (const path of paths.filter((path) => !path.startsWith('/proxy/'))) {
    const method = path === '/transfer/up' ? 'PUT' : path === '/notes-statistics' ? 'POST' : 'GET';
    assert.equal((await valor.ask(path.replace('bytes=1000000000', 'bytes=1000'), { method })).status, 200, path);
  }
});

test('what `make run` says follows the port', () => {
  assert.match(
    execFileSync(join(root, 'tools/what-to-try'), ['-w', '--port', '9123'], { encoding: 'utf8' }),
    /127\.0\.0\.1:9123\/hello/,
  );
});
