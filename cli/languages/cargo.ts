// Rust: sdk/rust/build knows which cargo and which linker serve for which target.
import { join } from 'node:path';
import { type Build, builtFiles } from '../build.ts';
import { needPrograms, run } from '../programs.ts';

export function buildWithCargo({ folder, target = 'both', debug, home }: Build): string[] {
  const forWasm = target === 'native' ? '' : ' libstd-rust-dev-wasm32 lld-14 binaryen';
  needPrograms([{ names: ['cargo'], apt: `cargo rustc${forWasm}` }]);
  const out = join(folder, 'build');
  // As valor_add_plugin() does: what is sent to browsers is small, what is debugged has names.
  const names = debug ? [] : ['--strip'];
  const args = ['--target', target === 'both' ? 'all' : target, ...names, '--out', out, folder];
  const environment: NodeJS.ProcessEnv = debug
    ? { CARGO_PROFILE_RELEASE_DEBUG: 'true', CARGO_PROFILE_RELEASE_OPT_LEVEL: '1' }
    : {};
  run(`building ${folder}`, join(home, 'sdk/rust/build'), args, folder, environment);
  return builtFiles({ folder, target });
}
