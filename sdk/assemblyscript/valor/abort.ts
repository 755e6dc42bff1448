// What the compiler makes of `throw`, of failed assertions and of checks of the language (--use abort=...): the host gets
// the words, with the place in the source.
import { panic, random } from './instance';

export function abortInstance(message: string | null, file: string | null, line: u32, column: u32): void {
  const words = message === null ? 'aborted' : message;
  panic(file === null ? words : `${words} (${file}:${line}:${column})`);
  unreachable();
}

/** The seed of Math.random(): --use seed=... */
export function seed(): f64 {
  const bytes = new Uint8Array(8);
  random(bytes);
  return reinterpret<f64>(load<u64>(bytes.dataStart));
}
