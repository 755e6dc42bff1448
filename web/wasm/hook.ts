// Called by V8's compileStreaming() and instantiateStreaming(), through engine/webassembly.h.

import { loadPart } from '../lazy.ts';
import type { Compilation } from './streaming.ts';

export function onWasmSource(
  source: unknown,
  push: Compilation['push'],
  finish: Compilation['finish'],
  abort: Compilation['abort'],
): void {
  loadPart<typeof import('./streaming.ts')>('wasm').compileSource(source, { push, finish, abort });
}
