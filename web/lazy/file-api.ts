// Blobs and what is made of them.
export { BlobInterface as Blob, blobData, dataSource, isBlob, unpackBlob } from '../file-api/blob.ts';
export { FileInterface as File, FileListInterface as FileList, unpackFile } from '../file-api/file.ts';
export {
  FileReaderInterface as FileReader,
  FileReaderSyncInterface as FileReaderSync,
} from '../file-api/file-reader.ts';
export { FormData as FormDataClass, FormDataInterface as FormData, isFormData } from '../xhr/form-data.ts';
export { blobOf, encodeMultipart, parseMultipart } from '../xhr/multipart.ts';
export { ProgressEventInterface as ProgressEvent } from '../xhr/progress-event.ts';
