// The plug-in ABI is one list: the native table, the imports and exports of WASM, and the document are compared with it. It is
// frozen: the check that `make lint` runs is tested here, and plug-ins that were built against other tables are loaded.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AbiRecord, changes, check, recordOf } from '../tools/abi-freeze.ts';
import { type AbiFunction, parseAbi, readAbi, signature, wasmSignature } from '../tools/abi-list.ts';
import { eventually, root, serve, sleep, temporaryFolder, web } from './harness.ts';

const abi = readAbi();
const folder = temporaryFolder();
const text = (name: string): string => readFileSync(join(root, 'abi', name), 'utf8');
const [header, list] = [text('valor.h'), text('valor-host.inc')];
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

// --- the list and what has to agree with it ---

const pointerTo = ({ result, parameters }: AbiFunction): string =>
  `${result} (*)(${parameters.map(({ type }) => type).join(', ')})`;

test('the native tables have the functions of the list, in its order and with its types', () => {
  const member = (table: string) => (one: AbiFunction, place: number) =>
    `
    _Static_assert(offsetof(${table}, ${one.name}) == 8 + ${place} * sizeof(void*), "${one.name}: place");
    _Static_assert(_Generic(((${table}*)0)->${one.name}, ${pointerTo(one)}: 1, default: 0), "${one.name}: type");`;
  const size = (table: string, count: number) => `
    _Static_assert(sizeof(${table}) == 8 + ${count} * sizeof(void*), "${table}: size");`;
  const source = ['#include <valor.h>'];
  source.push(...abi.host.map(member('valor_host')), size('valor_host', abi.host.length));
  source.push(...abi.guest.map(member('valor_guest')), size('valor_guest', abi.guest.length));
  execFileSync('cc', ['-I', join(root, 'abi'), '-fsyntax-only', file('tables.c', source.join('\n'))]);
});

/** The types of what a WASM module imports and exports, as "i64 i32 -> i32". */
class ModuleTypes {
  readonly imports: Record<string, string> = {};
  readonly exports: Record<string, string> = {};
  readonly bytes: Buffer;
  #at = 8;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const types: string[] = [];
    const functions: string[] = [];
    while (this.#at < bytes.length) {
      const section = this.#number();
      const end = this.#number() + this.#at;
      if (section === 1) {
        this.#each(() => {
          this.#at++; // what kind of type: a function's
          const values = () => this.#each(() => ({ 127: 'i32', 126: 'i64' })[this.#number()] ?? 'other').join(' ');
          types.push([values(), '->', values()].join(' ').trim());
        });
      } else if (section === 2) {
        this.#each(() => {
          const [module, name, kind] = [this.#name(), this.#name(), this.#number()];
          assert.equal(kind, 0, `${module}.${name} is a function`);
          functions.push(types[this.#number()]!);
          this.imports[`${module}.${name}`] = functions.at(-1)!;
        });
      } else if (section === 3) {
        this.#each(() => functions.push(types[this.#number()]!));
      } else if (section === 7) {
        this.#each(() => {
          const [name, kind, index] = [this.#name(), this.#number(), this.#number()];
          this.exports[name] = kind === 0 ? functions[index]! : 'no function';
        });
      }
      this.#at = end;
    }
  }

  #number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.#at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }
  #name(): string {
    const size = this.#number();
    this.#at += size;
    return this.bytes.toString('utf8', this.#at - size, this.#at);
  }
  #each<T>(entry: () => T): T[] {
    return Array.from({ length: this.#number() }, entry);
  }
}

