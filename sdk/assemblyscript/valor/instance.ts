// What a plug-in knows of itself, and how it is created and asked.
import * as host from './host';
import { Clock, LogLevel } from './constants';
import { Request } from './request';
import { Response } from './response';
import { instance } from './self';
import { copied, fromUtf8, jsonString, toUtf8 } from './text';

/** Passed to onCreate(). */
export class Creation {
  private isOpen: bool = true;
  private isLater: bool = false;

  /** The instance cannot be created; `words` tell the operator what is wrong and how to fix it. */
  fail(words: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const text = toUtf8(words);
    host.create_fail(instance, changetype<usize>(text), text.byteLength);
  }

  /** The instance is not ready when the function returns, but when done() is called. */
  later(): void {
    this.isLater = true;
  }

  /** The instance is ready for requests. Needs to be called only after later(). */
  done(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    host.create_done(instance);
  }

  returned(): void {
    if (!this.isLater) this.done();
  }
}

/** Answers, or returns null and answers later by the request's functions. */
export type Handler = (request: Request) => Response | null;

export let creator: (creation: Creation) => void = (creation: Creation): void => {};
export let handler: Handler = (request: Request): Response | null => {
  request.fail('the plug-in has not called onRequest()');
  return null;
};

/** Has `create` called once, before the first request. */
export function onCreate(create: (creation: Creation) => void): void {
  creator = create;
}

/** Has `handle` called for each request. */
export function onRequest(handle: Handler): void {
  handler = handle;
}

/** The plug-in's "config" as JSON text; "null" where there is none. */
export function config(): string {
  return text(copied((buffer, capacity) => host.config(instance, buffer, capacity)));
}

/** The config where it is a JSON string, otherwise null. */
export function configString(): string | null {
  return jsonString(config());
}

/** The plug-in's name. */
export function name(): string {
  return text(copied((buffer, capacity) => host.name(instance, buffer, capacity)));
}

/** The public URL of the mount, ending in a slash. */
export function location(): string {
  return text(copied((buffer, capacity) => host.location(instance, buffer, capacity)));
}

function text(bytes: ArrayBuffer | null): string {
  return bytes === null ? '' : fromUtf8(changetype<usize>(bytes), bytes.byteLength);
}

/** Writes a line to Valor's log in the plug-in's name. */
export function log(message: string, level: LogLevel = LogLevel.INFO): void {
  const line = toUtf8(message);
  host.log(instance, level, changetype<usize>(line), line.byteLength);
}

/** Microseconds of a clock. */
export function now(clock: Clock = Clock.UNIX): u64 {
  return host.now(clock);
}

/** Fills `bytes` with random ones, fit for secrets. */
export function random(bytes: Uint8Array): void {
  host.random(bytes.dataStart, bytes.length);
}

/** Ends this instance: its open requests get 502, a new instance takes over. */
export function panic(message: string): void {
  const words = toUtf8(message);
  host.abort(instance, changetype<usize>(words), words.byteLength);
}
