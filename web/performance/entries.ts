// https://w3c.github.io/performance-timeline/#the-performanceentry-interface and https://w3c.github.io/user-timing/

import * as idl from 'valor-idl';
import { cloneWith } from '../html/structured-clone.ts';
import { natives } from '../natives.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';

export interface MarkOptions {
  detail?: unknown;
  startTime?: number;
}

let lastId = 0;
let isEntry: (value: unknown) => boolean;
let isMark: (value: unknown) => boolean;
let isMeasure: (value: unknown) => boolean;

export class PerformanceEntry {
  #name: string;
  #type: string;
  #startTime: number;
  #duration: number;
  #id = ++lastId;

  constructor(name: string, type: string, startTime: number, duration: number) {
    this.#name = name;
    this.#type = type;
    this.#startTime = startTime;
    this.#duration = duration;
  }

  get id(): number {
    return this.#id;
  }
  /** There is no navigation that an entry could belong to. */
  get navigationId(): number {
    return 0;
  }
  get name(): string {
    return this.#name;
  }
  get entryType(): string {
    return this.#type;
  }
  get startTime(): number {
    return this.#startTime;
  }
  get duration(): number {
    return this.#duration;
  }

  static {
    isEntry = (value) => typeof value === 'object' && value !== null && #name in value;
  }
}

export const PerformanceEntryInterface = bind(idl.PerformanceEntry, PerformanceEntry, isEntry);

function copyDetail(detail: unknown): unknown {
  return detail === undefined || detail === null ? null : cloneWith(detail, undefined);
}

export class PerformanceMark extends PerformanceEntry {
  #detail: unknown;

  constructor(name: string, options: MarkOptions = {}) {
    const { startTime = natives.now() } = options;
    if (startTime < 0) throw new TypeError(`The mark '${name}' cannot have a negative start time`);
    super(name, 'mark', startTime, 0);
    this.#detail = copyDetail(options.detail);
  }

  get detail(): unknown {
    return this.#detail;
  }

  static {
    isMark = (value) => typeof value === 'object' && value !== null && #detail in value;
  }
}
export const PerformanceMarkInterface = bind(idl.PerformanceMark, PerformanceMark, isMark);

export class PerformanceMeasure extends PerformanceEntry {
  #detail: unknown;

  constructor(name: string, startTime: number, duration: number, detail: unknown) {
    super(name, 'measure', startTime, duration);
    this.#detail = copyDetail(detail);
  }

  get detail(): unknown {
    return this.#detail;
  }

  static {
    isMeasure = (value) => typeof value === 'object' && value !== null && #detail in value;
  }
}
export const PerformanceMeasureInterface = bind(idl.PerformanceMeasure, PerformanceMeasure, isMeasure);

export function unknownMark(name: string): DOMException {
  return new DOMException(`There is no mark '${name}'`, 'SyntaxError');
}
