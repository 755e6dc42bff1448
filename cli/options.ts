// The command line as data: every option once, with its default, its range and its line in --help.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { BrowserDelivery, LogFormat, LogLevel, StartOptions } from './addon.ts';
import { readArguments, type Spec, type Specs, suggestion, UsageError, type Values } from './arguments.ts';

/** Commands that have options of their own. */
export type OwnCommand = 'new' | 'build' | 'test';
const ownCommands: readonly string[] = ['new', 'build', 'test'] satisfies OwnCommand[];
export const isOwn = (word: string | undefined): word is OwnCommand => word !== undefined && ownCommands.includes(word);

export type Command =
  | { run: 'help'; command?: OwnCommand }
  | { run: 'version' }
  | { run: 'types' }
  /** `args`: for the command to read. */
  | { [Own in OwnCommand]: { run: Own; args: string[] } }[OwnCommand]
  | { run: 'serve'; options: ServeOptions };

/** StartOptions without what only the running program knows. */
export type ServeOptions = Omit<StartOptions, 'resourceDir' | 'webFolder' | 'color'>;

const second = 1000;
const largestSeconds = 86_400;

export const specs = {
  plugins: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: 'FILE',
    group: 'Plug-ins',
    help: 'Load the plug-ins of this plug-in file. May be given several times.',
  },
  registry: {
    type: 'boolean',
    short: 'w',
    group: 'Plug-ins',
    help: 'Answer /_plugins: list, add, replace and remove plug-ins while running.',
  },
  'admin-token-file': {
    type: 'string',
    value: 'FILE',
    group: 'Plug-ins',
    help: 'The registry asks for this bearer token. Default: $VALOR_ADMIN_TOKEN. Must be set for -w on an address that others reach.',
  },
  browser: {
    type: 'boolean',
    group: 'Plug-ins',
    help: 'Answer /_valor/: the runtime for browsers, and the files and configuration of the plug-ins that they may run. Without the option, programs and pages of this machine get it if only this machine reaches the server.',
  },
  'no-browser': { type: 'boolean', group: 'Plug-ins', help: 'Do not answer /_valor/ at all.' },
  host: { type: 'string', value: 'HOST', fallback: '127.0.0.1', group: 'Address', help: 'Listen on this address.' },
  port: {
    type: 'string',
    value: 'PORT',
    fallback: '8080',
    group: 'Address',
    help: 'Listen on this port; 0 takes a free one.',
  },
  log: {
    type: 'string',
    value: 'FORMAT',
    fallback: 'text',
    group: 'Log',
    help: 'text, or json: one object a line. Goes to stderr.',
  },
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    fallback: 'info',
    group: 'Log',
    help: 'debug, info, warn, error or off. Applies to everything but the access log.',
  },
  'no-access-log': { type: 'boolean', group: 'Log', help: 'Do not write a line for every request.' },
  'max-request-line': {
    type: 'string',
    value: 'BYTES',
    fallback: '16384',
    group: 'Limits on clients',
    help: 'Longest request line; beyond it 414.',
  },
  'max-headers': {
    type: 'string',
    value: 'BYTES',
    fallback: '65536',
    group: 'Limits on clients',
    help: 'Request line and headers of a request together; beyond it 431.',
  },
  'max-header-count': {
    type: 'string',
    value: 'N',
    fallback: '128',
    group: 'Limits on clients',
    help: 'Headers of a request; beyond it 431.',
  },
  'max-body': {
    type: 'string',
    value: 'BYTES',
    fallback: '17179869184',
    group: 'Limits on clients',
    help: 'Longest request body (16 GiB; bodies stream, so they take no memory); beyond it 413.',
  },
  'header-timeout': {
    type: 'string',
    value: 'S',
    fallback: '15',
    group: 'Limits on clients',
    help: 'Time to send a request line and headers; beyond it 408.',
  },
  'body-timeout': {
    type: 'string',
    value: 'S',
    fallback: '30',
    group: 'Limits on clients',
    help: 'Longest silence while a body is sent or an answer is taken; beyond it 408.',
  },
  'idle-timeout': {
    type: 'string',
    value: 'S',
    fallback: '75',
    group: 'Limits on clients',
    help: 'How long a connection may rest between requests; then it is closed.',
  },
  'max-connections': {
    type: 'string',
    value: 'N',
    fallback: '10000',
    group: 'Limits on clients',
    help: 'Open connections; further ones get 503.',
  },
  'drain-timeout': {
    type: 'string',
    value: 'S',
    fallback: '30',
    group: 'Running',
    help: 'On SIGTERM or SIGINT nothing new is accepted and what runs may take this long to finish.',
  },
  'io-threads': {
    type: 'string',
    value: 'N',
    fallback: '0',
    group: 'Running',
    help: 'Threads that accept and read connections; 0 lets Valor choose.',
  },
  help: { type: 'boolean', short: 'h', group: 'About', help: 'Print this text.' },
  version: { type: 'boolean', short: 'v', group: 'About', help: 'Print the version.' },
} as const satisfies Specs;

type Name = keyof typeof specs;
const commands = ['serve', 'new', 'build', 'test', 'types', 'help'] as const;

