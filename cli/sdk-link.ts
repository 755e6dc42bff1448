// How a project finds the SDKs: .valor in its folder is a link to Valor's own folder. Project files name what they need
// below it, so that they say nothing of one machine; `valor build` makes the link anew where it is missing or leads
// elsewhere (docs/decisions/projects-link-to-valor.md).
import { lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const link = '.valor';

export function linkSdk(folder: string, home: string): void {
  const path = join(folder, link);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isSymbolicLink()) {
    if (readlinkSync(path) === home) return;
    rmSync(path);
  } else if (there) {
    throw new Error(`${path} is to be a link to ${home}, but is there already; move it away`);
  }
  symlinkSync(home, path);
}
