// Which known word somebody may have meant.

/** The closest of `words` to `word`, or undefined when none is close. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  // Something of the word must stay: "go" is no way to write "js".
  let bestDistance = Math.min(Math.max(2, Math.floor(word.length / 3)) + 1, Math.max(word.length, 1));
  for (const candidate of words) {
    const distance = candidate.startsWith(word) && word.length > 1 ? 1 : editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's: insertions, deletions and substitutions. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
