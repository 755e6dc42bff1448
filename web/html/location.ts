// https://html.spec.whatwg.org/multipage/workers.html#worker-locations

import { natives } from '../natives.ts';
import { parseURL, type URL } from '../url/url.ts';
import { defineInterface, defineReadonly } from '../webidl/define.ts';

const internal = Symbol('internal');

export class WorkerLocation {
  #url: URL | null = null;

  constructor(token?: unknown) {
    if (token !== internal) throw new TypeError('Illegal constructor');
  }

  // The place of the instance is known only when it runs, not while the snapshot is built.
  get #parsed(): URL {
    if (this.#url === null) this.#url = parseURL(natives.isolateInfo().location);
    return this.#url;
  }

  get href(): string {
    return this.#parsed.href;
  }
  toString(): string {
    return this.#parsed.href;
  }
  get origin(): string {
    return this.#parsed.origin;
  }
  get protocol(): string {
    return this.#parsed.protocol;
  }
  get host(): string {
    return this.#parsed.host;
  }
  get hostname(): string {
    return this.#parsed.hostname;
  }
  get port(): string {
    return this.#parsed.port;
  }
  get pathname(): string {
    return this.#parsed.pathname;
  }
  get search(): string {
    return this.#parsed.search;
  }
  get hash(): string {
    return this.#parsed.hash;
  }
}

/** The one location object; the base of relative URLs. */
export const location = new WorkerLocation(internal);

export function installLocation(global: object): void {
  defineInterface(global, WorkerLocation, 'WorkerLocation', { '': 0 });
  defineReadonly(global, 'location', () => location);
}
