// https://w3c.github.io/FileAPI/#APIASynch

import * as idl from 'valor-idl';
import { trusted } from '../dom/event.ts';
import { dispatch, EventTarget } from '../dom/event-target.ts';
import { runAfter } from '../html/timers.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';
import { ProgressEvent } from '../xhr/progress-event.ts';
import type { Blob } from './blob.ts';
import { type ReadType, readBlob } from './read-operation.ts';

const empty = 0;
const loading = 1;
const done = 2;

let isFileReader: (value: unknown) => boolean;

export class FileReader extends EventTarget {
  #state = empty;
  #result: string | ArrayBuffer | null = null;
  #error: DOMException | null = null;
  // Which reading is under way: what belongs to an earlier one is dropped.
  #reading = 0;

  readAsArrayBuffer(blob: Blob): void {
    this.#read(blob, 'ArrayBuffer');
  }
  readAsBinaryString(blob: Blob): void {
    this.#read(blob, 'BinaryString');
  }
  readAsText(blob: Blob, encoding?: string): void {
    this.#read(blob, 'Text', encoding);
  }
  readAsDataURL(blob: Blob): void {
    this.#read(blob, 'DataURL');
  }

  abort(): void {
    if (this.#state !== loading) {
      this.#result = null;
      return;
    }
    this.#state = done;
    this.#result = null;
    const reading = ++this.#reading;
    this.#fire('abort', 0, 0);
    if (reading === this.#reading) this.#fire('loadend', 0, 0);
  }

  get readyState(): number {
    return this.#state;
  }
  get result(): string | ArrayBuffer | null {
    return this.#result;
  }
  get error(): DOMException | null {
    return this.#error;
  }

  #fire(type: string, loaded: number, total: number): void {
    const init = { lengthComputable: type !== 'loadstart' && type !== 'abort', loaded, total };
    dispatch(this, trusted(new ProgressEvent(type, init)));
  }

  /** https://w3c.github.io/FileAPI/#readOperation */
  #read(blob: Blob, type: ReadType, encoding?: string): void {
    if (this.#state === loading) throw new DOMException('The reader is reading already', 'InvalidStateError');
    this.#state = loading;
    this.#result = null;
    this.#error = null;
    const reading = ++this.#reading;
    const { size } = blob;
    const inTask = (step: () => void): void =>
      runAfter(0, () => {
        if (reading === this.#reading) step();
      });
    inTask(() => {
      this.#fire('loadstart', 0, size);
      if (size > 0) inTask(() => this.#fire('progress', size, size));
      inTask(() => {
        this.#state = done;
        let outcome = 'load';
        try {
          this.#result = readBlob(blob, type, encoding);
        } catch (error) {
          this.#error = new DOMException(String(error), 'NotReadableError');
          outcome = 'error';
        }
        // The end in a task of its own, so that promises of listeners settle in between, as they do in a browser.
        inTask(() => {
          if (this.#state === done) this.#fire('loadend', size, size);
        });
        this.#fire(outcome, size, size);
      });
    });
  }

  static {
    isFileReader = (value) => typeof value === 'object' && value !== null && #state in value;
  }
}

export const FileReaderInterface = bind(idl.FileReader, FileReader, isFileReader);

class FileReaderSync {
  #brand = true;

  readAsArrayBuffer(blob: Blob): string | ArrayBuffer {
    return readBlob(blob, 'ArrayBuffer');
  }
  readAsBinaryString(blob: Blob): string | ArrayBuffer {
    return readBlob(blob, 'BinaryString');
  }
  readAsText(blob: Blob, encoding?: string): string | ArrayBuffer {
    return readBlob(blob, 'Text', encoding);
  }
  readAsDataURL(blob: Blob): string | ArrayBuffer {
    return readBlob(blob, 'DataURL');
  }

  static isInstance(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #brand in value && value.#brand;
  }
}

export const FileReaderSyncInterface = bind(idl.FileReaderSync, FileReaderSync, FileReaderSync.isInstance);
