// JSON Web Keys: RFC 7517, https://w3c.github.io/webcrypto/#JsonWebKey-dictionary

import { isObject, toDOMString, toSequence } from '../webidl/conversions.ts';
import { copyOf } from './buffers.ts';
import type { Bytes } from './natives.ts';
import { fail } from './platform.ts';

const textMembers = [
  ...['alg', 'crv', 'd', 'dp', 'dq', 'e', 'k', 'kty', 'n', 'p', 'priv', 'pub', 'q', 'qi', 'use', 'x', 'y'],
] as const;

type TextMember = (typeof textMembers)[number];

export interface JsonWebKey extends Partial<Record<TextMember, string>> {
  ext?: boolean;
  key_ops?: string[];
  oth?: unknown[];
}

export function toJwk(value: unknown): JsonWebKey {
  const jwk: JsonWebKey = {};
  if (value === undefined || value === null) return jwk;
  if (!isObject(value)) throw new TypeError('The key is not an object');
  const given = value as Record<string, unknown>;
  for (const name of textMembers) {
    const member = given[name];
    if (member !== undefined) jwk[name] = toDOMString(member);
  }
  if (given.ext !== undefined) jwk.ext = Boolean(given.ext);
  if (given.key_ops !== undefined) jwk.key_ops = toSequence(given.key_ops, "'key_ops'").map(toDOMString);
  if (given.oth !== undefined) jwk.oth = toSequence(given.oth, "'oth'");
  return jwk;
}

export interface JwkRules {
  kty: string;
  /** What `use` must be when the key is to be used. */
  use: string;
  /** What `alg` may be; anything when empty. */
  algs?: string[];
}

/** The checks that all algorithms have in common. */
export function checkJwk(jwk: JsonWebKey, rules: JwkRules, usages: string[], extractable: boolean): void {
  if (jwk.kty !== rules.kty) fail('DataError', `The key's "kty" is not ${rules.kty}`);
  if (usages.length > 0 && jwk.use !== undefined && jwk.use !== rules.use) {
    fail('DataError', `The key's "use" is not ${rules.use}`);
  }
  if (jwk.key_ops !== undefined) {
    if (new Set(jwk.key_ops).size !== jwk.key_ops.length) fail('DataError', 'An entry of "key_ops" is repeated');
    for (const usage of usages) {
      if (!jwk.key_ops.includes(usage)) fail('DataError', `The key's "key_ops" do not allow ${usage}`);
    }
  }
  if (jwk.ext === false && extractable) fail('DataError', 'The key is not extractable');
  const { algs } = rules;
  if (algs !== undefined && algs.length > 0 && jwk.alg !== undefined && !algs.includes(jwk.alg)) {
    fail('DataError', `The key's "alg" is not ${algs[0]}`);
  }
}

/** The bytes of a member; a DataError when there is none or it is no base64url. */
export function jwkBytes(jwk: JsonWebKey, name: TextMember): Uint8Array<ArrayBuffer> {
  const text = jwk[name];
  if (text === undefined) fail('DataError', `The key has no "${name}"`);
  try {
    if (!text.includes('=')) return Uint8Array.fromBase64(text, { alphabet: 'base64url' });
  } catch {
    // said below
  }
  return fail('DataError', `The key's "${name}" is not base64url`);
}

export function toBase64Url(bytes: Bytes): string {
  return copyOf(bytes).toBase64({ alphabet: 'base64url', omitPadding: true });
}
