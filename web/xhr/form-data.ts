// https://xhr.spec.whatwg.org/#interface-formdata

import * as idl from 'valor-idl';
import { registerInspector } from '../console/inspectors.ts';
import { type Blob, blobData, isBlob } from '../file-api/blob.ts';
import { createFile, type File, isFile } from '../file-api/file.ts';
import { bind } from '../webidl/bind.ts';

export type FormDataEntry = readonly [name: string, value: string | File];

export let isFormData: (value: unknown) => value is FormData;
/** Borrowed; in order. */
export let entriesOf: (form: FormData) => readonly FormDataEntry[];

/** https://xhr.spec.whatwg.org/#create-an-entry */
function createEntry(name: string, value: string | Blob, filename: string | undefined): FormDataEntry {
  if (!isBlob(value)) return [name, value];
  if (isFile(value) && filename === undefined) return [name, value];
  const lastModified = isFile(value) ? value.lastModified : undefined;
  return [name, createFile(blobData(value), filename ?? 'blob', value.type, lastModified)];
}

export class FormData {
  #entries: FormDataEntry[] = [];

  constructor(form?: unknown, submitter?: unknown) {
    // There are no forms here; an element was refused by its type.
    void form;
    if (submitter !== undefined && submitter !== null) throw new TypeError('The submitter is not an HTMLElement');
  }

  append(name: string, value: string | Blob, filename?: string): void {
    this.#entries.push(createEntry(name, value, filename));
  }
  delete(name: string): void {
    this.#entries = this.#entries.filter((entry) => entry[0] !== name);
  }
  get(name: string): string | File | null {
    return this.#entries.find((entry) => entry[0] === name)?.[1] ?? null;
  }
  getAll(name: string): (string | File)[] {
    return this.#entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }
  has(name: string): boolean {
    return this.#entries.some((entry) => entry[0] === name);
  }
  set(name: string, value: string | Blob, filename?: string): void {
    const entry = createEntry(name, value, filename);
    const at = this.#entries.findIndex((present) => present[0] === name);
    if (at < 0) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[at] = entry;
    this.#entries = this.#entries.filter((present, index) => index <= at || present[0] !== name);
  }

  static {
    isFormData = (value): value is FormData => typeof value === 'object' && value !== null && #entries in value;
    entriesOf = (form) => form.#entries;
  }
}

export const FormDataInterface = bind(idl.FormData, FormData, isFormData, { pairs: (form) => entriesOf(form) });
registerInspector(FormData.prototype, (form: FormData) => entriesOf(form));
