// The `valor` command: reads the command line, starts the server in the addon beside this file, and ends it on a signal.
// What only other commands need is loaded by those: a server that starts does not wait for Node's HTTP client.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Addon, loadAddon, type Started } from './addon.ts';
import { UsageError } from './arguments.ts';
import { isOwn, parseCommand, type ServeOptions, testServerOptions } from './options.ts';
import { stripTypes } from './strip-types.ts';

const exitFailure = 1;
const exitUsage = 2;

/** Where the build has put this file. */
const folder = import.meta.dirname;
/** Valor's folder, which bin/valor knows. */
const home = process.env.VALOR_HOME ?? resolve(folder, '../..');

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2), process.env);
  if (command.run === 'help') {
    const { commandHelp, helpText } = await import('./help.ts');
    process.stdout.write(command.command ? commandHelp(command.command) : helpText());
  } else if (command.run === 'version') process.stdout.write(`valor ${loadAddon(folder).version}\n`);
  else if (command.run === 'types') printTypes();
  else if (command.run === 'new') {
    const { createProject, readNewArguments } = await import('./new.ts');
    process.stdout.write(createProject(readNewArguments(command.args), home, join(folder, 'valor.d.ts')));
  } else if (command.run === 'build') {
    const { buildProject, readBuildArguments } = await import('./build.ts');
    for (const file of buildProject(readBuildArguments(command.args), home)) process.stdout.write(`${file}\n`);
  } else if (command.run === 'test') await test(command.args);
  else await serve(loadAddon(folder), command.options);
}

/** Made by the build: tools/generate-types.ts. */
function printTypes(): void {
  const file = join(folder, 'valor.d.ts');
  if (!existsSync(file)) throw new Error(`${file} is missing; build Valor again: make build`);
  process.stdout.write(readFileSync(file));
}

function start(addon: Addon, options: ServeOptions): Promise<Started> {
  // Threads of plug-ins must be gone before Node takes V8 down.
  process.on('exit', () => addon.stop());
  const color = options.log === 'text' && process.stderr.isTTY === true && !process.env.NO_COLOR;
  return addon.start({ ...options, color, resourceDir: folder, webFolder: join(home, 'build/web') }, stripTypes);
}

async function serve(addon: Addon, options: ServeOptions): Promise<void> {
  endOnSignals(addon);
  const started = await start(addon, options);
  const host = started.host.includes(':') ? `[${started.host}]` : started.host;
  process.stdout.write(`valor listening on http://${host}:${started.port}\n`);
  if (started.failed.length > 0) {
    process.stderr.write(`valor: failed to load, and answering 502: ${started.failed.join(', ')}\n`);
  }
}

async function test(args: string[]): Promise<void> {
  const { readTestArguments, testPlugin } = await import('./test.ts');
  const options = readTestArguments(args);
  const addon = loadAddon(folder);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(exitFailure));
  const { report, passed } = await testPlugin(options, (files) => start(addon, testServerOptions(files)));
  process.stdout.write(report);
  process.exit(passed ? 0 : exitFailure);
}

/** The first signal drains, the second stops at once. */
function endOnSignals(addon: Addon): void {
  let draining = false;
  const onSignal = (): void => {
    if (draining) process.exit(exitFailure);
    draining = true;
    addon.drain().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function fail(error: unknown): never {
  const { message, code } = error as NodeJS.ErrnoException;
  const usage = error instanceof UsageError;
  process.stderr.write(`valor: ${message}${usage ? `\n${helpCommand()} lists the options` : ''}\n`);
  process.exit(usage || code === 'ERR_CONFIG' ? exitUsage : exitFailure);
}

function helpCommand(): string {
  const command = process.argv[2];
  return isOwn(command) ? `valor ${command} --help` : 'valor --help';
}

main().catch(fail);
