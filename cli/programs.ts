// Running compilers: where they are, what to do when they are not there, and what they say.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The build failed for a reason that a person can act on: exit code 1. */
export class BuildError extends Error {}

/** The first of `names` that PATH has, or undefined. */
export function findProgram(...names: string[]): string | undefined {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder || '.', name);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not there.
      }
    }
  }
  return undefined;
}

/** Throws with the commands that bring what is missing. */
export function needPrograms(needs: { names: string[]; apt: string }[]): void {
  const missing = needs.filter(({ names }) => findProgram(...names) === undefined);
  if (missing.length === 0) return;
  const names = missing.map((need) => need.names[0]).join(' and ');
  const packages = [...new Set(missing.flatMap(({ apt }) => apt.split(' ')))].join(' ');
  throw new BuildError(
    `${names} ${missing.length > 1 ? 'are' : 'is'} missing; install with: sudo apt-get install -y --no-install-recommends ${packages}`,
  );
}

/** Runs a program in `folder`; what it says goes to the user. Throws when it fails, with `what` could not be done. */
export function run(
  what: string,
  program: string,
  args: string[],
  folder: string,
  environment: NodeJS.ProcessEnv = {},
): void {
  const { status, signal, error } = spawnSync(program, args, {
    cwd: folder,
    // stdout is for what the command says itself.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...environment },
  });
  if (error) throw new BuildError(`${what}: ${program} cannot be run: ${error.message}`);
  if (status !== 0) throw new BuildError(`${what} failed: ${program} ended with ${signal ?? `exit code ${status}`}`);
}
