// The list of notes. One of its links is a stop of the Tab key; arrows lead to the others.

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });

const when = (changed) => {
  const date = new Date(changed);
  return (date.toDateString() === new Date().toDateString() ? time : day).format(date);
};

export class List {
  #list;
  #links = new Map();
  #current = null;

  constructor(list) {
    this.#list = list;
    list.addEventListener('keydown', (event) => this.#move(event));
    list.addEventListener('focusin', () => this.#setStop());
  }

  /** Links that stay are left alone, so that the focus stays too. */
  show(notes, words) {
    const links = new Map();
    for (const note of notes)
      links.set(note.id, this.#fill(this.#links.get(note.id) ?? makeLink(note.id), note, words));
    this.#links = links;
    const items = [...links.values()].map((link) => link.parentElement);
    if (items.some((item, i) => item !== this.#list.children[i])) this.#list.replaceChildren(...items);
    for (const extra of [...this.#list.children].slice(items.length)) extra.remove();
    this.mark(this.#current);
  }

  mark(id) {
    this.#current = id;
    for (const [its, link] of this.#links) {
      if (its === id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    this.#setStop();
  }

  /** Returns whether there is anything to focus. */
  focus(id = this.#current) {
    const link = this.#links.get(id) ?? this.#links.values().next().value;
    link?.focus();
    return link !== undefined;
  }

  /** The note after it, or before it at the end; null when it is the only one. */
  beside(id) {
    const ids = [...this.#links.keys()];
    const at = ids.indexOf(id);
    return ids[at + 1] ?? ids[at - 1] ?? null;
  }

  #setStop() {
    const links = [...this.#links.values()];
    const stop = links.find((link) => link === document.activeElement) ?? this.#links.get(this.#current) ?? links[0];
    for (const link of links) link.tabIndex = link === stop ? 0 : -1;
  }

  #move(event) {
    const links = [...this.#links.values()];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    links[to]?.focus();
  }

  #fill(link, note, words) {
    const [title, excerpt, changed] = link.children;
    mark(title, note.title || 'Untitled', words);
    mark(excerpt, note.excerpt, words);
    changed.dateTime = new Date(note.changed).toISOString();
    changed.textContent = when(note.changed);
    return link;
  }
}

function makeLink(id) {
  const link = document.createElement('a');
  link.href = `#${id}`;
  link.append(...['strong', 'span', 'time'].map((name) => document.createElement(name)));
  document.createElement('li').append(link);
  return link;
}

/** Text with the words that were looked for marked. */
function mark(element, text, words) {
  const wanted = words.split(/\s+/).filter(Boolean).map(RegExp.escape);
  const parts = wanted.length === 0 ? [text] : text.split(new RegExp(`(${wanted.join('|')})`, 'gi'));
  const nodes = parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const found = document.createElement('mark');
    found.textContent = part;
    return found;
  });
  element.replaceChildren(...nodes);
}
