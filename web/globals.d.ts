// What V8 offers beyond the standard library types of the configured language level.

interface ErrorConstructor {
  captureStackTrace(target: object, upTo?: unknown): void;
}

interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}

interface Uint8Array {
  toBase64(): string;
}

interface ArrayBuffer {
  readonly detached: boolean;
}
