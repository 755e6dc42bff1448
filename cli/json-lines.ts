// JSON files that people write: a value, and the line on which each part of it stands.
import { UsageError } from './arguments.ts';

export type Path = readonly (string | number)[];

export interface JsonFile {
  value: unknown;
  /** Line of the value at this path; of the nearest that there is around it where it is missing. From 1. */
  lineOf(path: Path): number;
}

const tokens = /"(?:[^"\\\n]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,]+/g;

/** Throws UsageError with file and line. */
export function readJson(text: string, file: string): JsonFile {
  const lines = linesOf(text, file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: no JSON: ${(error as Error).message}`);
  }
  return {
    value,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(JSON.stringify(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return lines.get('[]') ?? 1;
    },
  };
}

/** "cases[2].expect.status" */
export function pathText(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '');
}

/** By path, as JSON. */
function linesOf(text: string, file: string): Map<string, number> {
  const found = new Map<string, number>();
  const all = [...text.matchAll(tokens)];
  let next = 0;
  let line = 1;
  let counted = 0;
  const peek = (): string => all[next]?.[0] ?? '';
  const take = (expected: RegExp, what: string): string => {
    const token = peek();
    const index = all[next++]?.index ?? text.length;
    for (; counted < index; counted++) if (text[counted] === '\n') line++;
    if (expected.test(token)) return token;
    throw new UsageError(
      `${file}:${line}: no JSON: ${token ? `${token.slice(0, 40)} where` : 'it ends before'} ${what}`,
    );
  };
  const read = (path: Path): void => {
    const first = take(/^(".*"|[{[]|-?\d.*|true|false|null)$/s, 'a value is expected');
    found.set(JSON.stringify(path), line);
    if (first !== '{' && first !== '[') return;
    const end = first === '{' ? '}' : ']';
    for (let index = 0; peek() !== end; index++) {
      if (index > 0) take(/^,$/, `, or ${end} is expected`);
      let key: string | number = index;
      if (first === '{') {
        key = JSON.parse(take(/^".*"$/s, 'a name in quotes is expected')) as string;
        take(/^:$/, ': is expected');
      }
      read([...path, key]);
    }
    take(/./, '');
  };
  read([]);
  take(/^$/, 'the end is expected');
  return found;
}
