// Type stripping for plug-ins written in TypeScript. Types are replaced by blanks, so every line and column of a stack
// trace is that of the file itself.
import { stripTypeScriptTypes } from 'node:module';

/** `source` without its types. Throws an Error whose message starts with PATH:LINE: where that is impossible. */
export function stripTypes(path: string, source: string): string {
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' });
  } catch (error) {
    throw new Error(explain(path, error as NodeJS.ErrnoException));
  }
}

function explain(path: string, error: NodeJS.ErrnoException): string {
  // Node puts the place only at the head of the stack: "FILE:LINE", the source line, a row of carets.
  const line = /^[^\n]*:(\d+)\n/.exec(error.stack ?? '')?.[1];
  const advice =
    error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
      ? ' (types are only removed, so what needs code to be generated must be written as JavaScript)'
      : '';
  return `${path}${line ? `:${line}` : ''}: ${error.message}${advice}`;
}