test('a WASM module that uses all of the header has the imports and exports of the list', () => {
  const parameters = (one: AbiFunction): string =>
    one.parameters.map(({ type }, i) => `${type} p${i}`).join(', ') || 'void';
  // The address of the table keeps all of it.
  const value = ({ result }: AbiFunction): string => (result === 'void' ? '' : 'return (void*)&valor_imports;');
  const source = `#include <valor.h>
    void* malloc(size_t size) { return 0; }
    void free(void* pointer) {}
    ${abi.guest.map((one) => `static ${one.result} ${one.name}(${parameters(one)}) { ${value(one)} }`).join('\n')}
    static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), ${abi.guest.map(({ name }) => name)}};
    VALOR_PLUGIN(guest)`;
  const wasm = join(folder, 'all.wasm');
  execFileSync('clang-19', [
    ...['--target=wasm32', '-nostdlib', '-Wl,--no-entry', '-O1', '-ffreestanding'],
    ...['-I', join(root, 'abi'), file('all.c', source), '-o', wasm],
  ]);
  const types = new ModuleTypes(readFileSync(wasm));
  const expected = (all: AbiFunction[], before: string) =>
    Object.fromEntries(all.map((one) => [`${before}${one.name}`, wasmSignature(one)]));
  assert.deepEqual(sorted(types.imports), sorted(expected(abi.host, 'valor.')));
  assert.deepEqual(
    sorted(types.exports),
    sorted({ ...expected(abi.guest, 'valor_'), ...expected(abi.exports, 'valor_'), memory: 'no function' }),
  );
});

function sorted(types: Record<string, string>): [string, string][] {
  return Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1));
}

