// The numbers of abi/valor.h; a test compares them.
export namespace Result {
  export const OK: i32 = 0;
  export const WAIT: i32 = -1;
  export const GONE: i32 = -2;
  export const INVALID: i32 = -3;
  export const FAILED: i32 = -5;
  export const ABSENT: i32 = -6;
}

export const ABI_VERSION: u32 = 1;
export const LENGTH_UNKNOWN: u64 = u64.MAX_VALUE;

export namespace RequestFlag {
  export const HAS_BODY: u32 = 1;
  export const HAS_LENGTH: u32 = 2;
}

export namespace FetchFlag {
  export const BODY: u32 = 1;
  export const MANUAL: u32 = 2;
}

export enum LogLevel {
  DEBUG = 0,
  INFO = 1,
  WARN = 2,
  ERROR = 3,
}

export enum Clock {
  /** Microseconds since 1970. */
  UNIX = 0,
  /** Microseconds since some moment; never goes back. */
  MONOTONIC = 1,
}

/** The type of Response.text(). */
export const PLAIN_TEXT = 'text/plain;charset=UTF-8';
