// https://urlpattern.spec.whatwg.org/#parts: what a pattern string is made of.

export type PartType = 'fixed-text' | 'regexp' | 'segment-wildcard' | 'full-wildcard';

/** How often a part may come; the empty one is exactly once. */
export type Modifier = '' | '?' | '*' | '+';

export interface Part {
  type: PartType;
  /** Of fixed text and regular expressions. */
  value: string;
  modifier: Modifier;
  /** Of all but fixed text; a number where the pattern gives none. */
  name: string;
  prefix: string;
  suffix: string;
}

/** https://urlpattern.spec.whatwg.org/#options-header */
export interface PatternOptions {
  /** What a segment wildcard does not go beyond: one code point, or "". */
  delimiter: string;
  /** The code point that belongs to the group behind it, or "". */
  prefix: string;
  ignoreCase: boolean;
}

export const fullWildcard = '.*';

/** https://urlpattern.spec.whatwg.org/#escape-a-regexp-string */
export function escapeRegExp(text: string): string {
  return text.replace(/[.+*?^${}()[\]|/\\]/g, '\\$&');
}

/** https://urlpattern.spec.whatwg.org/#escape-a-pattern-string */
export function escapePattern(text: string): string {
  return text.replace(/[+*?:{}()\\]/g, '\\$&');
}

/** https://urlpattern.spec.whatwg.org/#generate-a-segment-wildcard-regexp */
export function segmentWildcard({ delimiter }: PatternOptions): string {
  return `[^${escapeRegExp(delimiter)}]+?`;
}
