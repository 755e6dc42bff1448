// Keeps notes: a browser keeps them in its IndexedDB, a server in the memory of this instance.
//
//   GET  /            what there is, the latest first: { kept, notes: [{ id, title, excerpt, changed }] }
//   GET  /?q=WORDS    the notes that have all the words, the best first
//   GET  /?whole      with their text, and what is left of deleted ones: what it takes to copy all of them elsewhere
//   POST /            { text } makes one: 201
//   GET, PUT, DELETE  /ID
//
// `changed` is in milliseconds. A PUT may say it, and `deleted`, for a note from elsewhere: the later change wins.
import { excerpt, find, title } from './find.js';

const longest = 100_000; // characters of a note

class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

class Memory {
  kept = 'memory';
  most = 500;
  #notes = new Map();

  all = async () => [...this.#notes.values()];
  get = async (id) => this.#notes.get(id);
  put = async (note) => void this.#notes.set(note.id, note);
}

class Database {
  kept = 'browser';
  most = 10_000;
  #opened;

  async #store(mode, use) {
    this.#opened ??= this.#open();
    const database = await this.#opened;
    return settled(use(database.transaction('notes', mode).objectStore('notes')));
  }

  /** Opened anew after it failed, or when the browser's user has deleted what sites keep. */
  async #open() {
    const forget = () => {
      this.#opened = undefined;
    };
    try {
      const database = await open();
      database.onclose = forget;
      return database;
    } catch (error) {
      forget();
      throw error;
    }
  }

  all = () => this.#store('readonly', (notes) => notes.getAll());
  get = (id) => this.#store('readonly', (notes) => notes.get(id));
  put = (note) => this.#store('readwrite', (notes) => notes.put(note));
}

function open() {
  const request = indexedDB.open('notes', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('notes', { keyPath: 'id' });
  return settled(request);
}

function settled(request) {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

const store = 'indexedDB' in globalThis ? new Database() : new Memory();

async function list(query) {
  const all = await store.all();
  if (query.has('whole')) return { kept: store.kept, notes: all };
  const notes = all.filter((note) => !note.deleted).sort((a, b) => b.changed - a.changed);
  const words = query.get('q') ?? '';
  const found = words === '' ? notes : find(notes, words);
  const short = ({ id, text, changed }) => ({ id, title: title(text), excerpt: excerpt(text, words), changed });
  return { kept: store.kept, notes: found.map(short) };
}

async function existing(id) {
  const note = await store.get(id);
  if (!note || note.deleted) throw new Problem(404, `there is no note ${id}`);
  return note;
}

async function read(request) {
  // Pages of elsewhere cannot send this type unasked.
  const type = request.headers.get('content-type') ?? '';
  if (!type.startsWith('application/json')) throw new Problem(415, 'content-type has to be application/json');
  const sent = await request.json().catch(() => null);
  if (typeof sent?.text !== 'string') throw new Problem(400, 'a note is JSON: {"text": "..."}');
  if (sent.text.length > longest) throw new Problem(413, `a note has at most ${longest} characters`);
  return sent;
}

async function makeRoom() {
  const { length } = await store.all();
  if (length >= store.most) throw new Problem(507, `there are ${length} notes, deleted ones included, and no more fit`);
}

async function make(request) {
  const { text } = await read(request);
  await makeRoom();
  const note = { id: crypto.randomUUID(), text, changed: Date.now() };
  await store.put(note);
  return note;
}

async function change(id, request) {
  const { text, changed = Date.now(), deleted = false } = await read(request);
  if (!/^[\w-]{1,64}$/.test(id)) throw new Problem(400, 'an id has up to 64 letters, digits, _ and -');
  if (!Number.isFinite(changed)) throw new Problem(400, '"changed" is a number of milliseconds');
  const now = await store.get(id);
  if (now && now.changed > changed) return now;
  if (!now) await makeRoom();
  const note = deleted ? { id, text: '', changed, deleted: true } : { id, text, changed };
  await store.put(note);
  return note;
}

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url);
  const id = decodeURIComponent(pathname.slice(1));
  const allow = id === '' ? 'GET, HEAD, POST' : 'GET, HEAD, PUT, DELETE';
  if (!allow.split(', ').includes(request.method)) return new Response(null, { status: 405, headers: { allow } });
  if (request.method === 'POST') {
    const note = await make(request);
    return Response.json(note, { status: 201, headers: { location: `./${note.id}` } });
  }
  if (id === '') return Response.json(await list(searchParams));
  if (request.method === 'PUT') return Response.json(await change(id, request));
  const note = await existing(id);
  if (request.method !== 'DELETE') return Response.json(note);
  await store.put({ id, text: '', changed: Date.now(), deleted: true });
  return new Response(null, { status: 204 });
}

export default {
  async fetch(request) {
    try {
      return await answer(request);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { status, message: detail } = error;
      const headers = { 'content-type': 'application/problem+json' };
      return Response.json({ status, detail }, { status, headers });
    }
  },
};
