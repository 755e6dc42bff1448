// The case table in a web page: what test/parity-browser.test.ts calls there.
import { cases, type Place } from './cases.ts';

type Start = (options: { hosting: string }) => Promise<{ state: string }>;

const parity = {
  /** From here on plug-ins run at `hosting`. */
  async start(hosting: 'page' | 'service-worker'): Promise<string> {
    const url = '/_valor/valor.js';
    const { start } = (await import(url)) as { start: Start };
    return (await start({ hosting })).state;
  },

  /** Where the plug-in that answers runs. */
  async placeOf(url: string): Promise<string | null> {
    return (await fetch(url)).headers.get('x-valor-place');
  },

  async run(name: string, place: Place): Promise<unknown> {
    return cases.find((one) => one.name === name)!.run(place);
  },
};

export type Parity = typeof parity;

Object.assign(globalThis, { parity });
