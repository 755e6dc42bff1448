// How the parts of an inspected value are put on lines.

const lineWidth = 76;
const maxStringLength = 10_000;

export function shorten(text: string): string {
  if (text.length <= maxStringLength) return text;
  return `${text.slice(0, maxStringLength)}... ${text.length - maxStringLength} more characters`;
}

/** In double quotes, or others when that saves escapes. */
export function quote(text: string): string {
  const mark = !text.includes('"') ? '"' : !text.includes("'") ? "'" : !text.includes('`') ? '`' : '"';
  let quoted = mark;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (char === mark || char === '\\') quoted += `\\${char}`;
    else if (char === '\n') quoted += '\\n';
    else if (char === '\r') quoted += '\\r';
    else if (char === '\t') quoted += '\\t';
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code >= 0xd800 && code < 0xe000) quoted += `\\u${code.toString(16)}`;
    else quoted += char;
  }
  return quoted + mark;
}

/** One line where it fits, otherwise a line for each entry; many short entries of a list share lines. */
export function arrange(prefix: string, entries: string[], brackets: '{}' | '[]', level: number): string {
  const open = prefix === '' ? (brackets[0] as string) : `${prefix} ${brackets[0]}`;
  const close = brackets[1] as string;
  if (entries.length === 0) return open + close;
  const indent = '  '.repeat(level + 1);
  const total = entries.reduce((sum, entry) => sum + entry.length + 2, 0);
  const manyLines = entries.some((entry) => entry.includes('\n')) || prefix.includes('\n');
  if (!manyLines && total + open.length + indent.length <= lineWidth) return `${open} ${entries.join(', ')} ${close}`;
  const short = brackets === '[]' && entries.length > 6 && entries.every((entry) => entry.length <= 24);
  const lines = short && !manyLines ? fill(entries, lineWidth - indent.length) : entries;
  return `${open}\n${indent}${lines.join(`,\n${indent}`)}\n${'  '.repeat(level)}${close}`;
}

function fill(entries: string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const entry of entries) {
    if (line !== '' && line.length + entry.length + 2 > width) {
      lines.push(line);
      line = entry;
    } else {
      line = line === '' ? entry : `${line}, ${entry}`;
    }
  }
  lines.push(line);
  return lines;
}
