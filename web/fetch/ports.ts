// https://fetch.spec.whatwg.org/#port-blocking

import { natives } from '../natives.ts';

/** `port` as URL has it: "" is the scheme's own. */
export function isBadPort(port: string): boolean {
  return port !== '' && natives.isBlockedPort(Number(port));
}
