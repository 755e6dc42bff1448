// https://w3c.github.io/FileAPI/#file-section, https://w3c.github.io/FileAPI/#filelist-section

import * as idl from 'valor-idl';
import { registerInspector } from '../console/inspectors.ts';
import { bind } from '../webidl/bind.ts';
import { Blob, type BlobData, type BlobPropertyBag, blobData, copyData, type PackedBlob, unpackBlob } from './blob.ts';

export interface FilePropertyBag extends BlobPropertyBag {
  lastModified?: number;
}

export let isFile: (value: unknown) => value is File;

export class File extends Blob {
  #name: string;
  #lastModified: number;

  constructor(parts: readonly unknown[] | BlobData, name: string, options?: FilePropertyBag) {
    super(parts, options);
    this.#name = name;
    this.#lastModified = options?.lastModified ?? Date.now();
  }

  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }

  static {
    isFile = (value): value is File => typeof value === 'object' && value !== null && #name in value;
  }
}

export function createFile(data: BlobData, name: string, type: string, lastModified?: number): File {
  return new File(data, name, { type, endings: 'transparent', lastModified });
}

/** A file as plain data. */
export interface PackedFile extends PackedBlob {
  name: string;
  lastModified: number;
}

export function unpackFile({ bytes, type, name, lastModified }: PackedFile): File {
  return createFile(blobData(unpackBlob({ bytes, type })), name, type, lastModified);
}

export const FileInterface = bind(idl.File, File, isFile, {
  clone: (file) => createFile(blobData(file), file.name, file.type, file.lastModified),
  pack: (file): PackedFile => ({
    bytes: copyData(blobData(file)),
    type: file.type,
    name: file.name,
    lastModified: file.lastModified,
  }),
});
registerInspector(File.prototype, (file: File) => [
  ['name', file.name],
  ['size', file.size],
  ['type', file.type],
  ['lastModified', file.lastModified],
]);

/** Only a page's input elements make any; it is here so that code can ask for the interface. */
class FileList {
  #files: readonly File[] = [];

  get length(): number {
    return this.#files.length;
  }
  item(index: number): File | null {
    return this.#files[index] ?? null;
  }

  static isInstance(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #files in value;
  }
}

export const FileListInterface = bind(idl.FileList, FileList, FileList.isInstance);
