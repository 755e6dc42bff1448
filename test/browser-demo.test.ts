// The notes app of the examples and the page /_valor/ in real browsers: with the server alone, with plug-ins in the browser,
// and with the server gone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Browser, browserNames, type Developer, launchBrowser, type Page } from './browsers.ts';
import { serveExamples, type Valor } from './harness.ts';

let chromium: Browser;
before(async () => {
  chromium = await launchBrowser('chromium');
});
after(() => chromium.close());

const plugins = ['notes', 'notes-preview', 'notes-statistics'];

/** Waits until the page says of each of the three plug-ins that it answered there. */
async function answeredBy(page: Page, where: 'server' | 'browser'): Promise<void> {
  await page.until(
    (plugins, where) =>
      plugins.every((plugin) =>
        document.querySelector(`[data-plugin="${plugin}"]`)?.matches(`[data-where="${where}"]`),
      ),
    plugins,
    where,
  );
}

/** Writes into the editor as a reader would, and waits until it is saved. */
async function write(page: Page, text: string): Promise<void> {
  await page.evaluate((text) => {
    const editor = document.querySelector('textarea')!;
    editor.focus();
    editor.value = text;
    editor.dispatchEvent(new Event('input'));
  }, text);
  await page.until(() => document.querySelector('#saved')!.textContent === 'Saved');
}

async function writeNew(page: Page, text: string): Promise<void> {
  await page.evaluate(() => document.querySelector<HTMLButtonElement>('#new')!.click());
  await page.until(() => document.activeElement!.matches('textarea') && location.hash === '');
  await write(page, text);
}

const shown = (page: Page) =>
  page.evaluate(() => ({
    titles: [...document.querySelectorAll('#list strong')].map((title) => title.textContent),
    preview: document.querySelector('#preview')!.innerHTML.trim(),
    kept: document.querySelector('#kept')!.textContent!,
  }));

/** Writes a note, and sees it listed, shown, counted, found and deleted. */
async function useNotes(page: Page, where: 'server' | 'browser'): Promise<void> {
  const before = (await shown(page)).titles;
  await writeNew(page, '# Tea\n\nWater, *leaves*, <b>time</b>.');
  await answeredBy(page, where);
  await page.until(
    () =>
      document.querySelector('#list strong')?.textContent === 'Tea' &&
      document.querySelector('#preview em') &&
      document.querySelector('#statistics dd')?.textContent === '6',
  );
  const after = await shown(page);
  assert.deepEqual(after.titles, ['Tea', ...before]);
  assert.equal(after.preview, '<h1>Tea</h1>\n<p>Water, <em>leaves</em>, &lt;b&gt;time&lt;/b&gt;.</p>');

  await page.evaluate(() => {
    const search = document.querySelector<HTMLInputElement>('#search')!;
    search.value = 'leaves';
    search.dispatchEvent(new Event('input'));
  });
  await page.until(() => document.querySelector('#list mark')?.textContent === 'leaves');
  assert.deepEqual((await shown(page)).titles, ['Tea']);
  await page.evaluate(() => {
    const search = document.querySelector<HTMLInputElement>('#search')!;
    search.value = '';
    search.dispatchEvent(new Event('input'));
    document.querySelector<HTMLButtonElement>('#delete')!.click();
  });
  await page.until((count) => document.querySelectorAll('#list li').length === count, before.length);
}

/** The list is there, or the words that it is empty. */
const listed = (page: Page) => page.until(() => document.querySelector('#list li, #empty:not([hidden])') !== null);

async function openNotes(valor: Valor, browser = chromium): Promise<Page> {
  const page = await browser.newPage(`${valor.url}/notes-app/`);
  await listed(page);
  return page;
}

/** Closes the page, and says what it had to complain about. */
async function closeQuietly(page: Page, allowed = /^$/): Promise<void> {
  await page.close();
  const complaints = page.console.filter((line) => /^(error|warning|uncaught)/.test(line) && !allowed.test(line));
  assert.deepEqual(complaints, []);
}

test('notes with the server alone', async () => {
  const valor = await serveExamples(['--no-browser']);
  try {
    const page = await openNotes(valor);
    await useNotes(page, 'server');
    assert.match((await shown(page)).kept, /in the memory of the server/);
    await closeQuietly(page, /404/);
  } finally {
    await valor.stop();
  }
});

