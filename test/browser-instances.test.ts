// JavaScript plug-ins in a dedicated Worker and in the service worker, in real browsers: what they see, how they answer,
// what is said when something goes wrong.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Definition } from '../browser/core/core.ts';
import type { Problem } from '../browser/instance/instance.ts';
import type { Ask, Ending, PageApi } from '../browser/instance/javascript/testing/messages.ts';
import { type Browser, browserNames, launchBrowser, type Page } from './browsers.ts';
import { build, eventually, pluginPath, root } from './harness.ts';
import { bundled, Site } from './site.ts';

/** What page.ts puts on the page's global. */
declare const api: PageApi;

const testing = 'browser/instance/javascript/testing';
const site = await new Site().start();
const page = await bundled({ entryPoints: [`${testing}/page.ts`], format: 'iife' });
site.files = {
  '/': `<!doctype html><script>${page}</script>`,
  '/valor-host.js': await bundled({ entryPoints: [`${testing}/host.ts`], format: 'iife', minify: true }),
};
site.files['/valor-core.wasm'] = readFileSync(join(root, 'build/web/valor-core.wasm'));
const folder = site.url('/plugins/p/');
const location = site.url('/mount/');

interface Plugin {
  ask(ask?: Ask | string): Promise<Ending>;
  /** The body of the answer, as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
  json(ask?: Ask | string): Promise<any>;
  drop(ask: Ask, reason: 'gone' | 'timeout', ms?: number): Promise<void>;
  leave(ask: Ask): Promise<void>;
  logged(pattern: RegExp): Promise<string>;
  oneAtATime(): Promise<boolean>;
  broken(): Promise<Problem | null>;
  end(): Promise<void>;
}

const testPlugin = (file: string): string => readFileSync(pluginPath(file), 'utf8');

for (const name of browserNames) {
  for (const place of ['worker', 'service-worker'] as const) {
    describe(`a JavaScript plug-in in ${name}'s ${place}`, () => {
      let browser: Browser;
      let tab: Page;

      before(async () => {
        browser = await launchBrowser(name);
        tab = await browser.newPage(site.url());
      });
      after(() => browser.close());

      /** `files`: main.js, or several. */
      async function start(
        files: string | Record<string, string>,
        fields: Partial<Definition> = {},
      ): Promise<Plugin | string> {
        const sources = typeof files === 'string' ? { 'main.js': files } : files;
        const [entry] = Object.keys(sources);
        const definition: Definition = {
          type: 'web',
          name: 'p',
          prefix: 'mount',
          url: folder + entry,
          config: { who: 'Alice' },
          limits: { timeout_ms: 30000, memory_mb: 128, queue: 1024 },
          instances: { min: 1, max: 1 },
          place: 'both',
          fallback: 'none',
          prefer: 'plugin-first',
          ...fields,
        };
        const urls = Object.fromEntries(Object.entries(sources).map(([path, text]) => [folder + path, text]));
        const number = await tab.evaluate((message) => api.start(message), {
          definition,
          location,
          files: urls,
          place,
        });
        if (typeof number === 'string') return number;
        const asked = (ask: Ask | string = {}): Ask => (typeof ask === 'string' ? { url: ask } : ask);
        const plugin: Plugin = {
          ask: (ask) => tab.evaluate((number, ask) => api.ask(number, ask), number, asked(ask)),
          async json(ask) {
            const ending = await plugin.ask(ask);
            assert.equal(ending.how, 'responded', JSON.stringify(ending));
            return JSON.parse(ending.body!);
          },
          drop: (ask, reason, ms = 50) =>
            tab.evaluate((...args) => api.drop(...args), number, ask, reason, ms) as Promise<void>,
          leave: (ask) => tab.evaluate((number, ask) => api.leave(number, ask), number, ask),
          logged: async (pattern) => {
            let log: string[] = [];
            return eventually(async () => {
              log = await tab.evaluate((number) => api.log(number), number);
              return log.find((line) => pattern.test(line));
            }, `${pattern} in the log`).catch((error) => assert.fail(`${error.message}: ${log.join('\n')}`));
          },
          oneAtATime: () => tab.evaluate((number) => api.oneAtATime(number), number),
          broken: () => tab.evaluate((number) => api.broken(number), number),
          end: () => tab.evaluate((number) => api.end(number), number),
        };
        return plugin;
      }

