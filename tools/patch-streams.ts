// One place in which the standard has moved on since web-streams-polyfill 4.3.0: a chunk that comes while a pipe waits for one is
// written in a microtask, not within enqueue(). https://streams.spec.whatwg.org/#readable-stream-pipe-to
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

// What ends in `_resolvePromise(false)` is the read that waits. The names of the library's functions are taken from around it.
const waitingRead =
  /_chunkSteps\((\w+)\)\{this\._state\._currentWrite=(\w+)\((\w+)\(this\._state\._writer,\1\),void 0,(\w+)\),this\._resolvePromise\(!1\)\}/g;
const resolved = /this\._currentWrite=(\w+)\(void 0\)/;

export function patchStreams(source: string): string {
  const resolvedPromise = resolved.exec(source)?.[1];
  if (!resolvedPromise || [...source.matchAll(waitingRead)].length !== 1) {
    throw new Error('web-streams-polyfill has changed: look whether tools/patch-streams.ts is still needed');
  }
  return source.replace(
    waitingRead,
    `_chunkSteps($1){this._state._currentWrite=$2($2(${resolvedPromise}(void 0),()=>$3(this._state._writer,$1)),void 0,$4),this._resolvePromise(!1)}`,
  );
}

export const patchedStreams: Plugin = {
  name: 'patched-streams',
  setup(setup) {
    setup.onLoad({ filter: /web-streams-polyfill\/dist\/ponyfill\.mjs$/ }, ({ path }) => ({
      contents: patchStreams(readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};
