// The text of --help, made from the options themselves so that the two cannot disagree.
import type { Specs } from './arguments.ts';
import { buildHelp, buildSpecs } from './build.ts';
import { newHelp, newSpecs } from './new.ts';
import { type OwnCommand, specs } from './options.ts';
import { testHelp, testSpecs } from './test.ts';

const examples = `Examples:
  valor -p plugins.json                          serve on http://127.0.0.1:8080
  valor -p plugins.json --port 0                 serve on a free port and print it
  valor -p base.json -p team.json -w             two plug-in files, and /_plugins to change them while running
  valor new hello --lang cpp                     a plug-in project: valor new --help
  valor build hello                              compile it: valor build --help
  valor test hello.js --cases cases.json         on a server and in a browser: valor test --help
  valor types > valor.d.ts                       what a plug-in in TypeScript finds on its global
  VALOR_ADMIN_TOKEN=... valor -w --host 0.0.0.0  start empty; plug-ins are added over HTTP with the token

A plug-in file:
  {"plugins": [
    {"type": "web", "name": "hello", "url": "hello.js", "prefix": "hi", "config": "Alice"},
    {"type": "native", "name": "fast", "path": "./libfast.so"},
    {"type": "static", "name": "api", "builtin": "proxy", "config": {"upstream": "http://127.0.0.1:9000/"}}
  ]}`;

const exits = `Exit codes:
  0  stopped by SIGTERM or SIGINT, with everything finished or the drain timeout passed
  1  could not start (address in use, files of Valor missing), stopped at once by a second signal,
     or a build or a test failed
  2  a mistake on the command line or in a plug-in file`;

/** Wraps at 100 columns: option on the left, what it does on the right. */
export function helpText(): string {
  const lines = [
    'valor runs plug-ins that answer HTTP requests.',
    '',
    'Usage: valor [serve] -p FILE... [options]',
    '       valor [serve] -w [options]',
    '       valor new NAME [--lang LANGUAGE]',
    '       valor build [FOLDER]',
    '       valor test PLUGIN --cases FILE',
    '       valor types > valor.d.ts',
    ...optionLines(specs),
    '',
    examples,
    '',
    exits,
    '',
  ];
  return lines.join('\n');
}

const own = {
  new: { help: newHelp, specs: newSpecs },
  build: { help: buildHelp, specs: buildSpecs },
  test: { help: testHelp, specs: testSpecs },
} as const;

/** --help of a command that has its own. */
export function commandHelp(command: OwnCommand): string {
  const { usage, about, examples } = own[command].help;
  return [
    ...usage.map((line) => `Usage: ${line}`),
    '',
    ...wrap(about, 100),
    ...optionLines(own[command].specs),
    '',
    'Examples:',
    ...examples.map(([line, what]) => `  ${line.padEnd(40)}  ${what}`),
    '',
  ].join('\n');
}

function optionLines(specs: Specs): string[] {
  const lines: string[] = [];
  let group = '';
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.group !== group) {
      group = spec.group;
      lines.push('', `${group}:`);
    }
    const short = spec.short ? `-${spec.short}, ` : '    ';
    const left = `  ${short}--${name}${spec.value ? ` ${spec.value}` : ''}`;
    const fallback = spec.fallback !== undefined ? ` [${spec.fallback}]` : '';
    const right = wrap(spec.help + fallback, 66);
    lines.push(`${left.padEnd(32)}  ${right[0]}`, ...right.slice(1).map((line) => `${' '.repeat(34)}${line}`));
  }
  return lines;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line];
}
