// The note in the editor. Saves itself a moment after the last change, one save at a time, and tries again when one fails.
import { ask, askJson, json } from './ask.js';

const pauseMs = 500;
const againMs = 3_000;

/** 'saved' events after each save, 'state' events when `state` changes. */
export class Draft extends EventTarget {
  /** Of a note that was never saved: null. */
  id = null;
  text = '';
  /** For the reader. */
  state = '';
  hasFailed = false;
  #saved = '';
  #timer;
  #saving = null;

  static async open(id) {
    const draft = new Draft();
    const note = await askJson(`/notes/${id}`);
    draft.id = id;
    draft.text = note.text;
    draft.#saved = note.text;
    return draft;
  }

  get isSaved() {
    return this.text === this.#saved;
  }

  write(text) {
    this.text = text;
    if (!this.hasFailed) this.#say('…');
    this.#after(pauseMs);
  }

  /** Resolves when what was written is saved, or cannot be for now. */
  save(init = {}) {
    clearTimeout(this.#timer);
    this.#saving ??= this.#saveAll(init).finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  /** It is deleted, or another takes its place: nothing is saved any more. */
  close() {
    clearTimeout(this.#timer);
    this.#saved = this.text;
  }

  async #saveAll(init) {
    while (!this.isSaved) {
      const { text } = this;
      try {
        if (this.id === null) {
          ({ id: this.id } = await askJson('/notes/', json('POST', { text }, init)));
        } else {
          await ask(`/notes/${this.id}`, json('PUT', { text }, init));
        }
      } catch (error) {
        this.hasFailed = true;
        this.#say(`Not saved. ${error.message}`);
        return this.#after(againMs);
      }
      this.#saved = text;
      this.dispatchEvent(new Event('saved'));
    }
    this.hasFailed = false;
    this.#say('Saved');
  }

  #after(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), ms);
  }

  #say(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}
