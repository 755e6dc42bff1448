// What lists of notes show of them, and which of them have the words that are looked for.

const excerptLength = 120;

/** The first line that has a word in it, without marks of Markdown. */
export function title(text) {
  const line = text.split('\n').find((line) => /[\p{L}\p{N}]/u.test(line)) ?? '';
  return plain(line).slice(0, 100);
}

/** From a bit before the first of the words, or else what follows the title. */
export function excerpt(text, words = '') {
  const body = text.trimStart().split('\n').slice(1).map(plain).filter(Boolean).join(' ');
  const folded = fold(body);
  const found = split(words)
    .map((word) => folded.indexOf(word))
    .filter((at) => at >= 0);
  const begin = found.length === 0 ? 0 : Math.max(0, body.lastIndexOf(' ', Math.min(...found) - 30));
  return (begin > 0 ? '…' : '') + body.slice(begin, begin + excerptLength).trim();
}

/** Notes that have every word, also as the beginning of one; those with many of them, and in their titles, first. */
export function find(notes, words) {
  const wanted = split(words);
  return notes
    .map((note) => ({ note, score: score(note.text, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || b.note.changed - a.note.changed)
    .map(({ note }) => note);
}

const split = (words) => fold(words).split(/\s+/).filter(Boolean);

/** Without case and accents. */
const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function plain(text) {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\s*(#{1,6}|[-*+>]|\d+[.)])\s+(\[[ xX]\]\s+)?/, '')
    .replace(/[*_`~|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function score(text, wanted) {
  const head = fold(title(text));
  const body = fold(text);
  let total = 0;
  for (const word of wanted) {
    const times = body.split(word).length - 1;
    if (times === 0) return 0;
    total += Math.log2(1 + times) + (head.includes(word) ? 5 : 0);
  }
  return total;
}
