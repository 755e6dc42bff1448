// What V8 offers beyond the standard library types of the configured language level.

interface ErrorConstructor {
  captureStackTrace(target: object, upTo?: unknown): void;
}

interface Base64Options {
  alphabet?: 'base64' | 'base64url';
  omitPadding?: boolean;
}

interface Uint8ArrayConstructor {
  fromBase64(text: string, options?: Base64Options): Uint8Array<ArrayBuffer>;
  fromHex(text: string): Uint8Array<ArrayBuffer>;
}

interface Uint8Array {
  toBase64(options?: Base64Options): string;
  toHex(): string;
}

interface ArrayBuffer {
  readonly detached: boolean;
}

/** Made by tools/generate-idl.ts: interfaces, dictionaries and enumerations of the standards. */
declare module 'valor-idl' {
  type Declaration = import('./webidl/bind.ts').InterfaceDeclaration;
  export const Blob: Declaration;
  export const BroadcastChannel: Declaration;
  export const CompressionStream: Declaration;
  export const DecompressionStream: Declaration;
  export const File: Declaration;
  export const FileList: Declaration;
  export const FileReader: Declaration;
  export const FileReaderSync: Declaration;
  export const FormData: Declaration;
  export const MessageChannel: Declaration;
  export const MessagePort: Declaration;
  export const Performance: Declaration;
  export const PerformanceEntry: Declaration;
  export const PerformanceMark: Declaration;
  export const PerformanceMeasure: Declaration;
  export const PerformanceObserver: Declaration;
  export const PerformanceObserverEntryList: Declaration;
  export const ProgressEvent: Declaration;
  export const Scheduler: Declaration;
  export const TaskController: Declaration;
  export const TaskPriorityChangeEvent: Declaration;
  export const TaskSignal: Declaration;
  export const URLPattern: Declaration;

  type Dictionary = import('./webidl/types.ts').Type;
  export const ReadableStreamBYOBReaderReadOptions: Dictionary;
  export const ReadableStreamIteratorOptions: Dictionary;
}
