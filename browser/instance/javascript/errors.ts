// An exception in words, for operators: message, place in the source, stack. As engine/script-error.h.
import type { Problem } from '../instance.ts';

// A minified bundle is one line of megabytes.
const longestSourceLine = 200;

interface Place {
  url: string;
  line: number;
  column: number;
  text: string;
}

/** Where a SyntaxError is, which has no stack frame for it. */
const places = new WeakMap<object, Place>();

/** What the browser knows about an exception's place and does not show on the exception. */
let heard: ((event: ErrorEvent) => void) | null = null;
let listening = false;

/** Before the first plug-in's code, so that it does not hear what placeOf() asks. */
export function listenForPlaces(): void {
  if (listening || typeof reportError !== 'function') return;
  listening = true;
  globalThis.addEventListener(
    'error',
    (event) => {
      if (heard === null) return;
      heard(event);
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}

const report = globalThis.reportError;

function lineAndColumn(error: object): [number, number] {
  const { lineNumber, columnNumber } = error as { lineNumber?: number; columnNumber?: number };
  if (typeof lineNumber === 'number' && typeof columnNumber === 'number') return [lineNumber, columnNumber];
  let place: [number, number] = [0, 0];
  if (!listening) return place;
  heard = ({ lineno, colno }) => {
    place = [lineno, colno];
  };
  try {
    report(error);
  } finally {
    heard = null;
  }
  return place;
}

/** Notes that a SyntaxError is about the file at `url`. `before`: characters that were put before its first line. */
export function locateSyntaxError(error: unknown, url: string, source: string, before = 0): void {
  if (!(error instanceof SyntaxError) || places.has(error)) return;
  const [line, found] = lineAndColumn(error);
  const column = Math.max(1, line === 1 ? found - before : found);
  places.set(error, { url, line, column, text: source.split('\n', line)[line - 1] ?? '' });
}

/** The same for an error that has the same cause as another. */
export function locateLike(error: object, other: object): void {
  const place = places.get(other);
  if (place) places.set(error, place);
}

/** The same for an error of the lexer, which knows where it is. */
export function syntaxErrorAt(offset: number, url: string, source: string): SyntaxError {
  const lines = source.slice(0, offset).split('\n');
  const line = lines.length;
  const error = new SyntaxError('this cannot be parsed as a module');
  places.set(error, { url, line, column: lines.at(-1)!.length + 1, text: source.split('\n', line)[line - 1] ?? '' });
  return error;
}

function excerpt({ line, column, text }: Place): string {
  if (line === 0 || text === '' || text.length > longestSourceLine) return '';
  return `${text}\n${text.slice(0, column - 1).replace(/[^\t]/g, ' ')}^\n`;
}

/** Tells whose code a stack is about, where several plug-ins share a global. For the end of a script's URL. */
export const stackTag = (number: number): string => `#valor-${number}`;

/** Frames of Valor itself say nothing about the plug-in. Its scripts have these names. */
const ownFrame = /\/valor-(host|sw)\.js(\?[^:]*)?:\d+:\d+\)?$/;

/** The frames of a stack, all browsers' as V8 writes them. */
function frames(stack: string): string[] {
  const lines = stack.split('\n').flatMap((line) => {
    if (/^\s+at /.test(line)) return line;
    const frame = /^(.*?)@(.*:\d+:\d+)$/.exec(line);
    if (frame === null) return [];
    return frame[1] ? `    at ${frame[1]} (${frame[2]})` : `    at ${frame[2]}`;
  });
  return lines.filter((line) => !ownFrame.test(line)).map((line) => line.replace(/#valor-\d+(?=:)/, ''));
}

function text(value: unknown): string {
  try {
    return String(value);
  } catch {
    return '';
  }
}

/** Several lines without a newline at the end. Never throws. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    const words = text(error);
    const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function';
    if (!isObject || (words !== '' && !words.startsWith('[object '))) return words;
    return `an object that is no Error was thrown: ${words}`;
  }
  const place = places.get(error);
  if (place) {
    const where = place.line === 0 ? place.url : `${place.url}:${place.line}:${place.column}`;
    return `${where}\n${excerpt(place)}${text(error)}`;
  }
  const stack = typeof error.stack === 'string' ? frames(error.stack) : [];
  return [text(error), ...stack].join('\n');
}

/** An answer for a plug-in's own failure. */
export const failure = (detail: string): Problem => ({ status: 500, detail });
