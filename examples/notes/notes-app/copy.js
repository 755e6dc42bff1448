// Notes from one place to another. Of two versions the later one wins, also where it is a deletion.
import { ask, askJson, json } from './ask.js';

const whole = async (path) => (await askJson(`${path}?whole`)).notes;

/** Puts those notes to `path` that are newer than what it has. Returns how many. */
async function put(path, notes, there) {
  const changed = new Map(there.map((note) => [note.id, note.changed]));
  const newer = notes.filter((note) => note.changed > (changed.get(note.id) ?? Number.NEGATIVE_INFINITY));
  for (const note of newer) await ask(`${path}${encodeURIComponent(note.id)}`, json('PUT', note));
  return newer.length;
}

/** /notes/ is answered by the nearest plug-in, /notes-shared/ always by the one on the server. */
export async function sync() {
  const [here, there] = await Promise.all([whole('/notes/'), whole('/notes-shared/')]);
  return { sent: await put('/notes-shared/', here, there), got: await put('/notes/', there, here) };
}

export async function exportNotes() {
  const notes = (await whole('/notes/')).filter((note) => !note.deleted);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ notes }, null, 2)], { type: 'application/json' }));
  link.download = 'notes.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return notes.length;
}

export async function importNotes(file) {
  let notes;
  try {
    ({ notes } = JSON.parse(await file.text()));
    if (!notes.every(({ id, text }) => typeof id === 'string' && typeof text === 'string')) throw new Error();
  } catch {
    throw new Error(`${file.name} holds no exported notes.`);
  }
  return put('/notes/', notes, await whole('/notes/'));
}
