// The line at the bottom: who answered last, where, how fast; where the notes are; whether the server is there.
import { answers } from './ask.js';

const shown = { notes: 'Notes', 'notes-preview': 'Preview', 'notes-statistics': 'Statistics', 'notes-shared': 'Sync' };
const checkEvery = 5_000;

const kept = {
  browser: 'These notes are in this browser (IndexedDB), and nowhere else until you sync them.',
  memory: 'These notes are in the memory of the server, until it ends.',
};

export function showAnswers(list, line) {
  const items = new Map();
  answers.addEventListener('answer', ({ detail: { plugin, where, ms } }) => {
    let item = items.get(plugin);
    if (item === undefined) {
      item = document.createElement('li');
      item.dataset.plugin = plugin;
      items.set(plugin, item);
      list.append(...Object.keys(shown).flatMap((name) => items.get(name) ?? []));
    }
    item.dataset.where = where === null ? 'nowhere' : where === 'the server' ? 'server' : 'browser';
    const text = where === null ? 'nobody answered' : `${where}, ${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
    item.textContent = `${shown[plugin]}: ${text}`;
  });

  let place = '';
  let server = true;
  const write = () => {
    const hint = place === 'browser' ? ' Stop it or go offline: all but Sync goes on.' : '';
    line.textContent = `${kept[place] ?? ''} ${server ? `The server is there.${hint}` : 'The server is away.'}`;
    line.dataset.server = server ? 'there' : 'away';
  };
  const check = async () => {
    if (document.visibilityState !== 'visible') return;
    const answer = await fetch('/_health', { cache: 'no-store' }).catch(() => null);
    server = answer?.ok ?? false;
    write();
  };
  check();
  setInterval(check, checkEvery);
  for (const event of ['online', 'offline', 'focus']) addEventListener(event, check);
  return (where) => {
    place = where;
    write();
  };
}
