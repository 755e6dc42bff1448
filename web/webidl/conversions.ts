// Conversions of JavaScript values to Web IDL types: https://webidl.spec.whatwg.org/#js-type-mapping

/** DOMString. A template literal, unlike String(), refuses symbols. */
export function toDOMString(value: unknown): string {
  return typeof value === 'string' ? value : `${value as string}`;
}

/** USVString: lone surrogates become U+FFFD. */
export function toUSVString(value: unknown): string {
  return toDOMString(value).toWellFormed();
}

/** ByteString: every code unit below 256. */
export function toByteString(value: unknown): string {
  const text = toDOMString(value);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 255) {
      throw new TypeError(`Character at index ${i} of the header text has a value above 255`);
    }
  }
  return text;
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A dictionary: undefined and null are the empty one. */
export function toDictionary<T extends object>(value: T | null | undefined, what: string): Partial<T> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new TypeError(`${what} is not an object`);
  return value;
}

/** long, as timers take it. */
export function toLong(value: unknown): number {
  return Number(value) | 0;
}

/** [EnforceRange] unsigned long long. */
export function toUnsignedLongLongEnforced(value: unknown, what: string): number {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) throw new TypeError(`${what} is out of range`);
  return number + 0;
}

/** unsigned short. */
export function toUnsignedShort(value: unknown): number {
  return Number(value) & 0xffff;
}

export function toEnum<T extends string>(value: unknown, values: readonly T[], what: string): T {
  const text = toDOMString(value);
  if (!values.includes(text as T)) throw new TypeError(`'${text}' is not a valid value of ${what}`);
  return text as T;
}

/** sequence<any>. */
export function toSequence(value: unknown, what: string): unknown[] {
  if (!isObject(value)) throw new TypeError(`${what} is not an object`);
  const method = (value as Iterable<unknown>)[Symbol.iterator];
  if (typeof method !== 'function') throw new TypeError(`${what} is not iterable`);
  return Array.from({ [Symbol.iterator]: () => method.call(value) });
}

/** Throws unless an operation was given as many arguments as it requires. */
export function requireArguments(given: number, required: number, what: string): void {
  if (given < required) {
    throw new TypeError(
      `${what}: ${required} argument${required === 1 ? '' : 's'} required, but only ${given} present`,
    );
  }
}
