// The functions of web/crypto/*.cpp. Each returns undefined when OpenSSL refuses.

/** A key of OpenSSL (key-handle.h). Never to be seen by plug-in code. */
export type KeyHandle = ArrayBuffer & { readonly keyHandle?: never };

export type Bytes = ArrayBuffer | ArrayBufferView;
type Result = ArrayBuffer | undefined;

export interface CryptoNatives {
  cryptoFillRandom(view: ArrayBufferView): boolean | undefined;
  cryptoDigest(name: string, data: Bytes): Result;
  /** SHAKE, and with the names KECCAK-KMAC-... cSHAKE, of three pieces. */
  cryptoExtendable(name: string, before: Bytes, data: Bytes, after: Bytes, size: number): Result;
  cryptoTurboShake(strength: number, domain: number, data: Bytes, size: number): Result;
  cryptoKangarooTwelve(strength: number, data: Bytes, customization: Bytes, size: number): Result;
  cryptoHmac(hash: string, key: Bytes, data: Bytes): Result;
  /** In constant time. */
  cryptoEqual(a: Bytes, b: Bytes): boolean;
  /** AES-CBC and key wrapping. */
  cryptoCipher(name: string, encrypts: boolean, key: Bytes, iv: Bytes, data: Bytes): Result;
  cryptoCounterMode(key: Bytes, counter: Bytes, bits: number, data: Bytes): Result;
  /** The tag comes after the cipher text. */
  cryptoAuthenticated(
    name: string,
    encrypts: boolean,
    key: Bytes,
    iv: Bytes,
    additionalData: Bytes,
    tagSize: number,
    data: Bytes,
  ): Result;
  cryptoGenerateKey(type: string, curve: string | undefined): KeyHandle | undefined;
  /** `check` is called now and then: it stops the search when V8 ends the plug-in. */
  cryptoGenerateRsa(bits: number, exponent: Uint8Array, check: () => void): KeyHandle | undefined;
  cryptoReadSpki(der: Bytes): KeyHandle | undefined;
  cryptoReadPkcs8(der: Bytes): KeyHandle | undefined;
  cryptoWriteSpki(key: KeyHandle): Result;
  cryptoWritePkcs8(key: KeyHandle): Result;
  cryptoKeyType(key: KeyHandle): [type: string, curve: string, bits: number] | undefined;
  /** Private keys: whether the public part belongs to it. Public keys: whether it is possible at all. */
  cryptoCheckKey(key: KeyHandle, isPrivate: boolean): boolean | undefined;
  /** Each number's name comes before it. */
  cryptoKeyFromNumbers(
    type: string,
    isPrivate: boolean,
    curve: string | undefined,
    point: Bytes | undefined,
    ...numbers: (string | Bytes)[]
  ): KeyHandle | undefined;
  cryptoKeyFromRaw(type: string, part: 'public' | 'private' | 'seed', bytes: Bytes): KeyHandle | undefined;
  cryptoKeyPart(key: KeyHandle, part: 'public' | 'private' | 'seed'): Result;
  /** Big-endian, at least `size` bytes. */
  cryptoKeyNumber(key: KeyHandle, name: string, size: number): Result;
  /** `hash` is "" for algorithms that bring their own; `saltLength` belongs to RSA-PSS alone. */
  cryptoSign(
    key: KeyHandle,
    hash: string,
    saltLength: number | undefined,
    context: Bytes | undefined,
    data: Bytes,
  ): Result;
  cryptoVerify(
    key: KeyHandle,
    hash: string,
    saltLength: number | undefined,
    context: Bytes | undefined,
    data: Bytes,
    signature: Bytes,
  ): boolean | undefined;
  cryptoSignatureFromDer(der: Bytes, size: number): Result;
  cryptoSignatureToDer(signature: Bytes): Result;
  cryptoRsaOaep(key: KeyHandle, encrypts: boolean, hash: string, label: Bytes, data: Bytes): Result;
  cryptoAgree(key: KeyHandle, peer: KeyHandle): Result;
  cryptoHkdf(hash: string, key: Bytes, salt: Bytes, info: Bytes, size: number): Result;
  /** `check`: as for cryptoGenerateRsa. */
  cryptoPbkdf2(hash: string, password: Bytes, salt: Bytes, iterations: number, size: number, check: () => void): Result;
  cryptoArgon2(
    name: string,
    password: Bytes,
    nonce: Bytes,
    secret: Bytes,
    associatedData: Bytes,
    lanes: number,
    memory: number,
    passes: number,
    size: number,
  ): Result;
  cryptoEncapsulate(key: KeyHandle): [ciphertext: ArrayBuffer, secret: ArrayBuffer] | undefined;
  cryptoDecapsulate(key: KeyHandle, ciphertext: Bytes): Result;
}
