// https://console.spec.whatwg.org/

import { type LogLevel, natives } from '../natives.ts';
import { defineHidden } from '../webidl/define.ts';
import { format } from './format.ts';
import { defaultOptions, inspect } from './inspect.ts';
import { table } from './table.ts';

const debugLevel = 0;
const infoLevel = 1;
const warnLevel = 2;
const errorLevel = 3;

const indentStep = '  ';
let indent = '';
const counts = new Map<string, number>();
const timers = new Map<string, number>();

// Longer messages are cut: nobody reads them, and a log line is copied on its way.
const maxLength = 1 << 20;

function write(level: LogLevel, message: string): void {
  const text =
    message.length > maxLength
      ? `${message.slice(0, maxLength)}... ${message.length - maxLength} more characters`
      : message;
  natives.log(level, indent === '' ? text : indent + text.replaceAll('\n', `\n${indent}`));
}

function print(level: LogLevel, args: readonly unknown[]): void {
  // A message nobody will see need not be put together.
  if (args.length > 0 && natives.keepsLog(level)) write(level, format(args));
}

function elapsed(start: number): string {
  const milliseconds = natives.now() - start;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(3)}s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 3 : 1)}ms`;
}

const methods = {
  assert(condition = false, ...data: unknown[]): void {
    if (condition) return;
    const first = data[0];
    const rest = data.slice(1);
    if (data.length === 0) print(errorLevel, ['Assertion failed']);
    else if (typeof first === 'string') print(errorLevel, [`Assertion failed: ${first}`, ...rest]);
    else print(errorLevel, ['Assertion failed:', ...data]);
  },
  clear(): void {
    indent = '';
  },
  debug(...data: unknown[]): void {
    print(debugLevel, data);
  },
  error(...data: unknown[]): void {
    print(errorLevel, data);
  },
  info(...data: unknown[]): void {
    print(infoLevel, data);
  },
  log(...data: unknown[]): void {
    print(infoLevel, data);
  },
  table(data: unknown = undefined, columns: unknown = undefined): void {
    const text = table(data, columns);
    if (text === null) print(infoLevel, [data]);
    else write(infoLevel, text);
  },
  trace(...data: unknown[]): void {
    const holder: { stack?: string } = {};
    Error.captureStackTrace(holder, methods.trace);
    const frames = (holder.stack ?? '').split('\n').slice(1).join('\n');
    const title = data.length > 0 ? `Trace: ${format(data)}` : 'Trace';
    write(infoLevel, frames === '' ? title : `${title}\n${frames}`);
  },
  warn(...data: unknown[]): void {
    print(warnLevel, data);
  },
  dir(
    item: unknown = undefined,
    options: { depth?: number | null; showHidden?: boolean } | null | undefined = undefined,
  ): void {
    const depth = options?.depth === null ? Number.POSITIVE_INFINITY : (options?.depth ?? defaultOptions.depth);
    write(infoLevel, inspect(item, { depth: Number(depth), showHidden: Boolean(options?.showHidden) }));
  },
  dirxml(...data: unknown[]): void {
    print(infoLevel, data);
  },

  count(label: unknown = 'default'): void {
    const key = String(label);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    write(infoLevel, `${key}: ${count}`);
  },
  countReset(label: unknown = 'default'): void {
    const key = String(label);
    if (!counts.delete(key)) write(warnLevel, `Count for '${key}' does not exist`);
  },

  group(...data: unknown[]): void {
    print(infoLevel, data);
    indent += indentStep;
  },
  groupCollapsed(...data: unknown[]): void {
    methods.group(...data);
  },
  groupEnd(): void {
    indent = indent.slice(indentStep.length);
  },

  time(label: unknown = 'default'): void {
    const key = String(label);
    if (timers.has(key)) write(warnLevel, `Timer '${key}' already exists`);
    else timers.set(key, natives.now());
  },
  timeLog(label: unknown = 'default', ...data: unknown[]): void {
    const key = String(label);
    const start = timers.get(key);
    if (start === undefined) write(warnLevel, `Timer '${key}' does not exist`);
    else write(infoLevel, [`${key}: ${elapsed(start)}`, ...(data.length > 0 ? [format(data)] : [])].join(' '));
  },
  timeEnd(label: unknown = 'default'): void {
    methods.timeLog(label);
    timers.delete(String(label));
  },
};

export function installConsole(global: object): void {
  // https://webidl.spec.whatwg.org/#es-namespaces: the prototype of the console is an empty object.
  const console = Object.create({});
  Object.assign(console, methods);
  Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
  defineHidden(global, 'console', console);
}
