// What jose does, asked for by name: POST /sign with {"alg": ..., "key": JWK, "claims": {...}} and so on. The test bundles it.
import * as jose from 'jose';

interface Question {
  alg: string;
  enc: string;
  key: jose.JWK;
  claims: jose.JWTPayload;
  /** For setExpirationTime(): "1h", "1h ago". */
  expires: string;
  token: string;
  jwks: jose.JSONWebKeySet;
  url: string;
  pem: string;
  audience: string;
}

const importKey = async ({ key, alg }: Question): Promise<jose.CryptoKey | Uint8Array> => jose.importJWK(key, alg);

const operations: Record<string, (question: Question) => unknown> = {
  async generate({ alg }) {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
    return {
      private: await jose.exportJWK(privateKey),
      public: await jose.exportJWK(publicKey),
      pkcs8: await jose.exportPKCS8(privateKey),
      spki: await jose.exportSPKI(publicKey),
    };
  },
  async secret({ alg }) {
    return jose.exportJWK(await jose.generateSecret(alg, { extractable: true }));
  },
  thumbprint: ({ key }) => jose.calculateJwkThumbprint(key),
  spki: async ({ pem, alg }) => jose.exportJWK(await jose.importSPKI(pem, alg, { extractable: true })),
  pkcs8: async ({ pem, alg }) => jose.exportJWK(await jose.importPKCS8(pem, alg, { extractable: true })),
  async sign(question) {
    const { claims, alg, expires } = question;
    const token = new jose.SignJWT(claims).setProtectedHeader({ alg }).setIssuedAt().setExpirationTime(expires);
    return token.sign(await importKey(question));
  },
  async verify(question) {
    const { token, audience } = question;
    return (await jose.jwtVerify(token, await importKey(question), { audience })).payload;
  },
  local: async ({ token, jwks }) => (await jose.jwtVerify(token, jose.createLocalJWKSet(jwks))).payload,
  remote: async ({ token, url }) => (await jose.jwtVerify(token, jose.createRemoteJWKSet(new URL(url)))).payload,
  async encrypt(question) {
    const { claims, alg, enc, expires } = question;
    const token = new jose.EncryptJWT(claims).setProtectedHeader({ alg, enc }).setExpirationTime(expires);
    return token.encrypt(await importKey(question));
  },
  async decrypt(question) {
    return (await jose.jwtDecrypt(question.token, await importKey(question))).payload;
  },
};

export default {
  async fetch(request: Request): Promise<Response> {
    const operation = operations[new URL(request.url).pathname.slice(1)]!;
    try {
      return Response.json(await operation((await request.json()) as Question));
    } catch (error) {
      const { code, name, message } = error as { code?: string; name: string; message: string };
      return Response.json({ code: code ?? name, message }, { status: 400 });
    }
  },
};