test('docs/abi.md describes every function, in the order of the list and with its types', () => {
  const document = readFileSync(join(root, 'docs/abi.md'), 'utf8');
  const described = (title: string): string[][] => {
    const section = document.split(/^## /m).find((one) => one.startsWith(`${title}\n`));
    assert.ok(section, `there is a section "${title}"`);
    return [...section.matchAll(/^### `(\w+)`\n\n {4}(.+)\n\n\S/gm)].map(([, name, line]) => [name!, line!]);
  };
  const expected = (all: AbiFunction[]): string[][] => all.map((one) => [one.name, signature(one)]);
  assert.deepEqual(described('Functions of the host'), expected(abi.host));
  assert.deepEqual(described('Functions of the guest'), expected(abi.guest));
  for (const { name } of abi.exports) assert.match(document, new RegExp(`^\\| \`valor_${name}\` \\|`, 'm'));
  for (const name of Object.keys(abi.constants)) {
    if (/^VALOR_(OK|WAIT|GONE|INVALID|NO_INSTANCE|FAILED|ABSENT|DROP|FETCH|CLOCK)/.test(name)) {
      assert.match(document, new RegExp(`\\b${name}\\b`));
    }
  }
});

// --- the freeze ---

const record = recordOf(abi);

/** What the check says of the ABI after a change of one of its files. */
function said(of: 'header' | 'list', from: string | RegExp, to: string): string[] {
  const [before, other] = of === 'header' ? [header, list] : [list, header];
  const after = before.replace(from, to);
  assert.notEqual(after, before, `${from} is there to be changed`);
  return changes(record, recordOf(of === 'header' ? parseAbi(after, other) : parseAbi(other, after)));
}

test('what breaks plug-ins that exist is noticed', () => {
  const name = (text: string) => new RegExp(`VALOR_FUNCTION\\(\\w+, ${text},[^;]*?\\)\\)\\n`);
  const cases: [RegExp, string[]][] = [
    [
      /member 7 was "int32_t log\(.*uint32_t level.*and is "int32_t log\(.*uint64_t level/,
      said('list', 'uint32_t level', 'uint64_t level'),
    ],
    [/member 19 was "int32_t sleep.*and is "int64_t sleep/, said('list', 'int32_t, sleep', 'int64_t, sleep')],
    [/member 22 was "int32_t random.* gone/, said('list', name('random'), '')],
    [/member 2 was "int32_t create_fail.*and is "int32_t abort/, said('list', name('create_fail'), '')],
    [
      /member 21 was "uint64_t now.*and is "int32_t random/,
      said('list', /(VALOR_FUNCTION\(uint64_t, now[^\n]*\n)([\s\S]*)$/, '$2$1'),
    ],
    [
      /valor_guest: member 4 was "void drop.*reason/,
      said('header', 'uint64_t request, uint32_t reason)', 'uint64_t request)'),
    ],
    [/VALOR_GONE was \(-2\) and is \(-9\)/, said('header', 'VALOR_GONE (-2)', 'VALOR_GONE (-9)')],
    [/VALOR_FETCH_MANUAL was 2u and is gone/, said('header', 'VALOR_FETCH_MANUAL', 'VALOR_FETCH_STAY')],
    [/valor_response_head: member 4 was "uint32_t status/, said('header', /uint32_t status;.*/, '')],
    [/valor_header: nothing can be added/, said('header', 'valor_span value;', 'valor_span value; uint32_t hash;')],
    [
      /exports of WASM: member 2 was/,
      said('header', 'valor_export_alloc(size_t size)', 'valor_export_alloc(uint64_t size)'),
    ],
    [
      /a native library exports: member 1 was/,
      said('header', '(*valor_entry)(const valor_host* host)', '(*valor_entry)(const valor_host* host, uint32_t size)'),
    ],
    [/VALOR_ABI_VERSION was 1 and is 0/, said('header', 'VALOR_ABI_VERSION 1u', 'VALOR_ABI_VERSION 0u')],
  ];
  for (const [expected, found] of cases) assert.match(found.join('\n'), expected);
});

test('what old plug-ins can live with passes', () => {
  assert.deepEqual(said('list', /$/, '/* New. */\nVALOR_FUNCTION(int32_t, added, (uint64_t instance))\n'), []);
  assert.deepEqual(said('list', 'Never waits.', 'It never waits.'), []);
  assert.deepEqual(said('header', '} valor_guest;', 'void (*added)(void* self); } valor_guest;'), []);
  assert.deepEqual(said('header', '} valor_response_head;', 'uint32_t added; } valor_response_head;'), []);
  assert.deepEqual(said('header', '#define VALOR_OK 0\n', '#define VALOR_OK 0\n#define VALOR_ADDED (-7)\n'), []);
  // A version of its own may be anything.
  const next = header.replace('VALOR_ABI_VERSION 1u', 'VALOR_ABI_VERSION 2u').replace('VALOR_OK 0', 'VALOR_OK 1');
  assert.deepEqual(changes(record, recordOf(parseAbi(next, list))), []);
});

test('the whole check: record, tag, and what is not on record yet', () => {
  const clone = join(folder, 'clone');
  mkdirSync(join(clone, 'abi'), { recursive: true });
  const put = (name: string, content: string): void => writeFileSync(join(clone, 'abi', name), content);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: clone, stdio: 'pipe' });
  git('init', '-q');
  put('valor.h', header);
  put('valor-host.inc', list);
  assert.match(check(clone).join(), /v1\.json does not have all of the ABI: run .* --record/);
  assert.deepEqual(check(clone, true), []);
  assert.deepEqual(check(clone), []);

  const longer = `${list}VALOR_FUNCTION(int32_t, added, (uint64_t instance))\n`;
  put('valor-host.inc', longer);
  assert.match(check(clone).join(), /does not have all/);
  assert.deepEqual(check(clone, true), []);
  git('add', '-A');
  git('commit', '-qm', 'x');
  git('tag', 'v1.0.0');

  // Who changes the record with the list meets the tag; who has no tags, the record.
  put('valor-host.inc', list);
  assert.match(check(clone, true).join(), /member 23 was "int32_t added.* gone \(abi\/v1\.json\)/);
  put('v1.json', JSON.stringify(record));
  assert.match(check(clone).join(), /member 23 was "int32_t added.* gone \(tag v1\.0\.0\)/);
  git('tag', '-d', 'v1.0.0');
  assert.deepEqual(check(clone, true), []);
});

test('the ABI of this repository is what its record says', () => assert.deepEqual(check(root), []));

// --- tables of another time ---

/** A plug-in in C that has its own declarations, made from a record of the ABI, and says who it is. */
function plugin(name: string, { host, guest }: AbiRecord, extra = ''): Record<string, unknown> {
  const member = (line: string): string => line.replace(/ (\w+)\(/, ' (*$1)(').concat(';');
  const source = `#include <stddef.h>
    #include <stdint.h>
    struct host { uint32_t abi, size; ${host.map(member).join('\n')} };
    struct guest { uint32_t abi, size; ${guest.map(member).join('\n')} ${extra} };
    static const struct host* host;
    static uint64_t numbers[64];
    static void* create(uint64_t instance) {
      static int count;
      uint64_t* self = &numbers[count++];
      *self = instance;
      host->create_done(instance);
      return self;
    }
    static void start(void* self, uint64_t request, const void* head, size_t head_size) {
      host->respond(*(uint64_t*)self, request, 200, NULL, 0, "${name}", ${name.length});
    }
    static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t data_size) {}
    static void drop(void* self, uint64_t request, uint32_t reason) {}
    static void destroy(void* self) {}
    static const struct guest guest = {1, sizeof(struct guest), create, start, complete, drop, destroy};
    const struct guest* valor_plugin_v1(const struct host* its_host) {
      if (its_host->abi < 1 || its_host->size < sizeof(struct host)) return NULL;
      host = its_host;
      return &guest;
    }`;
  const path = join(folder, `${name}.so`);
  execFileSync('cc', ['-shared', '-fPIC', '-w', file(`${name}.c`, source), '-o', path]);
  return { type: 'native', name, path };
}

test('plug-ins of version 1 keep loading, and so do those whose table has more than this host knows', async () => {
  const first = JSON.parse(text('v1.json')) as AbiRecord;
  const valor = await serve([
    plugin('of-version-1', first),
    plugin('of-the-future', first, 'void (*added)(void* self); void (*another)(void* self);'),
  ]);
  try {
    for (const name of ['of-version-1', 'of-the-future']) assert.equal((await valor.ask(`/${name}`)).text, name);
  } finally {
    await valor.stop();
  }
});

test('a plug-in that needs functions of a later host says so', async () => {
  const later = { ...record, host: [...record.host, 'int32_t added(uint64_t instance)'] };
  const valor = await serve([plugin('too-new', later)]);
  try {
    assert.equal((await valor.ask('/too-new')).status, 502);
    await valor.logged(/too-new\.so refuses to run with this Valor/);
  } finally {
    await valor.stop();
  }
});

// --- a guest that never stops logging ---

const logger = `#include <valor.h>
  #include <stdlib.h>
  static void* create(uint64_t instance) {
    uint64_t* self = malloc(sizeof *self);
    *self = instance;
    valor_api->create_done(instance);
    return self;
  }
  static char text[1 << 20];
  static void start(void* self, uint64_t request, const void* head, size_t size) {
    for (size_t i = 0; i < sizeof text; ++i) text[i] = 'x';
    while (valor_api->log(*(uint64_t*)self, VALOR_LOG_WARN, text, sizeof text) == VALOR_OK) {}
  }
  static void complete(void* self, uint64_t operation, int32_t status, const void* data, size_t size) {}
  static void drop(void* self, uint64_t request, uint32_t reason) {}
  static void destroy(void* self) { free(self); }
  static const valor_guest guest = {VALOR_ABI_VERSION, sizeof(valor_guest), create, start, complete, drop, destroy};
  VALOR_PLUGIN(guest)`;

test('an endless log takes no memory and holds nobody up, and ends with the instance', async () => {
  const source = file('logger.c', logger);
  const include = ['-I', join(root, 'abi')];
  const library = join(folder, 'logger.so');
  const module = join(folder, 'logger.wasm');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', ...include, source, '-o', library]);
  execFileSync('clang-19', ['--target=wasm32-wasi', '-mexec-model=reactor', '-O2', ...include, source, '-o', module]);
  const limits = { timeout_ms: 1000 };
  const valor = await serve([
    { type: 'native', name: 'native', path: library, limits },
    { type: 'web', name: 'wasm', url: module, limits },
    web('echo.js'),
  ]);
  try {
    const before = valor.memoryKib('VmRSS');
    const floods = ['/native', '/wasm'].map((path) => valor.ask(path));
    for (let i = 0; i < 50; i++) assert.equal((await valor.ask('/echo')).status, 200);
    for (const { status } of await Promise.all(floods)) assert.equal(status, 504);
    assert.ok(valor.memoryKib('VmHWM') - before < 96 * 1024, `${valor.memoryKib('VmHWM') - before} KiB more`);
    await valor.logged(/\[native\] x{65536}\.\.\. \(983040 bytes more\)/);
    await valor.logged(/\[wasm\] x{65536}\.\.\. \(983040 bytes more\)/);
    // Silence: the code that was left behind has ended.
    await eventually(async () => {
      const { length } = valor.log;
      await sleep(300);
      return valor.log.length === length;
    }, 'the end of the log');
  } finally {
    await valor.stop();
  }
});