for (const name of browserNames) {
  test(`${name}: notes in the browser, then without the server, also when the page and the browser begin anew`, async () => {
    const valor = await serveExamples();
    const browser = await launchBrowser(name);
    try {
      const page = await openNotes(valor, browser);
      await useNotes(page, 'browser');
      await writeNew(page, 'Kept while the server was there');
      assert.match((await shown(page)).kept, /in this browser/);
      assert.deepEqual((await valor.ask('/notes/')).json().notes, []);

      await valor.stop();
      // What loads from now on is what Valor has kept.
      if (name === 'chromium') await (await page.developer()).send('Network.clearBrowserCache');
      await useNotes(page, 'browser');
      await page.until(() => /server is away/.test(document.querySelector('#kept')!.textContent!));
      await page.reload();
      await listed(page);
      await useNotes(page, 'browser');
      await writeNew(page, 'Kept while the server was gone');
      await page.close();

      await browser.restart();
      const again = await openNotes(valor, browser);
      await useNotes(again, 'browser');
      assert.deepEqual((await shown(again)).titles, [
        'Kept while the server was gone',
        'Kept while the server was there',
      ]);
      await again.evaluate(() => document.querySelector<HTMLButtonElement>('#sync')!.click());
      await again.until(() => /cannot be reached/.test(document.querySelector('#message')!.textContent!));
      await again.close();
    } finally {
      await browser.close();
      await valor.stop();
    }
  });
}

test('notes of a browser get to the server and to another browser by Sync', async () => {
  const valor = await serveExamples();
  const other = await launchBrowser('chromium');
  try {
    const page = await openNotes(valor);
    await writeNew(page, 'From the first');
    await sync(page, '1 note copied to the server, 0 notes from it.');
    const { notes } = (await valor.ask('/notes-shared/')).json();
    assert.equal(notes[0].title, 'From the first');

    const second = await other.newPage(`${valor.url}/notes-app/`);
    await listed(second);
    await sync(second, '0 notes copied to the server, 1 note from it.');
    await second.evaluate(() => document.querySelector<HTMLAnchorElement>('#list a')!.click());
    await second.until(() => document.querySelector('textarea')!.value === 'From the first');
    await write(second, 'From the second');
    await sync(second, '1 note copied to the server, 0 notes from it.');
    await sync(page, '0 notes copied to the server, 1 note from it.');
    assert.deepEqual((await shown(page)).titles, ['From the second']);

    await page.evaluate(() => document.querySelector<HTMLButtonElement>('#delete')!.click());
    await page.until(() => document.querySelectorAll('#list li').length === 0);
    await sync(page, '1 note copied to the server, 0 notes from it.');
    await sync(second, '0 notes copied to the server, 1 note from it.');
    assert.deepEqual((await shown(second)).titles, []);
  } finally {
    await other.close();
    await valor.stop();
  }
});

async function sync(page: Page, outcome: string): Promise<void> {
  await page.evaluate(() => document.querySelector<HTMLButtonElement>('#sync')!.click());
  await page.until((outcome) => document.querySelector('#message span')!.textContent === outcome, outcome);
}

interface Key {
  key: string;
  code: string;
  windowsVirtualKeyCode: number;
  text?: string;
}

