// The functions of the plug-in ABI (abi/valor.h, abi/valor-host.inc) and their types.

/**
 * What the host offers, a letter for each parameter: n the instance's number, u another 64-bit number, i a 32-bit one,
 * t text or bytes (a pointer and a size), o a place that is written to (likewise). After > stands a result that is no
 * 32-bit number.
 */
export const hostFunctions = {
  create_done: 'n',
  create_fail: 'nt',
  abort: 'nt',
  config: 'no',
  name: 'no',
  location: 'no',
  log: 'nit',
  state_get: 'nto',
  state_set: 'ntt',
  state_delete: 'nt',
  respond: 'nuitt',
  send_head: 'nuitu',
  send_body: 'nutu',
  send_end: 'nu',
  fail: 'nut',
  body_read: 'nuou',
  fetch: 'nutttuiu>u',
  fetch_cancel: 'nu',
  sleep: 'nuu',
  cancel: 'nu',
  now: 'i>u',
  random: 'o',
} as const;

export type HostFunction = keyof typeof hostFunctions;

/** What a function is called with: without the instance, and with memory in place of pointers and sizes. */
type Taken<Letters extends string> = Letters extends `${infer First}${infer Rest}`
  ? First extends '>'
    ? []
    : First extends 'n'
      ? Taken<Rest>
      : [First extends 'u' ? bigint : First extends 'i' ? number : Uint8Array<ArrayBuffer>, ...Taken<Rest>]
  : [];

/** The functions of the host, behind the checks that all of them need. */
export type HostCalls = {
  [Name in HostFunction]: (...parameters: Taken<(typeof hostFunctions)[Name]>) => number | bigint;
};

/** What a module exports, in the same letters. The last one may be left out. */
export const guestFunctions = {
  valor_abi: '>i',
  valor_alloc: 'i>i',
  valor_free: 'ii',
  valor_create: 'u>i',
  valor_start: 'iuii',
  valor_complete: 'iuiii',
  valor_drop: 'iui',
  valor_destroy: 'i',
  _initialize: '',
};
