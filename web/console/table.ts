// https://console.spec.whatwg.org/#table

import { inspect } from './inspect.ts';

const indexTitle = '(index)';
const valuesTitle = 'Values';
const cellOptions = { depth: 0, showHidden: false };

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function rowsOf(data: object): [string, unknown][] {
  if (data instanceof Map) return [...data].map(([, value], index) => [String(index), value]);
  if (data instanceof Set) return [...data].map((value, index) => [String(index), value]);
  return Object.entries(data);
}

/** null when the data is not tabular. */
export function table(data: unknown, columns: unknown): string | null {
  if (!isObject(data)) return null;
  const wanted = Array.isArray(columns) ? columns.map(String) : null;
  const names = new Set<string>(wanted ?? []);
  let hasValues = false;
  const rows = rowsOf(data).map(([index, row]) => {
    const cells = new Map<string, string>();
    if (isObject(row)) {
      for (const [name, value] of Object.entries(row)) {
        if (wanted && !wanted.includes(name)) continue;
        names.add(name);
        cells.set(name, inspect(value, cellOptions));
      }
      return { index, cells, value: '' };
    }
    hasValues = true;
    return { index, cells, value: inspect(row, cellOptions) };
  });
  const header = [indexTitle, ...names];
  if (hasValues) header.push(valuesTitle);
  const body = rows.map(({ index, cells, value }) => {
    const line = [index, ...[...names].map((name) => cells.get(name) ?? '')];
    if (hasValues) line.push(value);
    return line;
  });
  return draw(header, body);
}

function draw(header: string[], body: string[][]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const rule = (left: string, middle: string, right: string): string =>
    left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
  const line = (cells: string[]): string =>
    `│${cells.map((cell, column) => ` ${cell.padEnd(widths[column] ?? 0)} `).join('│')}│`;
  const lines = [rule('┌', '┬', '┐'), line(header), rule('├', '┼', '┤'), ...body.map(line), rule('└', '┴', '┘')];
  return lines.join('\n');
}
