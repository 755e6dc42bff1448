// What a list of parts becomes: a regular expression, and a pattern string again.

import { escapePattern, escapeRegExp, fullWildcard, type Part, type PatternOptions, segmentWildcard } from './parts.ts';
import { codePoints, isNameCodePoint } from './tokenizer.ts';

/** https://urlpattern.spec.whatwg.org/#generate-a-regular-expression-and-name-list: each capturing group is a part's value. */
export function generateRegExp(parts: readonly Part[], options: PatternOptions): string {
  let source = '^';
  for (const part of parts) {
    const { type, modifier } = part;
    if (type === 'fixed-text') {
      const text = escapeRegExp(part.value);
      source += modifier === '' ? text : `(?:${text})${modifier}`;
      continue;
    }
    let value = part.value;
    if (type === 'segment-wildcard') value = segmentWildcard(options);
    else if (type === 'full-wildcard') value = fullWildcard;
    const once = modifier === '' || modifier === '?';
    const prefix = escapeRegExp(part.prefix);
    const suffix = escapeRegExp(part.suffix);
    if (prefix === '' && suffix === '') {
      source += once ? `(${value})${modifier}` : `((?:${value})${modifier})`;
    } else if (once) {
      source += `(?:${prefix}(${value})${suffix})${modifier}`;
    } else {
      // Prefix and suffix stand between repetitions too, but not around the value as a whole.
      source += `(?:${prefix}((?:${value})(?:${suffix}${prefix}(?:${value}))*)${suffix})${modifier === '*' ? '?' : ''}`;
    }
  }
  return `${source}$`;
}

const startsWithDigit = (text: string): boolean => /^[0-9]/.test(text);
const startsLikeName = (text: string): boolean => isNameCodePoint(codePoints(text)[0] ?? '', false);

/** Whether a part has to be in braces, so that what is around it is not taken for a piece of it. */
function needsGrouping(
  part: Part,
  previous: Part | undefined,
  next: Part | undefined,
  options: PatternOptions,
): boolean {
  const { type, prefix, suffix, modifier } = part;
  if (suffix !== '' || (prefix !== '' && prefix !== options.prefix)) return true;
  const custom = !startsWithDigit(part.name);
  if (custom && type === 'segment-wildcard' && modifier === '' && next && next.prefix === '' && next.suffix === '') {
    if (next.type === 'fixed-text' ? startsLikeName(next.value) : startsWithDigit(next.name)) return true;
  }
  return (
    prefix === '' && previous?.type === 'fixed-text' && options.prefix !== '' && previous.value.endsWith(options.prefix)
  );
}

/** https://urlpattern.spec.whatwg.org/#generate-a-pattern-string */
export function generatePattern(parts: readonly Part[], options: PatternOptions): string {
  let result = '';
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Part;
    const { type, prefix, suffix, modifier } = part;
    if (type === 'fixed-text') {
      const text = escapePattern(part.value);
      result += modifier === '' ? text : `{${text}}${modifier}`;
      continue;
    }
    const previous = parts[index - 1];
    const grouped = needsGrouping(part, previous, parts[index + 1], options);
    const custom = !startsWithDigit(part.name);
    if (grouped) result += '{';
    result += escapePattern(prefix);
    if (custom) result += `:${part.name}`;
    if (type === 'regexp') {
      result += `(${part.value})`;
    } else if (type === 'segment-wildcard') {
      if (!custom) result += `(${segmentWildcard(options)})`;
    } else {
      const alone = !previous || previous.type === 'fixed-text' || previous.modifier !== '';
      result += !custom && (alone || grouped || prefix !== '') ? '*' : `(${fullWildcard})`;
    }
    if (type === 'segment-wildcard' && custom && suffix !== '' && startsLikeName(suffix)) result += '\\';
    result += escapePattern(suffix);
    if (grouped) result += '}';
    result += modifier;
  }
  return result;
}
