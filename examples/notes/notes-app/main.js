// The page: ties the list, the editor and what is beside it together. The note that is open is in the address: #ID.
import { showAnswers } from './answers.js';
import { ask, askJson, json } from './ask.js';
import { exportNotes, importNotes, sync } from './copy.js';
import { Draft } from './draft.js';
import { List } from './list.js';
import { Side } from './side.js';

const $ = (id) => document.getElementById(id);
const [search, text, saved, empty, message] = ['search', 'text', 'saved', 'empty', 'message'].map($);
const list = new List($('list'));
const side = new Side($('preview'), $('statistics'));
const showKept = showAnswers($('answers'), $('kept'));
const tabs = new BroadcastChannel('notes-app');
const undoMs = 8_000;
const mostAtTheEnd = 20_000;

let draft = new Draft();
let hideMessage;

function say(words, undo) {
  const button = message.querySelector('button');
  message.querySelector('span').textContent = words;
  button.hidden = !undo;
  button.onclick = async () => {
    message.hidden = true;
    await undo().catch((error) => say(error.message));
  };
  message.hidden = false;
  clearTimeout(hideMessage);
  hideMessage = setTimeout(() => {
    message.hidden = true;
  }, undoMs);
}

/** Runs what a button or a key asks for; what goes wrong is said. */
const act = (action) => async (event) => {
  try {
    await action(event);
  } catch (error) {
    say(error.message);
  }
};

let listing = 0;
async function refresh() {
  const words = search.value.trim();
  const number = ++listing;
  const found = await askJson(words === '' ? '/notes/' : `/notes/?q=${encodeURIComponent(words)}`).catch(
    (error) => error,
  );
  if (number !== listing) return;
  empty.hidden = false;
  if (found instanceof Error) {
    empty.textContent = `The notes cannot be listed. ${found.message}`;
    return;
  }
  showKept(found.kept);
  list.show(found.notes, words);
  empty.hidden = found.notes.length > 0;
  empty.textContent =
    words === '' ? 'No notes yet. Just write: the first line becomes the title.' : `No note has “${words}”.`;
}

function show(next) {
  draft.close();
  draft = next;
  draft.addEventListener('state', () => draft === next && showState());
  draft.addEventListener('saved', async () => {
    if (draft === next) setAddress(next.id);
    tabs.postMessage('changed');
    await refresh();
  });
  text.value = draft.text;
  text.scrollTop = 0;
  setAddress(draft.id);
  showState();
  if (draft.text === '') side.clear();
  else side.show(draft.text, { now: true });
}

function showState() {
  saved.textContent = draft.state;
  saved.classList.toggle('error', draft.hasFailed);
  if (draft.hasFailed) say(draft.state);
}

function setAddress(id) {
  const hash = id === null ? '' : `#${id}`;
  if (location.hash !== hash) history.replaceState(null, '', `${location.pathname}${hash}`);
  list.mark(id);
  $('delete').disabled = id === null;
}

let opening = 0;
async function open(id) {
  const number = ++opening;
  await draft.save();
  // It stays where it is; why, has been said.
  if (!draft.isSaved) return setAddress(draft.id);
  const next = await (id === null ? new Draft() : Draft.open(id).catch((error) => error));
  if (number !== opening) return;
  if (next instanceof Error) say(next.message);
  show(next instanceof Error ? new Draft() : next);
}

async function begin() {
  await open(null);
  view('write');
  text.focus();
}

async function remove(id) {
  if (draft.id === id) await draft.save();
  const note = await askJson(`/notes/${id}`);
  const next = list.beside(id);
  await ask(`/notes/${id}`, { method: 'DELETE' });
  if (draft.id === id) {
    draft.close();
    await open(next);
  }
  await refresh();
  list.focus(next ?? undefined) || text.focus();
  tabs.postMessage('changed');
  say('Deleted.', async () => {
    await ask(`/notes/${id}`, json('PUT', { text: note.text }));
    await refresh();
    await open(id);
    list.focus();
  });
}

/** Where there is no room for all of them: which one shows. */
function view(name) {
  document.body.dataset.view = name;
  for (const button of document.querySelectorAll('[data-show]')) {
    button.setAttribute('aria-pressed', String(button.dataset.show === name));
  }
}

const count = (n, what = 'note') => `${n} ${what}${n === 1 ? '' : 's'}`;

text.addEventListener('input', () => {
  draft.write(text.value);
  side.show(text.value);
});
text.addEventListener('blur', () => draft.save());
search.addEventListener('input', refresh);
addEventListener('hashchange', () => open(location.hash.slice(1) || null));
tabs.onmessage = async () => {
  await refresh();
  // Another tab's version, where nothing here waits to be saved.
  if (!draft.isSaved || draft.id === null || document.activeElement === text) return;
  const next = await Draft.open(draft.id).catch(() => new Draft());
  if (draft.isSaved && next.text !== draft.text) show(next);
};

// Also when the page closes. What a request may carry then is limited; the browser asks about what could not be saved.
document.addEventListener(
  'visibilitychange',
  () => document.visibilityState === 'hidden' && draft.save({ keepalive: true }),
);
addEventListener('beforeunload', (event) => {
  if (draft.isSaved) return;
  draft.save({ keepalive: true });
  if (draft.hasFailed || draft.text.length > mostAtTheEnd) event.preventDefault();
});

$('new').onclick = act(begin);
$('delete').onclick = act(() => remove(draft.id));
$('help').onclick = () => $('shortcuts').showModal();
$('import').onclick = () => $('file').click();
$('export').onclick = act(async () => say(`${count(await exportNotes())} exported.`));
$('file').onchange = act(async ({ target }) => {
  const [file] = target.files;
  target.value = '';
  say(`${count(await importNotes(file))} imported.`);
  await refresh();
});
$('sync').onclick = act(async () => {
  await draft.save();
  const { sent, got } = await sync();
  await refresh();
  if (draft.id !== null && document.activeElement !== text) await open(draft.id);
  say(sent + got === 0 ? 'Both have the same notes.' : `${count(sent)} copied to the server, ${count(got)} from it.`);
});
$('more').addEventListener('click', () => $('more').hidePopover());
for (const button of document.querySelectorAll('[data-show]')) button.onclick = () => view(button.dataset.show);
$('list').addEventListener('click', () => view('write'));

document.addEventListener('keydown', (event) => {
  if ($('shortcuts').open || $('more').matches(':popover-open')) return;
  const { target, key } = event;
  const isTyping = target === text || target === search;
  const keys = {
    'alt+keyn': act(begin),
    'ctrl+s': () => draft.save(),
    escape: () => {
      if (target === search) search.value = '';
      if (target === search) refresh();
      view('list');
      list.focus();
    },
  };
  if (!isTyping) {
    keys['/'] = () => search.focus();
    keys['?'] = () => $('shortcuts').showModal();
  }
  if (target === search) keys.arrowdown = () => list.focus();
  if (target.matches('#list a')) {
    const id = target.hash.slice(1);
    keys.delete = act(() => remove(id));
    keys.enter = act(async () => {
      if (draft.id !== id) await open(id);
      view('write');
      text.focus();
    });
  }
  // Alt makes other characters of some keys.
  const prefix = `${event.altKey ? 'alt+' : ''}${event.ctrlKey || event.metaKey ? 'ctrl+' : ''}`;
  const name = prefix + (event.altKey ? event.code : key).toLowerCase();
  if (!(name in keys)) return;
  event.preventDefault();
  keys[name]();
});

const id = location.hash.slice(1);
show(new Draft());
await refresh();
if (id !== '') await open(id);