      async function started(
        files: string | Record<string, string>,
        fields: Partial<Definition> = {},
      ): Promise<Plugin> {
        const plugin = await start(files, fields);
        assert.ok(typeof plugin !== 'string', plugin as string);
        return plugin;
      }

      // ---- the message contract

      test('the request message has url, method, headers and body, and nothing else', async () => {
        const plugin = await started(testPlugin('echo.js'));
        const seen = await plugin.json({
          method: 'POST',
          url: 'some/url?a=1',
          headers: [['x-thing', 'One']],
          body: ['ab', 'c'],
        });
        assert.deepEqual(seen.keys, ['url', 'method', 'headers', 'body']);
        assert.deepEqual(seen.headers, [
          ['x-request-id', 'request-1'],
          ['x-thing', 'One'],
        ]);
        assert.deepEqual(seen.body, { type: '[object ArrayBuffer]', hex: '616263' });
        assert.deepEqual(
          [seen.url, seen.method, seen.event, seen.type],
          ['some/url?a=1', 'POST', 'MessageEvent', 'message'],
        );
        assert.equal(seen.location, location);
        assert.equal(seen.public, `${location}some/url?a=1`);
        assert.equal((await plugin.json()).body, null);
      });

      test('a response has a body of any allowed kind, repeated headers and any status', async () => {
        const plugin = await started(testPlugin('bodies.js'));
        const expected = { string: 'grüße', view: '\x02\x03\x04', dataview: '\x03\x04', null: null, undefined: null };
        for (const [kind, body] of Object.entries(expected)) {
          const ending = await plugin.ask(kind);
          assert.equal(ending.body, body, kind);
          assert.deepEqual(ending.headers!.slice(0, 2), [
            ['x-many', 'one'],
            ['x-many', 'two'],
          ]);
        }
        assert.equal((await plugin.ask('buffer')).body, '\x01\x02\x03\x04\x05');
        assert.equal((await plugin.ask('buffer')).body, '\x01\x02\x03\x04\x05', 'the buffer is still there');
        assert.equal((await plugin.ask('transfer')).body, '\x01\x02\x03\x04\x05');
        assert.equal((await plugin.ask('null?status=418')).status, 418);
        assert.equal((await plugin.ask('bare')).status, 200);
      });

      test('what is no response gives 500 with the reason', async () => {
        const plugin = await started(
          `onmessage = ({ data }) => postMessage(eval('(' + decodeURIComponent(data.url) + ')'));`,
        );
        const cases = {
          '{ status: 99 }': /its status 99 is not a whole number from 200 to 599/,
          "{ status: '200' }": /its status is not a number/,
          "{ headers: [['x a', '1']] }": /'x a' cannot be the name of a header/,
          "{ headers: [['x-a']] }": /list of \[name, value\] pairs/,
          "{ headers: { 'x-a': '1' } }": /a list of \[name, value\] pairs, not an object/,
          '{ body: 7 }': /not a number/,
          "'hello'": /a response is an object \{ status, headers, body \}, not a string/,
          null: /not null/,
          '{ body: () => {} }': /threw an error while it handled this request/,
        };
        for (const [expression, reason] of Object.entries(cases)) {
          const { how, problem } = await plugin.ask(encodeURIComponent(expression));
          assert.equal(how, 'failed', expression);
          assert.equal(problem!.status, 500);
          assert.match(problem!.detail, reason);
        }
        await plugin.logged(/error: posted no valid response: its status 99/);
        await plugin.logged(/error: uncaught .*DataCloneError/);
      });

      test('a late answer names its request; one that does not is taken one at a time from then on', async () => {
        const plugin = await started(testPlugin('later.js'));
        const answers = await Promise.all([40, 20, 1].map((ms, i) => plugin.ask(`?ms=${ms}&text=${i}`)));
        answers.forEach(({ body, headers }, i) => {
          assert.ok(body!.startsWith(`${i} `), body!);
          assert.deepEqual(headers, []);
        });
        assert.equal(await plugin.oneAtATime(), false);
        assert.match((await plugin.ask('?ms=5&unnamed&text=alone')).body!, /^alone/);
        assert.equal(await plugin.oneAtATime(), true);
      });

