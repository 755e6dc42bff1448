// What test, page and host of a test say to each other.
import type { Definition } from '../../../core/core.ts';
import type { HeaderPairs, Problem } from '../../instance.ts';

export interface StartMessage {
  definition: Definition;
  location: string;
  /** Text, or bytes in base64 after "base64:", by URL. */
  files: Record<string, string>;
  place: 'worker' | 'service-worker';
}

export interface Ask {
  method?: string;
  url?: string;
  headers?: HeaderPairs;
  /** Streamed in these pieces; 'whole' in one piece. */
  body?: string[] | { whole: string } | undefined;
  /** The answer's body is not read: that is up to `cancel`. */
  hold?: boolean;
}

/** What became of a request. */
export interface Ending {
  how: 'responded' | 'failed' | 'declined';
  status?: number;
  headers?: HeaderPairs;
  body?: string | null;
  streamed?: boolean;
  broke?: boolean;
  problem?: Problem;
}

export type ToHost =
  | ({ type: 'ask'; id: number } & Ask)
  | { type: 'drop'; id: number; reason: 'gone' | 'timeout' }
  | { type: 'cancel'; id: number }
  | { type: 'destroy' };

export type FromHost =
  | { type: 'ready' }
  | { type: 'load-failed'; message: string }
  | { type: 'ending'; id: number; ending: Ending }
  | { type: 'log'; text: string }
  | { type: 'one-at-a-time' }
  | { type: 'broken'; problem: Problem };

/** What page.ts puts on the page's global. Instances have numbers. */
export interface PageApi {
  /** The number of the instance, or why it does not load. */
  start(message: StartMessage): Promise<number | string>;
  ask(number: number, ask: Ask): Promise<Ending>;
  /** Asks, and drops the request a moment later. */
  drop(number: number, ask: Ask, reason: 'gone' | 'timeout', ms: number): void;
  /** Asks, and leaves when the answer begins. */
  leave(number: number, ask: Ask): Promise<void>;
  log(number: number): string[];
  oneAtATime(number: number): boolean;
  /** Why the instance cannot go on. */
  broken(number: number): Problem | null;
  end(number: number): void;
}
