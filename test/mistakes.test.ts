// Mistakes in plug-in files and in the plug-ins that they name: each is told with its place and what to do, the process
// stays, and whatever has no mistake is served. core/definition-test.cpp has the mistakes of definitions one by one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build, type Definition, root, runValor, serveFile, temporaryFolder } from './harness.ts';

const folder = temporaryFolder();

function put(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

const web = { type: 'web', name: 'a', url: 'a.js' };
const file = (...plugins: unknown[]): string => JSON.stringify({ plugins });

/** Contents of a plug-in file, and what is said. */
const files: Record<string, [content: string | Buffer, words: RegExp]> = {
  'an empty file': ['', /:1: not valid JSON/],
  'blank lines only': ['\n\n  \n', /not valid JSON/],
  'a list': ['[]', /:1: expected an object, found an array/],
  'no plugins': ['{}', /plugins: is missing; expected an array/],
  'plugins that are no list': ['{"plugins": {}}', /plugins: expected an array, found an object/],
  'a comma too many': ['{\n "plugins": [\n  {"type": "web",}\n ]\n}', /:3: not valid JSON \(column 18\)/],
  'a missing brace': ['{\n "plugins": [\n  {"type": "web"\n ]\n}', /:4: not valid JSON \(column 2\)/],
  'a comment': ['{\n // here\n "plugins": []\n}', /:2: not valid JSON \(column 2\)/],
  'two documents': ['{"plugins": []}\n{"plugins": []}', /:2: not valid JSON/],
  'UTF-16': [Buffer.from('\ufeff{"plugins": []}', 'utf16le'), /NUL byte|not valid JSON/],
  'bytes that are no UTF-8': [Buffer.from('{"plugins": "\xff"}', 'latin1'), /not valid JSON.*UTF-8/],
  'a plug-in that is no object': [file('hello'), /plugins\[0\]: expected an object, found a string/],
  'no type': [file({ name: 'a', url: 'a.js' }), /plugins\[0\]\.type: is missing/],
  'an unknown type': [file({ ...web, type: 'wbe' }), /unknown type "wbe"; did you mean "web"\?/],
  'a type that is no string': [file({ ...web, type: 5 }), /plugins\[0\]\.type: expected a string, found a number/],
  'a name that is no string': [file({ ...web, name: null }), /plugins\[0\]\.name: expected a string, found null/],
  'a url that is no string': [file({ ...web, url: ['a.js'] }), /plugins\[0\]\.url: expected a string, found an array/],
  'a prefix that is no string': [file({ ...web, prefix: 1 }), /plugins\[0\]\.prefix: expected a string/],
  'limits that are no object': [file({ ...web, limits: 5 }), /plugins\[0\]\.limits: expected an object/],
  'instances that are no object': [file({ ...web, instances: 2 }), /plugins\[0\]\.instances: expected an object/],
  'a limit that is no number': [file({ ...web, limits: { queue: '9' } }), /limits\.queue: expected a whole number/],
  'an unknown field': [file({ ...web, prefx: 'b' }), /unknown key "prefx"; did you mean "prefix"\?/],
  'an unknown limit': [file({ ...web, limits: { memory: 9 } }), /unknown key "memory"; did you mean "memory_mb"\?/],
  'no url': [
    file({ type: 'web', name: 'a' }),
    /plugins\[0\]\.url: is missing; expected the path or file: URL of a script or WASM module/,
  ],
  'no path': [file({ type: 'native', name: 'a' }), /plugins\[0\]\.path: is missing; expected the shared library/],
  'a field of another type': [file({ ...web, path: 'a.so' }), /path: belongs to plug-ins of type "native"/],
  'a name twice': [file(web, { ...web, prefix: 'b' }), /plugins\[1\]\.name: "a" is the name of plugins\[0\]/],
  'a prefix twice': [file(web, { ...web, name: 'b', prefix: '/a/' }), /plugins\[1\]\.prefix: "\/a" is the mount of/],
  'a key twice': ['{"plugins": [{"type":"web","type":"web"}]}', /the key "type" appears twice/],
  'a script from the network': [file({ ...web, url: 'https://x.example/a.js' }), /only files are supported/],
};

for (const [what, [content, words]] of Object.entries(files)) {
  test(`a plug-in file with ${what} ends valor with 2 and says where`, async () => {
    const { code, stdout, stderr } = await runValor(['-p', put('plugins.json', content), '--port', '0']);
    assert.match(stderr, words);
    assert.match(stderr, /^valor: \S*plugins\.json:\d/);
    assert.deepEqual([code, stdout], [2, '']);
  });
}

test('a plug-in file that is a folder, or not there, ends valor with 2', async () => {
  for (const path of [folder, join(folder, 'absent.json')]) {
    const { code, stderr } = await runValor(['-p', path, '--port', '0']);
    assert.ok(stderr.includes(path) && /cannot be read/.test(stderr), stderr);
    assert.equal(code, 2);
  }
});

// --- what a definition points to ---

const listens = "onmessage = () => postMessage({ status: 200, headers: [], body: 'x' });\n";
mkdirSync(join(folder, 'folder.js'));
mkdirSync(join(folder, 'folder.so'));
symlinkSync('nowhere.js', join(folder, 'dangling.js'));
execFileSync('mkfifo', [join(folder, 'pipe.js')]);

/** Scripts and what is said of them; undefined: put there already, or not at all. */
const scripts: Record<string, [content: string | Buffer | undefined, words: RegExp]> = {
  'absent.js': [undefined, /cannot read .*absent\.js: No such file/],
  'folder.js': [undefined, /cannot read .*folder\.js: it is not a file/],
  'dangling.js': [undefined, /cannot read .*dangling\.js: No such file/],
  'pipe.js': [undefined, /cannot read .*pipe\.js: it is not a file/],
  'empty.js': ['', /answers no requests: it must set onmessage/],
  'nothing.js': ['export const a = 1;\n', /answers no requests/],
  'syntax.js': [`${listens}const a = ;\n`, /syntax\.js:2:11[\s\S]*SyntaxError: Unexpected token ';'/],
  'open.js': ['onmessage = () => {', /open\.js:\d[\s\S]*SyntaxError/],
  'binary.js': [Buffer.from([0, 1, 2, 255]), /binary\.js:1:1[\s\S]*SyntaxError/],
  'utf16.js': [Buffer.from(`\ufeff${listens}`, 'utf16le'), /utf16\.js:1:1[\s\S]*SyntaxError/],
  'json.js': ['{"a": 1}', /json\.js:1:\d+[\s\S]*SyntaxError/],
  'reference.js': [`${listens}nobody();\n`, /ReferenceError: nobody is not defined[\s\S]*reference\.js:2:1/],
  'commonjs.js': [`module.exports = () => 1;\n`, /module is not defined/],
  'throws-late.js': [
    "await null;\nthrow new TypeError('late');\nexport {};\n",
    /TypeError: late[\s\S]*throws-late\.js:2/,
  ],
  'rejects.js': ["await Promise.reject('no reason');\nexport {};\n", /no reason/],
  'imports-absent.js': [`import './nowhere.js';\n${listens}`, /cannot import '\.\/nowhere\.js' in .*no such file/],
  'imports-broken.js': [`import './syntax.js';\n${listens}`, /syntax\.js:2:11[\s\S]*SyntaxError/],
  'imports-name.js': [`import { b } from './nothing.js';\n${listens}`, /imports-name\.js:1:\d+[\s\S]*named 'b'/],
  'imports-outside.js': [`import '../../../../etc/passwd';\n${listens}`, /no such file in the plug-in's folder/],
  'imports-package.js': [`import 'lodash';\n${listens}`, /cannot import 'lodash'.*packages are not looked up/],
  'imports-node.js': [`import 'node:fs';\n${listens}`, /cannot import 'node:fs'/],
  'imports-network.js': [`import 'https://x.example/a.js';\n${listens}`, /cannot import .*not URLs/],
  'imports-json.js': [`import a from './a.json';\n${listens}`, /JSON needs with \{ type: 'json' \}/],
  'imports-bad-json.js': [`import a from './a.json' with { type: 'json' };\n${listens}`, /a\.json/],
  'cycle.js': [
    `import { b } from './cycle-b.js';\nexport const a = b;\n${listens}`,
    /Cannot access '[ab]' before initialization[\s\S]*cycle(-b)?\.js:\d/,
  ],
  'cycle-b.js': [
    "import { a } from './cycle.js';\nexport const b = a;\n",
    /Cannot access '[ab]' before initialization/,
  ],
  'enum.ts': ['enum A { B }\n', /enum\.ts:1: TypeScript enum is not supported/],
};
put('a.json', '{"a":');

const compiled = join(build, 'examples/hello-cpp.so');
const compile = (name: string, ...flags: string[]): string => {
  const source = join(root, 'plugins/native/test-plugins', `${name}.c`);
  const output = join(folder, `${name}${flags.join('')}.so`);
  execFileSync('cc', ['-shared', '-fPIC', '-I', join(root, 'abi'), ...flags, source, '-o', output]);
  return output;
};

const libraries: [path: string, words: RegExp][] = [
  ['./absent.so', /absent\.so: there is no such file/],
  ['./folder.so', /folder\.so: it is not a file/],
  [put('text.so', 'hello'), /text\.so is not a shared library \(ELF\): build it with/],
  [put('empty.so', ''), /empty\.so is not a shared library/],
  [put('torn.so', readFileSync(compiled).subarray(0, 5000)), /torn\.so is a shared library without its end/],
  [process.execPath, /cannot load the native plug-in/],
  ['nowhere-to-be-found', /no system library.*tried libnowhere-to-be-found\.so.*\.\/nowhere-to-be-found\.so/],
  [compile('no-symbol'), /no-symbol\.so is not a Valor plug-in: it does not export valor_plugin_v1/],
  [compile('broken-table', '-DBROKEN=1'), /needs plug-in ABI 2, this Valor speaks 1: update Valor/],
  [compile('broken-table', '-DBROKEN=2'), /needs plug-in ABI 0, this Valor speaks 1: build the plug-in with/],
  [compile('broken-table', '-DBROKEN=3'), /has a table of functions of 16 bytes/],
  [compile('broken-table', '-DBROKEN=4'), /leaves a function of plug-in ABI 1 out/],
];

const builtins: [Definition, RegExp][] = [
  [{ builtin: 'nothing' }, /nothing/],
  [{ builtin: 'proxy' }, /upstream/],
  [{ builtin: 'proxy', config: { upstream: 'ftp://x' } }, /upstream/],
  [{ builtin: 'proxy', config: { upstream: 5 } }, /upstream/],
  [{ builtin: 'files' }, /path/],
  [{ builtin: 'files', path: './absent' }, /absent/],
  [{ builtin: 'files', path: './a.json' }, /a\.json/],
];

const wrong: { definition: Definition; words: RegExp }[] = [
  ...Object.entries(scripts).map(([name, [content, words]]) => {
    if (content !== undefined) put(name, content);
    return { definition: { type: 'web', name, url: name }, words };
  }),
  ...libraries.map(([path, words], i) => ({ definition: { type: 'native', name: `library-${i}`, path }, words })),
  ...builtins.map(([fields, words], i) => ({
    definition: { type: 'static', name: `built-in-${i}`, ...fields },
    words,
  })),
];
put('good.js', listens);
put(
  'many.json',
  file({ type: 'web', name: 'first', url: 'good.js' }, ...wrong.map(({ definition }) => definition), {
    type: 'web',
    name: 'last',
    url: 'good.js',
  }),
);
const valor = await serveFile(join(folder, 'many.json'), ['-w']);
after(() => valor.stop());

for (const { definition, words } of wrong) {
  const { name } = definition as { name: string };
  test(`${name} (${definition.url ?? definition.path ?? definition.builtin}) is reported, and answers 502`, async () => {
    const entry = await valor.logged(
      new RegExp(`\\[${name.replaceAll('.', '\\.')}\\] could not be created: [^\\n]*(\\n +[^\\n]*)*`),
    );
    assert.match(entry[0], words);
    const answer = await valor.ask(`/${name}`);
    assert.equal(answer.status, 502, answer.text);
    assert.equal(answer.json().plugin, name);
    const listed = (await valor.ask(`/_plugins/${name}`)).json();
    assert.equal(listed.state, 'failed');
    assert.match(listed.error, words);
  });
}

test('all the others are served', async () => {
  for (const name of ['first', 'last']) assert.equal((await valor.ask(`/${name}`)).text, 'x');
  assert.equal((await valor.ask('/_health')).status, 200);
});
