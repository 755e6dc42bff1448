// What the service worker keeps (browser/service-worker/store.ts), in real browsers: a page has the same IndexedDB, Cache and locks.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Definition as PluginDefinition } from '../browser/core/core.ts';
import type { Store } from '../browser/service-worker/store.ts';
import { type Browser, browserNames, launchBrowser, type Page } from './browsers.ts';
import { bundled, Site } from './site.ts';

/** What the bundle puts on the page's global. */
declare const kept: { Store: typeof Store };

const site = await new Site().start();
const script = await bundled({ entryPoints: ['browser/service-worker/store.ts'], format: 'iife', globalName: 'kept' });
const settings = { hosting: 'page' as const, pluginFile: null, precache: [] };

function web(name: string, fields: Partial<PluginDefinition> = {}): PluginDefinition {
  return {
    type: 'web',
    name,
    prefix: name,
    url: site.url(`/plugins/${name}.js`),
    config: null,
    limits: { timeout_ms: 30000, memory_mb: 128, queue: 1024 },
    instances: { min: 1, max: 1 },
    place: 'both',
    fallback: 'none',
    prefer: 'plugin-first',
    ...fields,
  };
}

const sri = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

for (const name of browserNames) {
  describe(`what is kept, in ${name}`, () => {
    let browser: Browser;
    let page: Page;
    let scopes = 0;
    let scope: string;

    before(async () => {
      browser = await launchBrowser(name);
    });
    after(() => browser.close());

    beforeEach(async () => {
      scope = site.url(`/scope-${name}-${++scopes}/`);
      site.files = {
        '/': `<!doctype html><script>${script}</script>`,
        '/plugins/a.js': `import './lib.js';`,
        '/plugins/lib.js': `export const word = 'one';`,
        '/plugins/b.js': `onmessage = null;`,
      };
      page = await browser.newPage(site.url());
    });

    /** A new store, as after a restart of the service worker: what it has in force, and what a file is. */
    async function stored(scope: string) {
      return page.evaluate(async (scope) => {
        const store = await kept.Store.open(scope, null as never);
        return store.plugins.map(({ definition, version, added, files, error }) => {
          return { name: definition.name, version, added, files: files.map((url) => new URL(url).pathname), error };
        });
      }, scope);
    }

    function configure(definitions: PluginDefinition[]): Promise<boolean | string> {
      return page.evaluate(
        async (scope, settings, definitions) => {
          const store = await kept.Store.open(scope, null as never);
          return store.configure(settings, definitions).catch((error) => String(error));
        },
        scope,
        settings,
        definitions,
      );
    }

    function read(plugin: string, path: string): Promise<string> {
      return page.evaluate(
        async (scope, plugin, url) => {
          const store = await kept.Store.open(scope, null as never);
          const found = store.plugins.find(({ definition }) => definition.name === plugin)!;
          return store.read(found, url).then(
            (file) => new TextDecoder().decode(file.bytes),
            (error) => String(error),
          );
        },
        scope,
        plugin,
        site.url(path),
      );
    }

    test('plug-ins and their files are there after a restart, without network', async () => {
      assert.equal(await configure([web('a'), web('b')]), true);
      site.files = {};
      assert.deepEqual(await stored(scope), [
        { name: 'a', version: 1, added: false, files: ['/plugins/a.js', '/plugins/lib.js'] },
        { name: 'b', version: 2, added: false, files: ['/plugins/b.js'] },
      ]);
      assert.equal(await read('a', '/plugins/lib.js'), `export const word = 'one';`);
    });

    test('what changed gets a version of its own, and nothing else does', async () => {
      await configure([web('a'), web('b')]);
      assert.equal(await configure([web('a'), web('b')]), false);
      site.files['/plugins/lib.js'] = `export const word = 'two';`;
      assert.equal(await configure([web('a'), web('b')]), true);
      assert.deepEqual(
        (await stored(scope)).map(({ name, version }) => [name, version]),
        [
          ['a', 3],
          ['b', 2],
        ],
      );
      assert.equal(await read('a', '/plugins/lib.js'), `export const word = 'two';`);
    });

    test('an update of which a part is not to be had changes nothing', async () => {
      await configure([web('a'), web('b')]);
      site.files['/plugins/b.js'] = `onmessage = () => {};`;
      for (const trouble of ['reset', 503, 404] as const) {
        site.files['/plugins/lib.js'] = trouble;
        assert.match(String(await configure([web('a'), web('b', { config: 1 })])), /lib\.js/);
        assert.equal(await read('b', '/plugins/b.js'), `onmessage = null;`);
        assert.deepEqual(
          (await stored(scope)).map(({ version }) => version),
          [1, 2],
        );
      }
    });

    test('at first, a plug-in that is not to be had does not keep the others from running', async () => {
      site.files['/plugins/lib.js'] = 'reset';
      assert.equal(await configure([web('a'), web('b')]), true);
      const [a, b] = await stored(scope);
      assert.match(a!.error!, /lib\.js: cannot be reached/);
      assert.equal(b!.error, undefined);
      site.files['/plugins/lib.js'] = '';
      assert.equal(await configure([web('a'), web('b')]), true);
      assert.equal((await stored(scope))[0]!.error, undefined);
    });

    test('files are verified before they are kept, and hashes of all files save asking for them', async () => {
      const integrity = { 'a.js': sri(site.files['/plugins/a.js'] as string), 'lib.js': sri('something else') };
      await configure([web('a', { integrity })]);
      assert.match(
        (await stored(scope))[0]!.error!,
        /lib\.js: integrity does not match: expected sha256-.* has sha256-/,
      );
      const right = { ...integrity, 'lib.js': sri(site.files['/plugins/lib.js'] as string) };
      await configure([web('a', { integrity: right })]);
      site.requests = [];
      assert.equal(await configure([web('a', { integrity: right })]), false);
      assert.deepEqual(site.requests, []);
    });

    test('a file that no literal names is kept when it is first read, and updated', async () => {
      site.files['/plugins/data.json'] = '[1]';
      await configure([web('a')]);
      assert.equal(await read('a', '/plugins/data.json'), '[1]');
      site.files['/plugins/data.json'] = 'reset';
      assert.equal(await read('a', '/plugins/data.json'), '[1]');
      site.files['/plugins/data.json'] = '[2]';
      assert.equal(await configure([web('a')]), true);
      site.files['/plugins/data.json'] = 'reset';
      assert.equal(await read('a', '/plugins/data.json'), '[2]');
      assert.match(await read('a', '/plugins/none.json'), /none\.json: the server answers 404/);
    });

    test('what the API adds, replaces and removes wins over the plug-in file', async () => {
      await configure([web('a'), web('b')]);
      const outcome = await page.evaluate(
        async (scope, a, c, rival) => {
          const store = await kept.Store.open(scope, null as never);
          const failures: string[] = [];
          const note = (error: Error) => failures.push(error.message);
          await store.add(c);
          await store.add(a).catch(note);
          await store.add(rival).catch(note);
          await store.remove('none').catch(note);
          await store.replace(a);
          await store.remove('b');
          return failures;
        },
        scope,
        web('a', { config: 'of the API' }),
        web('c', { url: site.url('/plugins/b.js') }),
        web('d', { prefix: 'c', url: site.url('/plugins/b.js') }),
      );
      assert.deepEqual(outcome, [
        'there is already a plug-in "a"',
        'the mount "/c" is that of the plug-in "c"',
        'there is no plug-in "none"',
      ]);
      assert.equal(await configure([web('a'), web('b'), web('d', { url: site.url('/plugins/b.js') })]), true);
      assert.deepEqual((await stored(scope)).map(({ name, added }) => [name, added]).sort(), [
        ['a', true],
        ['c', true],
        ['d', false],
      ]);
    });

    test('a plug-in whose files are not to be had is not added', async () => {
      await configure([]);
      const failure = await page.evaluate(
        async (scope, definition) => {
          const store = await kept.Store.open(scope, null as never);
          return store.add(definition).catch((error) => String(error));
        },
        scope,
        web('none'),
      );
      assert.match(String(failure), /none\.js: the server answers 404/);
      assert.deepEqual(await stored(scope), []);
    });

    test('how often in a row the server had nothing of Valor is counted beyond a restart', async () => {
      await configure([]);
      const counted = await page.evaluate(async (scope) => {
        const note = async (gone: boolean) => (await kept.Store.open(scope, null as never)).noteGone(gone);
        const first = await note(true);
        const second = await note(true);
        const none = await note(false);
        return [first.times, second.times, second.since === first.since, none.times, (await note(true)).times];
      }, scope);
      assert.deepEqual(counted, [1, 2, true, 0, 1]);
    });

    test('files of versions that are not in force go, and those of another scope stay', async () => {
      const other = site.url(`/scope-${name}-${++scopes}/`);
      await configure([web('b')]);
      const versions = await page.evaluate(
        async (scopes, settings, definition) => {
          const [mine, theirs] = await Promise.all(scopes.map((scope) => kept.Store.open(scope, null as never)));
          await theirs!.configure(settings, [definition]);
          await mine!.replace(definition);
          const before = (await caches.keys()).filter((key) => scopes.some((scope) => key.includes(scope))).length;
          await mine!.sweep(new Set([1]));
          const inUse = (await caches.keys()).filter((key) => scopes.some((scope) => key.includes(scope))).length;
          await mine!.sweep();
          const swept = (await caches.keys()).filter((key) => scopes.some((scope) => key.includes(scope))).length;
          await mine!.destroy();
          const keys = (await caches.keys()).filter((key) => scopes.some((scope) => key.includes(scope)));
          const databases = (await indexedDB.databases()).map((database) => database.name!);
          return {
            before,
            inUse,
            swept,
            keys,
            databases: databases.filter((key) => scopes.some((scope) => key.includes(scope))),
          };
        },
        [scope, other],
        settings,
        web('b'),
      );
      assert.deepEqual(versions, {
        before: 3,
        inUse: 3,
        swept: 2,
        keys: [`valor:${other} files:1`],
        databases: [`valor:${other}`],
      });
      assert.deepEqual(await stored(scope), []);
      const databases = await page.evaluate(async () => (await indexedDB.databases()).map((database) => database.name));
      assert.ok(!databases.includes(`valor:${scope}`), 'looking created the database again');
    });
  });
}

after(() => site.stop());