const keys = {
  Tab: { key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 },
  Enter: { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' },
  Escape: { key: 'Escape', code: 'Escape', windowsVirtualKeyCode: 27 },
  ArrowUp: { key: 'ArrowUp', code: 'ArrowUp', windowsVirtualKeyCode: 38 },
  ArrowDown: { key: 'ArrowDown', code: 'ArrowDown', windowsVirtualKeyCode: 40 },
  Delete: { key: 'Delete', code: 'Delete', windowsVirtualKeyCode: 46 },
  '/': { key: '/', code: 'Slash', windowsVirtualKeyCode: 191, text: '/' },
  n: { key: 'n', code: 'KeyN', windowsVirtualKeyCode: 78 },
} satisfies Record<string, Key>;
const alt = 1;

async function press(developer: Developer, name: keyof typeof keys, modifiers = 0): Promise<void> {
  const key: Key = keys[name];
  await developer.send('Input.dispatchKeyEvent', { ...key, type: key.text ? 'keyDown' : 'rawKeyDown', modifiers });
  await developer.send('Input.dispatchKeyEvent', { ...key, type: 'keyUp', modifiers });
}

/** What has the focus: its id, its place in the list, or what it is. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement!;
    const at = [...document.querySelectorAll('#list a')].indexOf(element);
    return at >= 0 ? `note ${at}` : element.id || element.textContent!.trim();
  });

test('notes by keyboard alone', async () => {
  const valor = await serveExamples();
  try {
    const page = await openNotes(valor);
    const developer = await page.developer();
    const type = (text: string) => developer.send('Input.insertText', { text });
    const has = (what: string) => page.until((what) => what === (document.activeElement!.id || 'body'), what);

    for (const text of ['First', 'Second', 'Third']) {
      await press(developer, 'n', alt);
      await has('text');
      await type(text);
      await page.until((text) => document.querySelector('#list strong')?.textContent === text, text);
    }
    await press(developer, 'Escape');
    assert.equal(await focused(page), 'note 0');
    await press(developer, 'ArrowDown');
    await press(developer, 'ArrowDown');
    await press(developer, 'ArrowUp');
    assert.equal(await focused(page), 'note 1');
    await press(developer, 'Enter');
    await has('text');
    assert.equal(await page.evaluate(() => document.querySelector('textarea')!.value), 'Second');

    await press(developer, 'Escape');
    await press(developer, '/');
    await has('search');
    await type('third');
    await page.until(() => document.querySelectorAll('#list li').length === 1);
    await press(developer, 'ArrowDown');
    assert.equal(await focused(page), 'note 0');
    await press(developer, '/');
    await press(developer, 'Escape');
    await page.until(() => document.querySelectorAll('#list li').length === 3);

    await press(developer, '/');
    const order = [];
    for (let i = 0; i < 6; i++) {
      order.push(await focused(page));
      const outline = await page.evaluate(() => {
        const { activeElement } = document;
        const marked = activeElement!.matches('textarea') ? activeElement!.parentElement! : activeElement!;
        const { outlineStyle, boxShadow } = getComputedStyle(marked);
        return outlineStyle !== 'none' || boxShadow !== 'none';
      });
      assert.ok(outline, `the focus shows on ${order.at(-1)}`);
      await press(developer, 'Tab');
    }
    // One stop for the whole list, at the note that is open.
    assert.deepEqual(order, ['search', 'new', 'More', 'note 1', 'delete', 'text']);

    await press(developer, 'Escape');
    assert.equal(await focused(page), 'note 1');
    await press(developer, 'Delete');
    await page.until(() => document.querySelectorAll('#list li').length === 2);
    await page.until(() => document.activeElement!.matches('#list a'));
    while ((await focused(page)) !== 'Undo') await press(developer, 'Tab');
    await press(developer, 'Enter');
    await page.until(() => document.querySelectorAll('#list li').length === 3);
    assert.deepEqual((await shown(page)).titles.sort(), ['First', 'Second', 'Third']);
    await closeQuietly(page);
  } finally {
    await valor.stop();
  }
});

test('the page /_valor/ lists plug-ins, asks them, and stops and starts them', async () => {
  const valor = await serveExamples(['-w']);
  try {
    const notes = await openNotes(valor);
    await useNotes(notes, 'browser');
    const page = await chromium.newPage(`${valor.url}/_valor/`);
    const row = (name: string) =>
      page.evaluate((name) => {
        const header = [...document.querySelectorAll('#plugins th span')].find((span) => span.textContent === name);
        const cells = header?.closest('tr')?.querySelectorAll('td') ?? [];
        return Object.fromEntries([...cells].map((cell) => [cell.dataset.label, cell.textContent]));
      }, name);
    await page.until(() => /^Running/.test(document.querySelector('#state')!.textContent!));
    await page.until(() => document.querySelectorAll('#plugins tbody').length > 10);
    const preview = await row('notes-preview');
    assert.equal(preview['In this browser'], 'Worker');
    assert.equal(preview.State, 'running');
    assert.ok(Number(preview.Requests) > 0);
    assert.equal(preview.Failures, '0');
    assert.match(preview.Latency!, /^\d+\.\d ms$/);
    assert.match(preview['On the server']!, /^running/);
    const shared = await row('notes-shared');
    assert.equal(shared.State, '');
    assert.match(shared['On the server']!, /^running/);

    const outcome = await ask(page, 'POST', '/notes/', 'content-type: application/json', '{"text":"By hand"}');
    assert.match(outcome.text, /^201 Created.*by notes.*in a Worker of this browser$/s);
    assert.equal(JSON.parse(outcome.body).text, 'By hand');
    assert.match(outcome.body, /\n {2}"text"/);
    assert.match((await ask(page, 'GET', '/site/', '', '')).text, /^200.*by site.*from the server$/s);
    assert.match((await ask(page, 'GET', '/nothing', '', '')).text, /^404.*by no plug-in/s);

    await page.evaluate(() => document.querySelector<HTMLButtonElement>('#stop')!.click());
    await page.until(() => /^Not running/.test(document.querySelector('#state')!.textContent!));
    assert.match((await ask(page, 'GET', '/hello', '', '')).text, /^200.*by hello.*from the server$/s);
    await page.reload();
    await page.until(() => /^Not running/.test(document.querySelector('#state')!.textContent!));
    assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
    await page.evaluate(() => document.querySelector<HTMLButtonElement>('#start')!.click());
    await page.until(() => /^Running/.test(document.querySelector('#state')!.textContent!));
    assert.match((await ask(page, 'GET', '/hello', '', '')).text, /^200.*by hello.*in a Worker of this browser$/s);
    await closeQuietly(page, /status of 404/);
  } finally {
    await valor.stop();
  }
});

/** By the form. */
async function ask(page: Page, ...fields: [method: string, path: string, headers: string, body: string]) {
  await page.evaluate(
    (...values) => {
      const form = document.querySelector('form')!;
      document.querySelector('#outcome')!.replaceChildren();
      ['method', 'path', 'headers', 'body'].forEach((name, i) => {
        const field = form.elements.namedItem(name) as HTMLInputElement;
        field.value = values[i]!;
        field.dispatchEvent(new Event('change'));
      });
      form.requestSubmit();
    },
    ...fields,
  );
  const outcome = await page.until(() => {
    const text = [...document.querySelector('#outcome')!.children].map((part) => part.textContent).join('\n');
    return text === '' ? null : { text, body: document.querySelector('pre')!.textContent! };
  });
  return outcome!;
}