/** What `args` ask for. Throws UsageError. `environment` is process.env or what stands for it in a test. */
export function parseCommand(args: string[], environment: Record<string, string | undefined>): Command {
  const [own, ...ownArgs] = args;
  if (isOwn(own)) {
    if (ownArgs.some((arg) => arg === '--help' || arg === '-h')) return { run: 'help', command: own };
    return { run: own, args: ownArgs };
  }
  const { values, positionals } = readArguments(args, specs);
  if (values.help) return { run: 'help' };
  if (values.version) return { run: 'version' };
  const [command = 'serve', ...rest] = positionals;
  if (command === 'help') return { run: 'help', ...(isOwn(rest[0]) ? { command: rest[0] } : {}) };
  if (isOwn(command)) throw new UsageError(`'${command}' comes first: valor ${command} ...`);
  if (command !== 'serve' && command !== 'types') {
    const guess = suggestion(command, commands, 'valor ');
    const advice = `; there are ${commands.join(', ')}. Plug-in files are given with -p: valor -p ${command}`;
    throw new UsageError(`unknown command '${command}'${guess || advice}`);
  }
  if (command === 'types') {
    if (rest.length > 0) throw new UsageError(`unexpected argument '${rest[0]}'; 'valor types' takes none`);
    return { run: 'types' };
  }
  if (rest.length > 0)
    throw new UsageError(`unexpected argument '${rest[0]}'; plug-in files are given with -p: valor -p ${rest[0]}`);
  return { run: 'serve', options: serveOptions(values, environment) };
}

function serveOptions(values: Values<typeof specs>, environment: Record<string, string | undefined>): ServeOptions {
  const text = (name: Name): string => (values[name] as string | undefined) ?? (specs[name] as Spec).fallback ?? '';
  const whole = (name: Name, least: number, most: number): number => {
    const value = text(name);
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most) {
      throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not '${value}'`);
    }
    return number;
  };
  const milliseconds = (name: Name, least = 0.001): number => {
    const value = text(name);
    const seconds = Number(value);
    if (!/^\d+(\.\d+)?$/.test(value) || seconds < least || seconds > largestSeconds) {
      throw new UsageError(`--${name} is a number of seconds from ${least} to ${largestSeconds}, not '${value}'`);
    }
    return Math.round(seconds * second);
  };
  const oneOf = <T extends string>(name: Name, choices: readonly T[]): T => {
    const value = text(name) as T;
    if (!choices.includes(value)) throw new UsageError(`--${name} is one of ${choices.join(', ')}, not '${value}'`);
    return value;
  };

  const options: ServeOptions = {
    pluginFiles: (values.plugins as string[] | undefined) ?? [],
    host: text('host'),
    port: whole('port', 0, 65_535),
    registry: values.registry === true,
    adminToken: adminToken(values['admin-token-file'] as string | undefined, environment),
    browser: browserDelivery(values.browser === true, values['no-browser'] === true, text('host')),
    log: oneOf<LogFormat>('log', ['text', 'json']),
    logLevel: oneOf<LogLevel>('log-level', ['debug', 'info', 'warn', 'error', 'off']),
    accessLog: values['no-access-log'] !== true,
    drainTimeoutMs: milliseconds('drain-timeout', 0),
    ioThreads: whole('io-threads', 0, 256),
    limits: {
      requestLineBytes: whole('max-request-line', 64, 1_048_576),
      headerBytes: whole('max-headers', 64, 16_777_216),
      headerCount: whole('max-header-count', 1, 10_000),
      bodyBytes: whole('max-body', 0, Number.MAX_SAFE_INTEGER),
      headerTimeoutMs: milliseconds('header-timeout'),
      bodyTimeoutMs: milliseconds('body-timeout'),
      idleTimeoutMs: milliseconds('idle-timeout'),
      maxConnections: whole('max-connections', 1, 1_000_000),
    },
  };
  if (options.pluginFiles.length === 0 && !options.registry) {
    throw new UsageError('nothing to serve: name a plug-in file with -p FILE, or enable the registry with -w');
  }
  if (options.registry && options.adminToken === '' && !isLoopback(options.host)) {
    throw new UsageError(
      `-w on ${options.host} lets everyone who reaches that address run code here: set a token with --admin-token-file ` +
        'or VALOR_ADMIN_TOKEN, or listen on 127.0.0.1',
    );
  }
  return options;
}

/** The server of `valor test`: on a free port of this machine, silent unless something is wrong. */
export function testServerOptions(pluginFiles: string[]): ServeOptions {
  const { values } = readArguments(['--port', '0', '--no-access-log', '--log-level', 'warn'], specs);
  return serveOptions({ ...values, plugins: pluginFiles }, {});
}

function browserDelivery(on: boolean, off: boolean, host: string): BrowserDelivery {
  if (on && off) throw new UsageError('--browser and --no-browser contradict each other; give one of them');
  if (on) return 'open';
  return off || !isLoopback(host) ? 'off' : 'local';
}

function adminToken(file: string | undefined, environment: Record<string, string | undefined>): string {
  let token = environment.VALOR_ADMIN_TOKEN ?? '';
  let origin = 'VALOR_ADMIN_TOKEN';
  if (file !== undefined) {
    origin = file;
    try {
      token = readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw new UsageError(`--admin-token-file: cannot read ${file}: ${(error as Error).message}`);
    }
    if (token === '') throw new UsageError(`--admin-token-file: ${file} is empty`);
  }
  // b64token of RFC 6750 section 2.1: what an Authorization header can carry.
  if (token !== '' && !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    throw new UsageError(`${origin}: a token consists of A-Z a-z 0-9 . _ ~ + / - and may end in =`);
  }
  return token;
}

/** Whether only this machine reaches `host`. A name other than localhost may resolve to anything. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 4 ? bare.startsWith('127.') : isIP(bare) === 6 && /^(0*:)*:?0*1$/.test(bare);
}
