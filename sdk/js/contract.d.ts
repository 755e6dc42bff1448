// What Valor adds to the global of a plug-in: its contracts, and members that TypeScript's declarations of workers do not
// have yet. tools/generate-types.ts puts this before the rest.
/** biome-ignore-all lint/suspicious/noExplicitAny: as in the declarations that TypeScript brings */

/** What a plug-in gets from its operator. */
declare const valor: {
  /** `config` of the plug-in's definition; undefined where it has none. */
  readonly config: any;
};

// --- the message contract: a "message" event brings a request, postMessage() takes its response

interface ValorRequest {
  /** Path and query behind the plug-in's mount, without a slash before. */
  readonly url: string;
  readonly method: string;
  /** Name and value; names in lower case, repeated ones repeated. */
  readonly headers: [name: string, value: string][];
  readonly body: ArrayBuffer | null;
}

interface ValorResponse {
  status: number;
  /** `x-request-id` tells which request it answers. */
  headers?: [name: string, value: string][];
  body?: string | ArrayBuffer | ArrayBufferView | null;
}

declare function postMessage(response: ValorResponse, options?: StructuredSerializeOptions | Transferable[]): void;
declare var onmessage: ((this: typeof globalThis, event: MessageEvent<ValorRequest>) => any) | null;

// --- the fetch contracts: a listener of "fetch" events, or a module with a default export

declare var onfetch: ((this: typeof globalThis, event: FetchEvent) => any) | null;

interface ValorContext {
  /** Keeps the instance until the promise is settled. */
  waitUntil(work: Promise<unknown>): void;
  /** There is nothing to pass a request on to: does nothing. */
  passThroughOnException(): void;
}

/** `export default { fetch(request, env, context) { ... } } satisfies ValorModule;` */
interface ValorModule<Config = any> {
  fetch(request: Request, env: Config, context: ValorContext): Response | Promise<Response>;
}

interface ValorEventMap {
  error: ErrorEvent;
  fetch: FetchEvent;
  message: MessageEvent<ValorRequest>;
  messageerror: MessageEvent;
  rejectionhandled: PromiseRejectionEvent;
  unhandledrejection: PromiseRejectionEvent;
}

declare function addEventListener<K extends keyof ValorEventMap>(
  type: K,
  listener: (this: typeof globalThis, event: ValorEventMap[K]) => any,
  options?: boolean | AddEventListenerOptions,
): void;
declare function addEventListener(
  type: string,
  listener: EventListenerOrEventListenerObject,
  options?: boolean | AddEventListenerOptions,
): void;
declare function removeEventListener<K extends keyof ValorEventMap>(
  type: K,
  listener: (this: typeof globalThis, event: ValorEventMap[K]) => any,
  options?: boolean | EventListenerOptions,
): void;
declare function removeEventListener(
  type: string,
  listener: EventListenerOrEventListenerObject,
  options?: boolean | EventListenerOptions,
): void;

// --- members that TypeScript's declarations do not have yet

interface Blob {
  textStream(): ReadableStream<string>;
}

interface MessagePort {
  onclose: ((this: MessagePort, event: Event) => any) | null;
}

interface PerformanceEntry {
  readonly id: number;
  readonly navigationId: number;
}

interface ReadableStreamStatics {
  from<R>(source: Iterable<R | PromiseLike<R>> | AsyncIterable<R>): ReadableStream<R>;
}

interface Request {
  readonly duplex: 'half';
  readonly isHistoryNavigation: boolean;
  readonly isReloadNavigation: boolean;
}

interface EncapsulatedKey {
  ciphertext: ArrayBuffer;
  sharedKey: CryptoKey;
}

interface EncapsulatedBits {
  ciphertext: ArrayBuffer;
  sharedKey: ArrayBuffer;
}

interface SubtleCrypto {
  encapsulateKey(
    algorithm: AlgorithmIdentifier,
    key: CryptoKey,
    sharedKeyAlgorithm: AlgorithmIdentifier,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<EncapsulatedKey>;
  encapsulateBits(algorithm: AlgorithmIdentifier, key: CryptoKey): Promise<EncapsulatedBits>;
  decapsulateKey(
    algorithm: AlgorithmIdentifier,
    key: CryptoKey,
    ciphertext: BufferSource,
    sharedKeyAlgorithm: AlgorithmIdentifier,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey>;
  decapsulateBits(algorithm: AlgorithmIdentifier, key: CryptoKey, ciphertext: BufferSource): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: KeyUsage[]): Promise<CryptoKey>;
}

interface SubtleCryptoStatics {
  supports(
    operation: string,
    algorithm: AlgorithmIdentifier,
    lengthOrOther?: number | null | AlgorithmIdentifier,
  ): boolean;
}

interface URLPatternStatics {
  compareComponent(component: string, left: URLPattern, right: URLPattern): number;
}

declare namespace WebAssembly {
  class Suspending {
    constructor(function_: (...args: any[]) => any);
  }
  function promising(function_: (...args: any[]) => any): (...args: any[]) => Promise<any>;
  class SuspendError extends Error {}
}
