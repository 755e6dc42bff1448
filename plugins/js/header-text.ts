// Headers on their way to C++: one string, first how many pairs, then their names and values in turn, each followed by a
// NUL. "" stands for none.
//
// Most responses of a plug-in carry the same headers as the one before. Handing over the very same string again spares
// this side the joining and C++ (response-parts.h) the reading.

const { isArray } = Array;

export class HeaderText {
  #parts: string[] = [];
  #text = '';

  /** `parts` are names and values in turn. */
  join(parts: readonly string[]): string {
    const last = this.#parts;
    let at = 0;
    if (parts.length === last.length) while (at < parts.length && parts[at] === last[at]) at++;
    if (at === parts.length && at === last.length) return this.#text;
    let text = parts.length === 0 ? '' : `${parts.length >> 1}\0`;
    const copy: string[] = [];
    for (at = 0; at < parts.length; at++) {
      text += `${parts[at]}\0`;
      copy[at] = parts[at]!;
    }
    this.#parts = copy;
    this.#text = text;
    return text;
  }

  /** As join() for a list of pairs; undefined when it is none. */
  joinPairs(pairs: readonly unknown[]): string | undefined {
    const last = this.#parts;
    let known = pairs.length * 2 === last.length;
    for (let at = 0; known && at < pairs.length; at++) {
      const pair = pairs[at];
      known = isArray(pair) && pair.length === 2 && pair[0] === last[2 * at] && pair[1] === last[2 * at + 1];
    }
    if (known) return this.#text;
    const parts: string[] = [];
    for (let at = 0; at < pairs.length; at++) {
      const pair = pairs[at];
      if (!isArray(pair) || pair.length !== 2) return undefined;
      const [name, value] = pair;
      if (typeof name !== 'string' || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
      parts[2 * at] = name;
      parts[2 * at + 1] = `${value}`;
    }
    return this.join(parts);
  }
}
