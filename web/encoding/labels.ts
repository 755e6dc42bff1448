// The labels of the encodings that are offered: https://encoding.spec.whatwg.org/#names-and-labels

import { loadPart } from '../lazy.ts';

type Legacy = typeof import('../lazy/legacy-encodings.ts');

/** Those that need no tables. The others are in a part that is loaded for the first label that is none of these. */
export type CommonEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

const labels: Record<CommonEncoding, string> = {
  'utf-8': 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8',
  'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le',
  'utf-16be': 'unicodefffe utf-16be',
  'windows-1252':
    'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 ' +
    'iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252',
};

const names = new Map<string, CommonEncoding>();
for (const [name, list] of Object.entries(labels)) {
  for (const label of list.split(' ')) names.set(label, name as CommonEncoding);
}

/** https://encoding.spec.whatwg.org/#concept-encoding-get */
export function encodingFromLabel(label: string): string | undefined {
  const trimmed = label.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '').toLowerCase();
  return names.get(trimmed) ?? loadPart<Legacy>('legacy-encodings').legacyEncodingFromLabel(trimmed);
}
