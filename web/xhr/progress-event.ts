// https://xhr.spec.whatwg.org/#interface-progressevent

import * as idl from 'valor-idl';
import { Event, type EventInit } from '../dom/event.ts';
import { bind } from '../webidl/bind.ts';

export interface ProgressEventInit extends EventInit {
  lengthComputable?: boolean;
  loaded?: number;
  total?: number;
}

let isProgressEvent: (value: unknown) => boolean;

export class ProgressEvent extends Event {
  #lengthComputable: boolean;
  #loaded: number;
  #total: number;

  constructor(type: string, init: ProgressEventInit = {}) {
    super(type, init);
    this.#lengthComputable = init.lengthComputable ?? false;
    this.#loaded = init.loaded ?? 0;
    this.#total = init.total ?? 0;
  }

  get lengthComputable(): boolean {
    return this.#lengthComputable;
  }
  get loaded(): number {
    return this.#loaded;
  }
  get total(): number {
    return this.#total;
  }

  static {
    isProgressEvent = (value) => typeof value === 'object' && value !== null && #loaded in value;
  }
}

export const ProgressEventInterface = bind(idl.ProgressEvent, ProgressEvent, isProgressEvent);
