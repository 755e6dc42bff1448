// Preview and statistics of what is in the editor: one plug-in each, asked a moment after each change.
import { ask, askJson } from './ask.js';

const pauseMs = 120;

const ease = [
  [80, 'very easy'],
  [60, 'plain'],
  [40, 'fairly hard'],
  [20, 'hard'],
  [0, 'very hard'],
];

export class Side {
  #preview;
  #statistics;
  #timer;
  #request = new AbortController();

  constructor(preview, statistics) {
    this.#preview = preview;
    this.#statistics = statistics;
  }

  /** `now`: a note was opened; what is shown is another's. */
  show(text, { now = false } = {}) {
    clearTimeout(this.#timer);
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.#timer = setTimeout(
      () => Promise.all([this.#render(text, signal), this.#count(text, signal)]),
      now ? 0 : pauseMs,
    );
  }

  clear() {
    clearTimeout(this.#timer);
    this.#request.abort();
    this.#preview.replaceChildren();
    this.#statistics.replaceChildren();
  }

  async #render(text, signal) {
    try {
      const answer = await ask('/notes-preview', { method: 'POST', body: text, signal });
      // The plug-in lets no HTML of the text through, and the page's policy would run no script.
      this.#preview.innerHTML = await answer.text();
      for (const link of this.#preview.querySelectorAll('a')) link.target = '_blank';
    } catch (error) {
      this.#fail(this.#preview, 'No preview.', error);
    }
  }

  async #count(text, signal) {
    try {
      const found = await askJson('/notes-statistics', { method: 'POST', body: text, signal });
      const minutes = Math.round(found.seconds / 60);
      const rows = [
        ['Words', found.words.toLocaleString()],
        ['Characters', found.characters.toLocaleString()],
        ['Sentences', found.sentences.toLocaleString()],
        ['Reading time', found.seconds < 60 ? `${found.seconds} s` : `${minutes} min`],
      ];
      if (found.ease !== null)
        rows.push(['Reads', `${ease.find(([least]) => found.ease >= least)[1]} (${found.ease})`]);
      if (found.frequent.length > 0) rows.push(['Often', found.frequent.map(([word, n]) => `${word} ${n}`).join(', ')]);
      this.#statistics.replaceChildren(...rows.map(row));
    } catch (error) {
      this.#fail(this.#statistics, 'No statistics.', error);
    }
  }

  #fail(element, what, error) {
    if (error.name === 'AbortError') return;
    const text = document.createElement('p');
    text.className = 'error';
    text.textContent = `${what} ${error.message}`;
    element.replaceChildren(text);
  }
}

function row([name, value]) {
  const element = document.createElement('div');
  const [term, description] = ['dt', 'dd'].map((tag) => document.createElement(tag));
  term.textContent = name;
  description.textContent = value;
  element.append(term, description);
  return element;
}
