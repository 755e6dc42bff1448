// The npm package jose in a plug-in, unchanged: tokens and keys that it makes there are taken by jose on Node, and the other
// way round; what is not in order is refused.
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build as bundle } from 'esbuild';
import * as jose from 'jose';
import { pluginPath, serve, temporaryFolder } from './harness.ts';

const url = join(temporaryFolder(), 'jose.js');
await bundle({ entryPoints: [pluginPath('jose.ts')], outfile: url, bundle: true, format: 'esm', target: 'es2024' });
const valor = await serve([{ type: 'web', name: 'jose', url, permissions: { net: ['127.0.0.0/8'] } }]);
after(() => valor.stop());

async function ask(operation: string, question: object): Promise<{ status: number; value: unknown }> {
  const answer = await valor.ask(`/jose/${operation}`, { method: 'POST', body: JSON.stringify(question) });
  return { status: answer.status, value: answer.json() };
}

async function done<T>(operation: string, question: object): Promise<T> {
  const { status, value } = await ask(operation, question);
  assert.equal(status, 200, `${operation}: ${JSON.stringify(value)}`);
  return value as T;
}

async function refused(operation: string, question: object, code: string): Promise<void> {
  const { status, value } = await ask(operation, question);
  assert.equal(status, 400, `${operation} was not refused`);
  assert.equal((value as { code: string }).code, code);
}

interface Pair {
  private: jose.JWK;
  public: jose.JWK;
  pkcs8: string;
  spki: string;
}

const claims = { sub: 'Ada', aud: 'tests', 'https://example.org/grüße': [1, 'zwei', null] };

/** Another character in the middle of the last part: a signature, an authentication tag. */
function tampered(token: string): string {
  const at = token.lastIndexOf('.') + 5;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

/** A secret signs and verifies, the rest has two halves. */
async function keysFor(alg: string): Promise<[mine: jose.JWK, theirs: jose.JWK]> {
  if (alg.startsWith('HS')) {
    const secret = await done<jose.JWK>('secret', { alg });
    return [secret, secret];
  }
  const pair = await done<Pair>('generate', { alg });
  return [pair.private, pair.public];
}

for (const alg of ['HS256', 'RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519', 'ML-DSA-65']) {
  test(`a token signed with ${alg}`, async () => {
    const [key, verification] = await keysFor(alg);
    const token = await done<string>('sign', { alg, key, claims, expires: '1h' });
    const here = await jose.jwtVerify(token, await jose.importJWK(verification, alg));
    assert.equal(here.payload['https://example.org/grüße']?.toString(), '1,zwei,');

    const fromNode = await new jose.SignJWT(claims).setProtectedHeader({ alg }).sign(await jose.importJWK(key, alg));
    const question = { alg, key: verification, audience: 'tests' };
    assert.deepEqual(await done('verify', { ...question, token: fromNode }), claims);

    const verify = { ...question, token };
    await refused('verify', { ...verify, token: tampered(token) }, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    await refused('verify', { ...verify, audience: 'others' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
    const [, stranger] = await keysFor(alg);
    await refused('verify', { ...verify, key: stranger }, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    const old = await done<string>('sign', { alg, key, claims, expires: '1h ago' });
    await refused('verify', { ...verify, token: old }, 'ERR_JWT_EXPIRED');
  });
}

const encryptions: [alg: string, enc: string][] = [
  ['dir', 'A256GCM'],
  ['A256KW', 'A256GCM'],
  ['A256GCMKW', 'A128CBC-HS256'],
  ['RSA-OAEP-256', 'A256GCM'],
  ['ECDH-ES', 'A256CBC-HS512'],
  ['ECDH-ES+A128KW', 'A192GCM'],
];
for (const [alg, enc] of encryptions) {
  test(`a token encrypted with ${alg} and ${enc}`, async () => {
    const secret = /^(dir|A)/.test(alg);
    const pair = async (): Promise<Pair> => {
      if (!secret) return done<Pair>('generate', { alg });
      const key = await done<jose.JWK>('secret', { alg: alg === 'dir' ? enc : alg });
      return { private: key, public: key, pkcs8: '', spki: '' };
    };
    const mine = await pair();
    const token = await done<string>('encrypt', { alg, enc, key: mine.public, claims, expires: '1h' });
    const here = await jose.jwtDecrypt(token, await jose.importJWK(mine.private, alg));
    assert.equal(here.payload.sub, 'Ada');
    assert.equal(here.protectedHeader.enc, enc);

    const fromNode = await new jose.EncryptJWT(claims)
      .setProtectedHeader({ alg, enc })
      .encrypt(await jose.importJWK(mine.public, alg));
    const decrypt = { alg, key: mine.private, token };
    assert.deepEqual(await done('decrypt', { ...decrypt, token: fromNode }), claims);

    await refused('decrypt', { ...decrypt, token: tampered(token) }, 'ERR_JWE_DECRYPTION_FAILED');
    await refused('decrypt', { ...decrypt, key: (await pair()).private }, 'ERR_JWE_DECRYPTION_FAILED');
    const old = await done<string>('encrypt', { alg, enc, key: mine.public, claims, expires: '1h ago' });
    await refused('decrypt', { ...decrypt, token: old }, 'ERR_JWT_EXPIRED');
  });
}

for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519', 'ECDH-ES']) {
  test(`keys for ${alg} as JWK, SPKI and PKCS #8`, async () => {
    const pair = await done<Pair>('generate', { alg });
    const extractable = { extractable: true };
    assert.deepEqual(await jose.exportJWK(await jose.importSPKI(pair.spki, alg, extractable)), pair.public);
    assert.deepEqual(await jose.exportJWK(await jose.importPKCS8(pair.pkcs8, alg, extractable)), pair.private);
    assert.deepEqual(await done('spki', { alg, pem: pair.spki }), pair.public);
    assert.deepEqual(await done('pkcs8', { alg, pem: pair.pkcs8 }), pair.private);
    assert.equal(await done('thumbprint', { key: pair.private }), await jose.calculateJwkThumbprint(pair.public));
  });
}

test('a thumbprint is that of RFC 7638, section 3.1', async () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst' +
    'n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9' +
    '1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  const key = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' };
  assert.equal(await done('thumbprint', { key }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('a set of keys, given and fetched: the key that the token names is used', async () => {
  const pairs = await Promise.all(['ES256', 'ES256', 'RS256'].map((alg) => done<Pair>('generate', { alg })));
  const jwks = { keys: pairs.map((pair, index) => ({ ...pair.public, kid: `key-${index}` })) };
  const sign = async (index: number, kid: string): Promise<string> => {
    const alg = index === 2 ? 'RS256' : 'ES256';
    const token = new jose.SignJWT(claims).setProtectedHeader({ alg, kid });
    return token.sign(await jose.importJWK(pairs[index]!.private, alg));
  };
  let asked = 0;
  const server = http.createServer((_, response) => {
    asked++;
    response.setHeader('content-type', 'application/jwk-set+json').end(JSON.stringify(jwks));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const sources = { local: { jwks }, remote: { url: `http://127.0.0.1:${port}/jwks` } };
  for (const [operation, source] of Object.entries(sources)) {
    for (const index of [0, 1, 2]) {
      assert.deepEqual(await done(operation, { ...source, token: await sign(index, `key-${index}`) }), claims);
    }
    await refused(operation, { ...source, token: await sign(0, 'key-1') }, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    await refused(operation, { ...source, token: await sign(0, 'key-9') }, 'ERR_JWKS_NO_MATCHING_KEY');
  }
  assert.ok(asked > 0);
});
