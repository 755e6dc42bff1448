// https://w3c.github.io/webappsec-subresource-integrity/

import { natives } from '../natives.ts';
import { consumeBytes, createBody } from './body.ts';
import type { Bytes } from './body-source.ts';
import { networkError } from './exchange.ts';
import type { FetchedParts } from './response.ts';

// From weak to strong.
const algorithms = ['SHA-256', 'SHA-384', 'SHA-512'];

interface Metadata {
  strength: number;
  /** Standard base64 without padding. */
  digest: string;
}

/** https://w3c.github.io/webappsec-subresource-integrity/#parse-metadata */
function parseMetadata(text: string): Metadata[] {
  const found: Metadata[] = [];
  for (const item of text.replace(/[\t\n\f\r]/g, ' ').split(' ')) {
    const parts = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+)={0,2}(?:\?.*)?$/i.exec(item);
    if (parts === null) continue;
    found.push({
      strength: algorithms.indexOf(`SHA-${parts[1]?.slice(-3)}`),
      digest: (parts[2] ?? '').replaceAll('-', '+').replaceAll('_', '/'),
    });
  }
  return found;
}

/** https://w3c.github.io/webappsec-subresource-integrity/#does-response-match-metadatalist */
export function matches(bytes: Bytes, text: string): boolean {
  const all = parseMetadata(text);
  const strength = Math.max(...all.map((metadata) => metadata.strength));
  const strongest = all.filter((metadata) => metadata.strength === strength);
  if (strongest.length === 0) return true;
  const actual = natives.cryptoDigest(algorithms[strength] as string, bytes);
  if (actual === undefined) return false;
  const text64 = new Uint8Array(actual).toBase64({ omitPadding: true });
  return strongest.some(({ digest }) => digest === text64);
}

/** Reads all of a response's content. Throws a network error where it is not what was asked for. */
export async function requireIntegrity(parts: FetchedParts, integrity: string): Promise<void> {
  const { body, url } = parts;
  if (parts.type === 'opaque' || parts.type === 'opaqueredirect' || body === null) {
    throw networkError(
      url,
      "'integrity' cannot be checked, since the response has no content to be seen",
      'ERR_INTEGRITY',
    );
  }
  const bytes = await consumeBytes(createBody(body));
  parts.body = bytes;
  if (matches(bytes, integrity)) return;
  throw networkError(url, `the content is not what 'integrity' says: ${integrity}`, 'ERR_INTEGRITY');
}
