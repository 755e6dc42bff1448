// https://console.spec.whatwg.org/#formatter and the joining of arguments

import { defaultOptions, inspect } from './inspect.ts';

/** What %o shows is meant to be complete; what is a mere argument is meant to be short. */
const detailed = { ...defaultOptions, showHidden: true };

function show(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}

function integer(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return 'NaN';
  if (typeof value === 'object' && value !== null) return 'NaN';
  return String(Number.parseInt(String(value), 10));
}

function float(value: unknown): string {
  if (typeof value === 'symbol' || (typeof value === 'object' && value !== null)) return 'NaN';
  return String(Number.parseFloat(String(value)));
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return inspect(value, { ...defaultOptions, depth: 0 });
  if (typeof value === 'function') return inspect(value);
  return Object.is(value, -0) ? '-0' : typeof value === 'bigint' ? `${value}n` : String(value);
}

function substitute(specifier: string, value: unknown): string {
  switch (specifier) {
    case 's':
      return text(value);
    case 'd':
    case 'i':
      return integer(value);
    case 'f':
      return float(value);
    case 'o':
      return inspect(value, detailed);
    case 'O':
      return inspect(value);
    default:
      // %c styles text, which a log cannot.
      return '';
  }
}

/** The arguments of console.log() as one text. */
export function format(args: readonly unknown[]): string {
  const first = args[0];
  const rest = args.slice(1);
  if (typeof first !== 'string' || rest.length === 0) return args.map(show).join(' ');
  let used = 0;
  const head = first.replace(/%[%sdifoOc]/g, (match) => {
    if (match === '%%') return '%';
    if (used >= rest.length) return match;
    return substitute(match[1] as string, rest[used++]);
  });
  return [head, ...rest.slice(used).map(show)].join(' ');
}
