import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlatform } from '../test/platform.ts';

const { run, global } = createPlatform();
const names = [
  ...(['href', 'origin', 'protocol', 'username', 'password', 'host'] as const),
  ...(['hostname', 'port', 'pathname', 'search', 'hash'] as const),
];

// Expected: what the URL class of the host says, which passes the Web Platform Tests.
const inputs: [string, string?][] = [
  ['http://user:pa%20ss@Example.ORG:8080/a/../b/./c?q=1&r#frag'],
  ['https://h:443/'],
  ['http://h?#'],
  ['http://user@h'],
  ['http://:pw@h'],
  ['x?y', 'http://127.0.0.1:8080/hi/'],
  ['', 'http://127.0.0.1:8080/hi/?q#f'],
  ['//other/p', 'https://h/'],
  ['?only', 'http://h/a/b'],
  ['mailto:a@b.c'],
  ['data:text/plain,hello world#x'],
  ['file:///C|/x/../y'],
  ['file://host/share'],
  ['blob:https://h/uuid'],
  ['blob:ftp://h/uuid'],
  ['web+demo:/.//not-a-host/'],
  ['foo://h:99/p'],
  ['http://[::1]:3000/x'],
  ['http://0x7f.1/'],
  ['http://b\u00fccher.example/stra\u00dfe?\u00fc#\u00fc'],
  [' \thttp://h/\n a '],
  ['http://h/\ud800'],
  ['ws://h:80/', undefined],
];

test('URLs are parsed into the parts of the standard', () => {
  for (const [input, base] of inputs) {
    const ours = new global.URL(input, base);
    const theirs = new URL(input, base);
    for (const name of names) assert.equal(ours[name], theirs[name], `${input} ${name}`);
    assert.equal(String(ours), theirs.href);
    assert.equal(JSON.stringify({ ours }), JSON.stringify({ ours: theirs }));
  }
});

test('what is no URL throws a TypeError, and can be asked beforehand', () => {
  for (const args of ["'x'", "''", "'http://['", "'http://h:99999'", "'x', 'y'", "'http://a b/'", '', 'Symbol()']) {
    assert.throws(() => run(`new URL(${args})`), { name: 'TypeError' }, args);
  }
  assert.equal(
    run("[URL.canParse('x'), URL.canParse('x', 'http://h'), URL.parse('x'), URL.parse('http://h').href].join()"),
    'false,true,,http://h/',
  );
  assert.throws(() => run('URL.prototype.href'), { name: 'TypeError' });
});

test('a text longer than 2 MiB is no URL', () => {
  assert.equal(
    run("[URL.canParse('http://h/' + 'x'.repeat(2 ** 21)), URL.canParse('http://h/' + 'x'.repeat(2 ** 20))].join()"),
    'false,true',
  );
  assert.equal(run("{ const url = new URL('http://h/p'); url.pathname = 'x'.repeat(2 ** 22); url.pathname }"), '/p');
});

test('parts can be set, and refuse what does not fit', () => {
  const changes: [string, (typeof names)[number], string][] = [
    ['http://h/', 'protocol', 'https'],
    ['http://h/', 'protocol', 'foo'],
    ['http://h:8080/', 'port', '80'],
    ['http://h:8080/', 'port', 'x'],
    ['http://h/', 'port', '70000'],
    ['http://h/', 'host', 'x:81'],
    ['http://h/', 'hostname', 'a b'],
    ['http://h/', 'username', '\u00fc@'],
    ['http://h/', 'password', 'p:w'],
    ['mailto:a', 'username', 'x'],
    ['http://h/a?b#c', 'pathname', 'x y?'],
    ['http://h/a?b#c', 'search', ''],
    ['http://h/a?b#c', 'search', '?x=#'],
    ['http://h/a?b#c', 'hash', ''],
    ['http://h/a?b#c', 'hash', '#\u00fc'],
    ['http://h/', 'href', 'https://user:pw@other:1/p?q#h'],
  ];
  for (const [href, name, value] of changes) {
    const ours = new global.URL(href);
    const theirs = new URL(href);
    ours[name] = value;
    (theirs as unknown as Record<string, string>)[name] = value;
    for (const part of names) assert.equal(ours[part], theirs[part], `${href} ${name}=${value}: ${part}`);
  }
  assert.throws(() => run("new URL('http://h').href = 'x'"), { name: 'TypeError' });
});

test('searchParams and the URL follow each other', () => {
  assert.equal(
    run(`{
    const url = new URL('http://h/?a=1&b=%20x#f');
    const { searchParams } = url;
    const seen = [searchParams === url.searchParams, searchParams.get('b')];
    searchParams.append('c', '\\u00fc &'); seen.push(url.href);
    searchParams.delete('a'); searchParams.delete('b'); searchParams.delete('c'); seen.push(url.href);
    url.search = '?z=1'; seen.push(searchParams.get('z'), searchParams.size);
    url.href = 'http://i/?y'; seen.push(searchParams.has('z'), String(searchParams));
    seen.join(' ')
  }`),
    'true  x http://h/?a=1&b=+x&c=%C3%BC+%26#f http://h/#f 1 1 false y=',
  );
});

test('URLSearchParams parses and serialises like the standard', () => {
  const texts = [
    ...[
      'a=1&b=2',
      '?a=1',
      'a',
      '=',
      '&&a=&=b',
      'a+b=c+d',
      'a%20b=%2B',
      '%',
      '%zz=%4',
      'a=%ff%C3%BC',
      'a=%c3',
      '\ud800=1',
    ],
    ...["!'()~*-._ =\u00fc", '%00=\0', 'a=b=c', '??a', '%F0%9F%98%80'],
  ];
  for (const text of texts) {
    const ours = new global.URLSearchParams(text);
    const theirs = new URLSearchParams(text);
    assert.equal(String(ours), String(theirs), text);
    assert.equal(JSON.stringify([...ours]), JSON.stringify([...theirs]), text);
  }
  assert.equal(String(new global.URLSearchParams('\u{1f600}%e4')), '%F0%9F%98%80%EF%BF%BD=');
});

test('URLSearchParams is made of pairs, records and others, and edited', () => {
  assert.equal(
    run(`{
    const params = new URLSearchParams([['b', '1'], ['a', '2'], ['b', '3']]);
    const seen = [new URLSearchParams({ x: 1, y: undefined }), new URLSearchParams(params), new URLSearchParams()];
    params.set('b', '4'); seen.push(params);
    seen.map(String).join('|') + '|' + [params.getAll('b'), params.has('b', '4'), params.has('b', '5'), params.get('q'),
      [...params.keys()], params.size].join()
  }`),
    'x=1&y=undefined|b=1&a=2&b=3||b=4&a=2|4,true,false,,b,a,2',
  );
  assert.equal(
    run(`{ const p = new URLSearchParams('z=1&a=2&z=0&a=1'); p.sort(); const sorted = String(p); p.delete('a', '2');
         p.forEach((value, name, all) => { if (all !== p) throw 1; }); sorted + '|' + p + '|' + [...p.values()] }`),
    'a=2&a=1&z=1&z=0|a=1&z=1&z=0|1,1,0',
  );
  for (const code of [
    "new URLSearchParams([['a']])",
    'new URLSearchParams([1])',
    'new URLSearchParams().get()',
    "new URLSearchParams().append('a')",
  ]) {
    assert.throws(() => run(code), { name: 'TypeError' }, code);
  }
});
