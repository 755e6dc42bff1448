// The border to the C++ side: what valor.node exports. server/addon.cpp is its other half.
import { createRequire } from 'node:module';

export type LogFormat = 'text' | 'json';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'off';

/** Who gets /_valor/: nobody, whoever addresses this machine, everybody. */
export type BrowserDelivery = 'off' | 'local' | 'open';

/** What a client may send; bytes, milliseconds and counts. */
export interface HttpLimits {
  requestLineBytes: number;
  headerBytes: number;
  headerCount: number;
  bodyBytes: number;
  headerTimeoutMs: number;
  bodyTimeoutMs: number;
  idleTimeoutMs: number;
  maxConnections: number;
}

export interface StartOptions {
  pluginFiles: string[];
  host: string;
  port: number;
  registry: boolean;
  adminToken: string;
  browser: BrowserDelivery;
  log: LogFormat;
  logLevel: LogLevel;
  accessLog: boolean;
  color: boolean;
  drainTimeoutMs: number;
  /** 0: as many as the machine suggests. */
  ioThreads: number;
  limits: HttpLimits;
  /** The folder that holds valor.snapshot and lazy/. */
  resourceDir: string;
  /** The folder that holds the browser runtime, if it was built. */
  webFolder: string;
}

export interface Started {
  host: string;
  port: number;
  plugins: number;
  /** Names of the plug-ins that could not be created; the log says why. */
  failed: string[];
}

/** Turns TypeScript into JavaScript without moving a line or column; throws where that is impossible. */
export type StripTypes = (path: string, source: string) => string;

export interface Addon {
  readonly version: string;
  /** Rejects with an Error whose `code` is ERR_CONFIG, ERR_LISTEN or ERR_START and whose message is ready to print. */
  start(options: StartOptions, stripTypes: StripTypes): Promise<Started>;
  /** Accepts nothing more and finishes what runs; resolves when all is done or the drain timeout has passed. */
  drain(): Promise<void>;
  /** Stops every thread at once. May be called at any time, and more than once. */
  stop(): void;
}

/** Loads valor.node from `folder`. */
export function loadAddon(folder: string): Addon {
  return createRequire(`${folder}/`)('./valor.node') as Addon;
}
