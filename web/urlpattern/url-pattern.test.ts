import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

const { run } = createPlatform();

const patternOf = (code: string): Record<string, string> =>
  run(`(() => { const p = new URLPattern(${code});
    return { protocol: p.protocol, username: p.username, password: p.password, hostname: p.hostname, port: p.port,
      pathname: p.pathname, search: p.search, hash: p.hash }; })()`);

test('a constructor string is taken apart; what comes before its first part is empty, what comes after is anything', () => {
  assert.deepEqual(
    { ...patternOf("'https://:sub.example.com:8080/a/:id(\\\\d+)/?x=*#end'") },
    {
      protocol: 'https',
      username: '*',
      password: '*',
      hostname: ':sub.example.com',
      port: '8080',
      pathname: '/a/:id(\\d+)/',
      search: 'x=*',
      hash: 'end',
    },
  );
  const relative = patternOf("'?q=1', 'https://example.com/a/b'");
  assert.deepEqual(
    [relative.hostname, relative.pathname, relative.search, relative.hash],
    [...['example.com', '/a/b', 'q=1', '*']],
  );
  assert.equal(patternOf("'https://example.com:443/'").port, '');
});

test('groups are found by their names, and by numbers where they have none', () => {
  assert.deepEqual(
    JSON.parse(
      run(`
      const users = new URLPattern({ pathname: '/users/:id(\\\\d+)/{:tab.html}?', ignoreCase: false });
      const files = new URLPattern('/files/*.:type', 'https://example.com');
      JSON.stringify([
        users.exec({ pathname: '/users/42/posts.html' }).pathname.groups,
        users.exec({ pathname: '/users/42/' }).pathname.groups,
        users.exec({ pathname: '/users/x/' }),
        files.exec('https://example.com/files/a/b.css').pathname.groups,
        files.exec('./files/c.js', 'https://example.com').inputs,
        new URLPattern('/a', 'https://e.com', { ignoreCase: true }).test('https://e.com/A'),
        new URLPattern({ pathname: '/:__proto__' }).exec({ pathname: '/x' }).pathname.groups,
      ])`),
    ),
    [
      { id: '42', tab: 'posts' },
      { id: '42' },
      null,
      { 0: 'a/b', type: 'css' },
      ['./files/c.js', 'https://example.com'],
      true,
      JSON.parse('{"__proto__":"x"}'),
    ],
  );
});

test('parts are repeated with what stands between them', () => {
  for (const [pattern, matching, other] of [
    ['/a/:b*', ['/a', '/a/x', '/a/x/y'], ['/a/', '/b']],
    ['/a/:b+', ['/a/x', '/a/x/y'], ['/a', '/a/']],
    ['/a{/b}?', ['/a', '/a/b'], ['/a/b/b']],
    ['/a/(\\\\w{2,3})', ['/a/xy', '/a/xyz'], ['/a/x', '/a/x_yz']],
    ['/\\\\:a', ['/:a'], ['/a']],
  ] as [string, string[], string[]][]) {
    const matches = (pathname: string): boolean =>
      run(`new URLPattern({ pathname: '${pattern}' }).test({ pathname: '${pathname}' })`);
    for (const pathname of matching) assert.equal(matches(pathname), true, `${pattern} ${pathname}`);
    for (const pathname of other) assert.equal(matches(pathname), false, `${pattern} ${pathname}`);
  }
});

test('fixed text is written as in a URL, and a pattern gives itself again', () => {
  assert.equal(patternOf("{ hostname: 'EXÄMPLE.com' }").hostname, 'xn--exmple-cua.com');
  assert.equal(patternOf("{ pathname: '/ü/../x/:a' }").pathname, '/x/:a');
  assert.equal(patternOf("{ protocol: 'data', pathname: '/ü/../x' }").pathname, '/%C3%BC/../x');
  for (const pathname of [
    '/{a:b}c',
    '/:a(.*)',
    '/a{/:b}',
    '/:a-:b',
    '/{:a\\\\b}',
    '/(.*)(.*)',
    '{/}*',
    '/a*?',
    '/:a(x|y)+',
  ]) {
    const first = patternOf(`{ pathname: '${pathname}' }`).pathname as string;
    assert.equal(patternOf(`{ pathname: ${JSON.stringify(first)} }`).pathname, first, pathname);
  }
});

test('a wrong pattern is a TypeError that says where', () => {
  for (const [code, message] of [
    ["{ pathname: '/a/(' }", /does not end at index 3/],
    ["{ pathname: '/(a(b))' }", /capturing group/],
    ["{ pathname: '/:a/:a' }", /'a' twice/],
    ["{ pathname: '/a}' }", /'}' at index 2/],
    ["{ pathname: '/:' }", /name is missing at index 1/],
    ["{ pathname: '/([b-a])' }", /wrong regular expression/],
    ["{ hostname: 'a b' }", /'a b' can be no such part/],
    ["'/relative'", /no base URL/],
    ["{}, 'https://example.com'", /dictionary/],
    ["{ baseURL: 'no' }", /'no' is no URL/],
  ] as [string, RegExp][]) {
    assert.throws(() => run(`new URLPattern(${code})`), { name: 'TypeError', message }, code);
  }
  assert.throws(() => run("new URLPattern().test({}, 'https://example.com')"), { name: 'TypeError' });
  assert.throws(() => run('URLPattern()'), { name: 'TypeError' });
  assert.equal(run("new URLPattern().test('no URL')"), false);
});

test('compareComponent puts the more particular pattern above', () => {
  const sorted = run(`
    ['*', '/a/*', '/a/:b', '/a/b', '/a/(b)', '/a/:b?', ''].map((pathname) => new URLPattern({ pathname }))
      .sort((a, b) => URLPattern.compareComponent('pathname', b, a)).map((pattern) => pattern.pathname)`);
  assert.deepEqual([...sorted], ['/a/b', '/a/(b)', '/a/:b', '/a/:b?', '/a/*', '*', '']);
});