      test('an answer that belongs to no request is dropped and logged', async () => {
        const plugin = await started(
          "onmessage = () => { postMessage({ body: 'one' }); postMessage({ body: 'two' }); };",
        );
        assert.equal((await plugin.ask()).body, 'one');
        assert.equal((await plugin.ask()).body, 'one');
        await plugin.logged(/warn: posted a response that belongs to no request: it was posted in the handler call/);
      });

      test('a plug-in whose answers cannot be told apart breaks when it lets a request time out', async () => {
        const plugin = await started(`
          let next = '';
          setInterval(() => { if (next === '') return; if (next !== 'never') postMessage({ body: 'late' }); next = ''; }, 1);
          onmessage = ({ data }) => { next = data.url || 'some'; };`);
        assert.equal((await plugin.ask()).body, 'late');
        await plugin.drop({ url: 'never' }, 'timeout');
        const problem = await eventually(() => plugin.broken(), 'the end of the instance');
        assert.match(problem.detail, /its answers can no longer be told apart/);
      });

      test('errors in a handler, in what follows from it and in timers end the request that they are of', async () => {
        const plugin = await started(`onmessage = async ({ data }) => {
  const id = data.headers[0][1];
  if (data.url === 'throw') nothing.there;
  if (data.url === 'reject') await null, nothing.here;
  if (data.url === 'timer') return setTimeout(() => { throw new RangeError('in a timer'); }, 1);
  if (data.url === 'unhandled') { Promise.reject(new RangeError('not handled')); return; }
  if (data.url === 'string') throw 'just words';
  if (data.url === 'wait') return setTimeout(() => postMessage({ headers: [['x-correlation-id', id]], body: 'fine' }), 200);
  postMessage({ body: 'fine' });
};`);
        const waiting = plugin.ask('wait');
        for (const url of ['throw', 'reject', 'string']) {
          const { problem } = await plugin.ask(url);
          assert.equal(problem?.detail, 'The plug-in threw an error while it handled this request.', url);
        }
        assert.equal((await waiting).body, 'fine', 'another request is not touched');
        for (const url of ['timer', 'unhandled']) assert.equal((await plugin.ask(url)).problem?.status, 500, url);
        assert.equal((await plugin.ask()).body, 'fine');
        const thrown = await plugin.logged(
          /uncaught \(in promise\) ReferenceError: nothing[\s\S]*at .*main\.js:3:29\)/,
        );
        assert.doesNotMatch(thrown, /valor/, 'frames of Valor say nothing to operators');
        await plugin.logged(/uncaught RangeError: in a timer/);
        await plugin.logged(/uncaught \(in promise\) RangeError: not handled/);
        await plugin.logged(/just words/);
      });

      test('the plug-in hears of errors that nobody caught, and may take them', async () => {
        const plugin = await started(`
          const heard = [];
          addEventListener('error', (event) => { heard.push(event.error.message); event.preventDefault(); });
          onunhandledrejection = (event) => { heard.push(event.reason.message); return false; };
          onmessage = ({ data }) => {
            const { 0: [, id] } = data.headers;
            if (data.url === 'heard') return postMessage({ body: JSON.stringify(heard) });
            Promise.reject(new Error('two'));
            setTimeout(() => postMessage({ headers: [['x-correlation-id', id]], body: '1' }), 100);
            throw new Error('one');
          };`);
        assert.equal((await plugin.ask()).body, '1');
        assert.deepEqual(await plugin.json('heard'), ['one', 'two']);
      });

      test('bodies that do not fit are refused', async () => {
        const plugin = await started('onmessage = ({ data }) => postMessage({ body: String(data.body.byteLength) });', {
          limits: { timeout_ms: 30000, memory_mb: 8, queue: 10 },
        });
        const piece = 'x'.repeat(2 ** 20);
        assert.equal((await plugin.ask({ method: 'POST', body: [piece, piece] })).body, String(2 ** 21));
        for (const body of [[piece, piece, piece], { whole: piece + piece + piece }]) {
          const { problem } = await plugin.ask({ method: 'POST', body });
          assert.deepEqual([problem!.status, problem!.limit, problem!.limit_value], [413, 'memory_mb', 8]);
        }
      });

      // ---- the fetch contracts

      test('a fetch listener gets a Request with the mount stripped, and answers now or later', async () => {
        const plugin = await started(testPlugin('service.js'));
        const { body } = await plugin.ask({
          method: 'POST',
          url: 'describe?q=1',
          headers: [['x-test', 'yes']],
          body: ['a ', 'body'],
        });
        assert.deepEqual(JSON.parse(body!), {
          url: site.url('/describe?q=1'),
          method: 'POST',
          header: 'yes',
          instances: [true, true],
          body: 'a body',
        });
        assert.equal((await plugin.ask('late')).body, 'late but there');
        const named = await started(
          'onfetch = (event) => event.respondWith(new Response(String(event) + FetchEvent.name));',
        );
        assert.equal((await named.ask()).body, '[object FetchEvent]FetchEvent');
        assert.equal((await plugin.ask('unheard')).how, 'declined');
        assert.equal((await plugin.ask('reject')).problem?.detail, 'The plug-in threw an error.');
        await plugin.logged(/The plug-in threw an error: Error: rejected on purpose\n\s+at/);
        assert.equal((await plugin.ask('wrong')).problem?.detail, 'The plug-in gave no usable Response.');
        await plugin.logged(/TypeError: The plug-in's answer is not a Response/);
      });

      test("a module's fetch gets request, env and context", async () => {
        const plugin = await started(testPlugin('edge.js'));
        assert.deepEqual(await plugin.json('env'), { env: { who: 'Alice' }, waitUntil: 'function' });
        assert.equal((await plugin.ask('background')).body, 'answered first');
        const { status, headers } = await plugin.ask('headers');
        assert.equal(status, 201);
        assert.deepEqual(
          headers!.filter(([name]) => name === 'x-one'),
          [['x-one', '1, 2']],
        );
        for (const body of [['ab', 'cd'], { whole: 'abcd' }]) {
          const echoed = await plugin.ask({ method: 'POST', url: 'echo', body, headers: [['content-type', 'x/y']] });
          assert.equal(echoed.body, 'abcd');
          assert.deepEqual(echoed.headers, [['content-type', 'x/y']]);
        }
        assert.deepEqual(await plugin.json({ method: 'POST', url: 'json', body: ['{"a":[1]}'] }), { got: { a: [1] } });
        assert.equal((await plugin.ask({ method: 'POST', url: 'json', body: ['{"a":'] })).problem?.status, 500);
        assert.equal((await plugin.ask('throw')).problem?.detail, 'The plug-in threw an error.');
        await plugin.logged(/thrown on purpose\n\s+at .*main\.js:\d+:\d+/);
        assert.equal((await plugin.ask('nothing')).problem?.status, 500);
      });

      test('small bodies come in one piece, streams as they are made, and what breaks off breaks off', async () => {
        const plugin = await started(testPlugin('edge.js'));
        assert.equal((await plugin.ask()).streamed, false);
        const ticks = await plugin.ask('ticks');
        assert.equal(ticks.streamed, true);
        assert.equal(ticks.body, 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n');
        const head = await plugin.ask({ method: 'HEAD', url: 'cancelled' });
        assert.deepEqual([head.status, head.body], [200, null]);
        assert.equal((await plugin.ask('fails-midway')).broke, true);
        await plugin.logged(/The plug-in's response broke off: Error: stream broke on purpose/);
      });

      test('when the client leaves or the time is up, signal and stream hear why', async () => {
        const plugin = await started(`
          const said = [];
          export default {
            fetch(request) {
              const { pathname } = new URL(request.url);
              if (pathname === '/said') return Response.json(said);
              request.signal.addEventListener('abort', () => said.push(request.signal.reason.name));
              if (pathname === '/never') return new Promise(() => {});
              return new Response(new ReadableStream({
                async pull(controller) {
                  await new Promise((done) => setTimeout(done, 5));
                  controller.enqueue(new Uint8Array(10));
                },
                cancel(reason) { said.push('cancelled', reason.name); },
              }));
            },
          };`);
        const said = (expected: string[]) =>
          eventually(async () => JSON.stringify(await plugin.json('said')) === JSON.stringify(expected), `${expected}`);
        await plugin.drop({ url: 'never' }, 'gone');
        await said(['AbortError']);
        await plugin.drop({ url: 'never' }, 'timeout');
        await said(['AbortError', 'TimeoutError']);
        await plugin.leave({ url: 'stream' });
        await said(['AbortError', 'TimeoutError', 'AbortError', 'cancelled', 'AbortError']);
      });

      // ---- loading

      test('modules: static, dynamic, JSON, cyclic, once each; top-level await and import.meta.url', async () => {
        const paths = ['main.js', 'cycle-a.js', 'cycle-b.js', 'data.json', 'lazy.js', 'broken.js', 'sub/counter.js'];
        const plugin = await started(Object.fromEntries(paths.map((path) => [path, testPlugin(`modules/${path}`)])));
        assert.deepEqual(await plugin.json(), {
          data: { from: 'json', list: [1, 2, 3] },
          answer: 42,
          meta: `${folder}main.js`,
          cycle: 'abfunction',
          sameModule: 3,
          lazy: 'loaded when asked',
        });
        const imported = async (specifier: string) =>
          (await plugin.json(`?import=${encodeURIComponent(specifier)}`)).result;
        assert.deepEqual(await imported('./lazy.js'), ['default']);
        assert.match(await imported('./absent.js'), /Error: .*absent\.js/);
        assert.match(await imported('./broken.js'), /SyntaxError/);
        assert.match(await imported('bare-word'), /Error: .*bare-word/);
        for (const specifier of ['../echo.js', './%2e%2e/echo.js', '/etc/passwd', 'https://example.org/x.js']) {
          assert.match(await imported(specifier), /Error: /, specifier);
        }
      });

      test('without a circle, modules import each other, JSON and what a circle exports', async () => {
        const plugin = await started({
          'main.js': `#!/usr/bin/env valor
            import data from './data.json' with { type: 'json' };
            import { a } from './a.js'; import * as all from './a.js'; import { round, turn } from './circle.js';
            const again = (await import('./data.json', { with: { type: 'json' } })).default;
            turn();
            export default { fetch: () => Response.json([data.x, again === data, a, Object.keys(all), import.meta.url, round]) };`,
          'a.js': `export const a = new URL('z', import.meta.url).pathname; export default class {}`,
          'data.json': '{"x":1}',
          'circle.js': `import { step } from './circle-2.js'; export let round = 0; export function turn() { round += step(); }`,
          'circle-2.js': `import { round } from './circle.js'; export const step = () => round + 1;`,
        });
        assert.deepEqual(await plugin.json(), [1, true, '/plugins/p/z', ['a', 'default'], `${folder}main.js`, 1]);
      });

      test('imports reach the folder of the file, or that which the definition or the server gives', async () => {
        const files = {
          'lib/main.js': `import { up } from '../up.js'; export default { fetch: () => new Response(up) };`,
          'up.js': 'export const up = "up";',
        };
        assert.match(
          (await start(files)) as string,
          /there is no such file in the plug-in's folder .*\/plugins\/p\/lib\//,
        );
        assert.equal((await (await started(files, { root: folder })).ask()).body, 'up');
        const delivered = Object.fromEntries(
          Object.entries(files).map(([path, text]) => [`_valor/plugins/p/${path}`, text]),
        );
        assert.equal((await (await started(delivered)).ask()).body, 'up');
      });

      test('an app from npm runs unchanged', async () => {
        const plugin = await started(readFileSync(join(build, 'examples/hono-app.js'), 'utf8'));
        assert.equal((await plugin.ask()).body, 'try /books');
        assert.equal((await plugin.json('books/2')).title, 'Communicating Sequential Processes');
        const added = await plugin.ask({
          method: 'POST',
          url: 'books',
          headers: [['content-type', 'application/json']],
          body: ['{"title":"SICP"}'],
        });
        assert.equal(added.status, 201);
        assert.equal((await plugin.json('books/3')).title, 'SICP');
        assert.equal((await plugin.ask('nowhere')).status, 404);
      });

      test('importScripts runs scripts of the folder in order, in one global scope', async () => {
        const paths = ['main.js', 'lib/first.js', 'lib/second.js'];
        const plugin = await started(Object.fromEntries(paths.map((path) => [path, testPlugin(`imports/${path}`)])));
        assert.deepEqual((await plugin.json()).order, ['first', 'second after first']);
        for (const target of ['missing.js', '../counter.js', 'http://example.org/', 'data:text/javascript,0']) {
          assert.match((await plugin.json(`?import=${encodeURIComponent(target)}`)).error, /^NetworkError: /, target);
        }
        assert.match((await plugin.json(`?import=${encodeURIComponent('http://:0')}`)).error, /^SyntaxError: /);
      });

      test('a classic script is sloppy, and its declarations are those of its global', async () => {
        const plugin = await started(
          `
          var answer = [this === globalThis, self === globalThis, (() => { with ({ a: 1 }) return a; })()];
          implicit = 1;
          function declared() { return 2; }
          onmessage = async () => {
            answer.push(implicit, typeof declared, typeof undeclared, (await import('./m.js')).default);
            try { missing; } catch (error) { answer.push(error.name); }
            postMessage({ body: JSON.stringify(answer) });
          };
          //`,
          {},
        );
        // The module is missing: its import rejects, and says which.
        const { problem } = await plugin.ask();
        assert.equal(problem?.status, 500);
        await plugin.logged(/cannot import '\.\/m\.js' in .*main\.js/);
        const whole = await started({
          'main.js': `var answer = [this === globalThis, (() => { with ({ a: 1 }) return a; })()];
            implicit = 1;
            function declared() { return 2; }
            onmessage = async () => {
              answer.push(implicit, typeof declared, typeof undeclared, (await import('./m.js')).default);
              try { missing; } catch (error) { answer.push(error.name); }
              postMessage({ body: JSON.stringify(answer) });
            };`,
          'm.js': 'export default 3;',
        });
        assert.deepEqual(await whole.json(), [true, 1, 1, 'function', 'undefined', 3, 'ReferenceError']);
      });

      const noStart: [what: string, files: string | Record<string, string>, message: RegExp][] = [
        [
          'a script that answers nothing',
          'let x = 1;',
          /^the script answers no requests: it must set onmessage .*"fetch".*default export/,
        ],
        ['an error at load', '\n\nthrow new TypeError("at load");', /^TypeError: at load\n\s+at .*main\.js:3:7/],
        ['a syntax error in a script', 'onmessage = 1;\nlet x = ;', /main\.js:2:9\nlet x = ;\n {8}\^\nSyntaxError: /],
        [
          'a syntax error in a module',
          'export {};\n\tlet x = ;',
          /main\.js:2:10\n\tlet x = ;\n\t {8}\^\nSyntaxError: /,
        ],
        [
          'a syntax error in an import',
          { 'main.js': 'import "./lib/a.js";', 'lib/a.js': 'const a = 1;\n  let x = ;' },
          /lib\/a\.js:2:11\n {2}let x = ;\n {10}\^\nSyntaxError: /,
        ],
        [
          'a syntax error in an imported script',
          { 'main.js': 'importScripts("lib/a.js");', 'lib/a.js': 'let x = ;' },
          /lib\/a\.js:1:9\nlet x = ;/,
        ],
        ['a rejection at load', 'await Promise.reject(new Error("late")); export {};', /Error: late/],
        ['words that are thrown', 'throw "words";', /^words$/],
        [
          'an import that is not there',
          'import "./missing.js";',
          /cannot import '\.\/missing\.js' in .*main\.js: .*404/,
        ],
        [
          'a name that is not exported',
          { 'main.js': 'import { no } from "./a.js";', 'a.js': '' },
          /does not provide an export named 'no'/,
        ],
        [
          'importScripts in a module',
          { 'main.mjs': 'importScripts("a.js");' },
          /TypeError: importScripts\(\) is not for modules; use import/,
        ],
      ];
      for (const [what, files, message] of noStart) {
        test(`${what} keeps it from starting, and is told`, async () => {
          const why = await start(files);
          assert.equal(typeof why, 'string');
          assert.match(why as string, message);
        });
      }

      // ---- the global

      test('location, config, name and Request are those of the mount', async () => {
        const plugin = await started(`
          let fixed;
          try { 'use strict'; location.href = 'http://elsewhere/'; location = 'x'; } catch {}
          onmessage = async () => postMessage({ body: JSON.stringify([
            valor.config, self.valor === valor, location.href, location.pathname, String(location), name,
            new Request('a?b').url, new Request('/c') instanceof Request, new Request(new Request('d'), { method: 'PUT' }).method,
            new WebSocket('/ws').url.replace('ws:', 'http:'), typeof close, typeof clients, typeof FetchEvent, self === globalThis, self.self === self,
          ]) });`);
        assert.deepEqual(await plugin.json(), [
          { who: 'Alice' },
          true,
          location,
          '/mount/',
          location,
          'p',
          `${location}a?b`,
          true,
          'PUT',
          site.url('/ws'),
          'undefined',
          'undefined',
          'function',
          true,
          true,
        ]);
      });

      if (place === 'worker') {
        test('addresses of XMLHttpRequest are relative to the mount', async () => {
          site.files['/mount/data.txt'] = 'read';
          const plugin = await started(`
            const request = new XMLHttpRequest();
            request.open('GET', 'data.txt', false);
            request.send();
            onmessage = () => postMessage({ body: request.responseText });`);
          assert.equal((await plugin.ask()).body, 'read');
        });
      }

      test('a plug-in sees Web APIs', async () => {
        const { wrong, selfIsGlobal } = await (await started(testPlugin('scope.js'))).json();
        assert.deepEqual([wrong, selfIsGlobal], [[], true]);
      });

      test('fetch reads files of the folder, and leaves all else to the host', async () => {
        const answer = String.fromCharCode(
          0,
          97,
          115,
          109,
          1,
          0,
          0,
          0,
          1,
          5,
          1,
          96,
          0,
          1,
          127,
          3,
          2,
          1,
          0,
          7,
          5,
          1,
          1,
          102,
          0,
          0,
          10,
          6,
          1,
          4,
          0,
          65,
          42,
          11,
        );
        const plugin = await started({
          'main.js': `
            const of = (name, init) => fetch(new URL(name, import.meta.url), init);
            const { instance } = await WebAssembly.instantiateStreaming(of('lib/answer.wasm'));
            const module = await WebAssembly.compileStreaming(of('lib/answer.wasm?x#y'));
            const data = await of('data.json');
            const missing = await of('missing').catch((error) => error.cause.code);
            const posted = await of('data.json', { method: 'POST' }).catch((error) => error.cause.code);
            const elsewhere = await (await fetch('other?a', { method: 'POST', body: 'b' })).json();
            const above = await (await fetch(new URL('../x.json', import.meta.url))).json();
            export default { fetch: async () => Response.json([instance.exports.f(), WebAssembly.Module.exports(module).length,
              data.headers.get('content-type'), data.url, await data.json(), missing, posted, elsewhere, above]) };`,
          'lib/answer.wasm': `base64:${btoa(answer)}`,
          'data.json': '{"value":7}',
        });
        assert.deepEqual(await plugin.json(), [
          42,
          1,
          'application/json',
          `${folder}data.json`,
          { value: 7 },
          'ERR_NOT_FOUND',
          'ERR_METHOD',
          { elsewhere: `${location}other?a`, method: 'POST', body: 'b' },
          { elsewhere: site.url('/plugins/x.json'), method: 'GET', body: '' },
        ]);
      });

      test('a file that is a WASM module is run as such', async () => {
        const wasm = readFileSync(join(build, 'plugins/wasm/test-plugins/behaviours.wasm')).toString('base64');
        const plugin = await started({ 'plugin.wasm': `base64:${wasm}` });
        assert.equal((await plugin.ask()).body, 'fine');
      });

      test('glue as wasm-bindgen writes it loads its module', async () => {
        const wasm = readFileSync(join(build, 'plugins/wasm/test-plugins/greeter_bg.wasm')).toString('base64');
        const plugin = await started({
          'plugin.js': testPlugin('wasm-bindgen/plugin.js'),
          'greeter.js': testPlugin('wasm-bindgen/greeter.js'),
          'greeter_bg.wasm': `base64:${wasm}`,
        });
        assert.match((await plugin.ask('?name=Zoë')).body!, /Zoë/);
      });

      test('plug-ins of one service worker do not see each other', async () => {
        const script = (word: string): string => `
          var mine = '${word}'; globalThis.other = (globalThis.other ?? '') + mine; implied = mine;
          function named() { return mine; }
          Array.isArray.${word} = true;
          onmessage = () => postMessage({ body: JSON.stringify([mine, other, named(), implied, self.mine, typeof ${word === 'a' ? 'onlyB' : 'onlyA'}]) });
          only${word.toUpperCase()} = 1;
          if ('${word}' === 'a') setInterval(() => { throw new Error('of a'); }, 50);`;
        const a = await started(script('a'));
        const b = await started(script('b'));
        assert.deepEqual(await a.json(), ['a', 'a', 'a', 'a', 'a', 'undefined']);
        assert.deepEqual(await b.json(), ['b', 'b', 'b', 'b', 'b', 'undefined']);
        await a.logged(/uncaught Error: of a/);
        await a.end();
      });
    });
  }
}
