// Results of host functions, as abi/valor.h has them.
export const FINE = 0;
export const WAIT = -1;
export const GONE = -2;
export const INVALID = -3;
export const NO_INSTANCE = -4;
export const FAILED = -5;
export const ABSENT = -6;
