import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { createPlatform, type Platform } from '../test/platform.ts';

const node = webcrypto.subtle;

function withHelpers(): Platform {
  const platform = createPlatform();
  platform.run(`
    const { subtle } = crypto;
    const bytes = (text) => new TextEncoder().encode(text);
    const hex = (buffer) => new Uint8Array(buffer).toHex();
    const nameOf = (promise) => promise.then(() => 'fulfilled', (error) => error.name);
  `);
  return platform;
}

test('random values fill integer arrays, and identifiers are version 4', () => {
  const { run } = createPlatform();
  assert.equal(
    run('const a = new Uint8Array(64); crypto.getRandomValues(a) === a && a.some((byte) => byte > 0)'),
    true,
  );
  assert.equal(run('crypto.getRandomValues(new BigInt64Array(3)).length'), 3);
  assert.equal(run('crypto.getRandomValues(new Uint8Array(0)).length'), 0);
  assert.throws(() => run('crypto.getRandomValues(new Float32Array(1))'), { name: 'TypeMismatchError' });
  assert.throws(() => run('crypto.getRandomValues(new Uint8Array(65537))'), { name: 'QuotaExceededError' });
  assert.throws(() => run('crypto.getRandomValues([])'), { name: 'TypeError' });
  const ids = run('Array.from({ length: 1000 }, () => crypto.randomUUID())');
  assert.equal(new Set(ids).size, 1000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('only subtle loads the lazy part', async () => {
  const { run, runAsync, loaded } = createPlatform();
  run('crypto.randomUUID(); crypto.subtle; SubtleCrypto; CryptoKey.name; typeof crypto.subtle.digest');
  assert.deepEqual(loaded, []);
  await runAsync(
    "await crypto.subtle.digest('SHA-256', new Uint8Array(1)); await crypto.subtle.digest('SHA-1', new Uint8Array(1))",
  );
  assert.deepEqual(loaded, ['crypto']);
});

const digestAlgorithms = [
  ...['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-256', 'SHA3-384', 'SHA3-512'].map((name) => ({ name })),
  ...[0, 8, 256, 4096].flatMap((outputLength) => ['cSHAKE128', 'cSHAKE256'].map((name) => ({ name, outputLength }))),
  ...['TurboSHAKE128', 'TurboSHAKE256', 'KT128', 'KT256'].map((name) => ({ name, outputLength: 512 })),
  { name: 'TurboSHAKE128', outputLength: 4096, domainSeparation: 0x0b },
  { name: 'KT128', outputLength: 4096, customization: new Uint8Array(300).fill(7) },
  { name: 'cSHAKE128', outputLength: 256, customization: new Uint8Array(200).fill(7) },
];

test('digests are those of node', async () => {
  const { runAsync, global } = withHelpers();
  for (const algorithm of digestAlgorithms) {
    for (const size of [0, 1, 135, 168, 8191, 8192, 8193, 30000]) {
      Object.assign(global, { algorithm, data: new Uint8Array(size).fill(size & 255) });
      const expected = Buffer.from(await node.digest(algorithm as never, global.data)).toString('hex');
      const name = `${JSON.stringify(algorithm)} of ${size} bytes`;
      assert.equal(await runAsync('return hex(await subtle.digest(algorithm, data))'), expected, name);
    }
  }
});

const aes = (name: string, params: object) => ({ make: { name, length: 256 }, params: { name, ...params } });
const encryptionCases = [
  aes('AES-CBC', { iv: new Uint8Array(16).fill(1) }),
  aes('AES-CTR', { counter: new Uint8Array(16).fill(255), length: 20 }),
  aes('AES-CTR', { counter: new Uint8Array(16).fill(255), length: 128 }),
  aes('AES-GCM', { iv: new Uint8Array(12).fill(1), additionalData: new Uint8Array(5), tagLength: 96 }),
  aes('AES-OCB', { iv: new Uint8Array(12).fill(1), additionalData: new Uint8Array(5) }),
  { make: { name: 'ChaCha20-Poly1305' }, params: { name: 'ChaCha20-Poly1305', iv: new Uint8Array(12) } },
];

test('what is encrypted here is decrypted by node, and the other way round', async () => {
  const { runAsync, global } = withHelpers();
  for (const { make, params } of encryptionCases) {
    for (const size of [0, 1, 16, 100, 5000]) {
      Object.assign(global, { make, params, data: new Uint8Array(size).fill(3) });
      await runAsync("globalThis.key = await subtle.generateKey(make, true, ['encrypt', 'decrypt'])");
      const exported = await runAsync("return subtle.exportKey('raw-secret', key)");
      const key = await node.importKey('raw-secret' as never, exported, make, false, ['encrypt', 'decrypt']);
      const theirs = await node.encrypt(params, key, global.data);
      const ours = await runAsync('return subtle.encrypt(params, key, data)');
      assert.deepEqual(new Uint8Array(ours), new Uint8Array(theirs), `${params.name} ${size}`);
      global.theirs = theirs;
      assert.equal((await runAsync('return subtle.decrypt(params, key, theirs)')).byteLength, size);
    }
  }
});

test('a changed cipher text is an OperationError', async () => {
  const { runAsync } = withHelpers();
  const names = await runAsync(`
    const names = [];
    for (const name of ['AES-GCM', 'AES-OCB', 'ChaCha20-Poly1305']) {
      const key = await subtle.generateKey({ name, length: 128 }, false, ['encrypt', 'decrypt']);
      const params = { name, iv: new Uint8Array(12) };
      const sealed = new Uint8Array(await subtle.encrypt(params, key, bytes('hello')));
      sealed[0] ^= 1;
      names.push(await nameOf(subtle.decrypt(params, key, sealed)), await nameOf(subtle.decrypt(params, key, new Uint8Array(3))));
    }
    return names.join();
  `);
  assert.equal(new Set(names.split(',')).size, 1, names);
  assert.match(names, /^OperationError,/);
});

const hash = 'SHA-256';
const publicExponent = new Uint8Array([1, 0, 1]);
const pairCases = [
  { make: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent, hash }, use: {} },
  { make: { name: 'RSA-PSS', modulusLength: 2048, publicExponent, hash: 'SHA3-256' }, use: { saltLength: 20 } },
  { make: { name: 'ECDSA', namedCurve: 'P-256' }, use: { hash } },
  { make: { name: 'ECDSA', namedCurve: 'P-521' }, use: { hash: 'SHA-512' } },
  { make: { name: 'Ed25519' }, use: {} },
  { make: { name: 'Ed448' }, use: { context: new Uint8Array(9) } },
  { make: { name: 'ML-DSA-44' }, use: { context: new Uint8Array(9) } },
  { make: { name: 'ML-DSA-65' }, use: {} },
  { make: { name: 'ML-DSA-87' }, use: {} },
];

test('signatures and keys of every format are understood by node', async () => {
  const { runAsync, global } = withHelpers();
  for (const { make, use } of pairCases) {
    const params = { name: make.name, ...use };
    Object.assign(global, { make, params, data: new Uint8Array(1000).fill(9) });
    await runAsync("globalThis.pair = await subtle.generateKey(make, true, ['sign', 'verify'])");
    for (const format of ['spki', 'pkcs8', 'jwk']) {
      global.format = format;
      const exported = await runAsync(
        "return subtle.exportKey(format, format === 'spki' ? pair.publicKey : pair.privateKey)",
      );
      global.exported = exported;
      const usage = format === 'spki' ? 'verify' : 'sign';
      const theirs = await node.importKey(format as never, exported, make as never, true, [usage]);
      const again = await node.exportKey(format as never, theirs);
      if (format !== 'jwk')
        assert.deepEqual(Buffer.from(again as never), Buffer.from(exported), `${make.name} ${format}`);
      else assert.equal((again as { kty: string }).kty, exported.kty);
      if (usage === 'sign') {
        global.signature = await node.sign(params as never, theirs, global.data);
        assert.equal(await runAsync('return subtle.verify(params, pair.publicKey, signature, data)'), true, make.name);
        assert.equal(
          await runAsync('return subtle.verify(params, pair.publicKey, signature, data.subarray(1))'),
          false,
        );
        await runAsync("globalThis.read = await subtle.importKey(format, exported, make, true, ['sign'])");
        assert.equal(
          await runAsync('return subtle.verify(params, pair.publicKey, await subtle.sign(params, read, data), data)'),
          true,
        );
      }
    }
    assert.equal(
      await runAsync("return (await subtle.getPublicKey(pair.privateKey, ['verify'])).usages.join()"),
      'verify',
    );
  }
});

test('HMAC and KMAC are those of node', async () => {
  const { runAsync, global } = withHelpers();
  for (const name of ['HMAC', 'KMAC128', 'KMAC256']) {
    for (const size of [4, 32, 500]) {
      const make = name === 'HMAC' ? { name, hash } : { name };
      const params = name === 'HMAC' ? { name } : { name, outputLength: 512, customization: new Uint8Array(3) };
      Object.assign(global, { make, params, raw: new Uint8Array(size).fill(4), data: new Uint8Array(77) });
      const key = await node.importKey('raw-secret' as never, global.raw, make as never, false, ['sign']);
      const theirs = Buffer.from(await node.sign(params as never, key, global.data)).toString('hex');
      const ours = await runAsync(
        "return hex(await subtle.sign(params, await subtle.importKey('raw-secret', raw, make, false, ['sign']), data))",
      );
      assert.equal(ours, theirs, `${name} ${size}`);
    }
  }
});

const salt = new Uint8Array(16).fill(1);
const derivationCases = [
  { name: 'HKDF', hash: 'SHA-512', salt, info: new Uint8Array(3) },
  { name: 'HKDF', hash: 'SHA3-384', salt: new Uint8Array(0), info: new Uint8Array(0) },
  { name: 'PBKDF2', hash: 'SHA-1', salt, iterations: 1 },
  { name: 'PBKDF2', hash, salt: new Uint8Array(0), iterations: 20000 },
  { name: 'Argon2id', nonce: salt, parallelism: 2, memory: 64, passes: 2, secretValue: new Uint8Array(4) },
  { name: 'Argon2i', nonce: salt, parallelism: 1, memory: 32, passes: 3 },
  { name: 'Argon2d', nonce: salt, parallelism: 1, memory: 32, passes: 1, associatedData: new Uint8Array(4) },
];

test('derived bits are those of node', async () => {
  const { runAsync, global } = withHelpers();
  for (const params of derivationCases) {
    for (const size of [0, 1, 12]) {
      Object.assign(global, { params, secret: new Uint8Array(size).fill(8) });
      const key = await node.importKey('raw-secret' as never, global.secret, params.name, false, ['deriveBits']);
      const theirs = Buffer.from(await node.deriveBits(params as never, key, 1024)).toString('hex');
      const ours = await runAsync(
        "return hex(await subtle.deriveBits(params, await subtle.importKey('raw-secret', secret, params.name, false, ['deriveBits']), 1024))",
      );
      assert.equal(ours, theirs, `${params.name} ${size}`);
    }
  }
});

test('both sides of an agreement get the same key, also through wrapping', async () => {
  const { runAsync } = withHelpers();
  const all = await runAsync(`
    const results = [];
    for (const make of [{ name: 'ECDH', namedCurve: 'P-384' }, { name: 'X25519' }, { name: 'X448' }]) {
      const one = await subtle.generateKey(make, true, ['deriveBits', 'deriveKey']);
      const two = await subtle.generateKey(make, true, ['deriveBits', 'deriveKey']);
      const a = await subtle.deriveBits({ name: make.name, public: two.publicKey }, one.privateKey, null);
      const b = await subtle.deriveBits({ name: make.name, public: one.publicKey }, two.privateKey);
      const wrapper = await subtle.deriveKey(
        { name: make.name, public: two.publicKey }, one.privateKey, { name: 'AES-GCM', length: 256 }, false,
        ['wrapKey', 'unwrapKey']);
      const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
      const wrapped = await subtle.wrapKey('jwk', two.privateKey, wrapper, how);
      const back = await subtle.unwrapKey('jwk', wrapped, wrapper, how, make, true, ['deriveBits']);
      const c = await subtle.deriveBits({ name: make.name, public: one.publicKey }, back);
      results.push(hex(a) === hex(b) && hex(b) === hex(c));
    }
    return results.join();
  `);
  assert.equal(all, 'true,true,true');
});

test('what is encapsulated here is decapsulated by node', async () => {
  const { runAsync, global } = withHelpers();
  for (const name of ['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024']) {
    global.name_ = name;
    await runAsync(
      "globalThis.pair = await subtle.generateKey(name_, true, ['encapsulateBits', 'decapsulateBits', 'encapsulateKey'])",
    );
    for (const format of ['pkcs8', 'raw-seed']) {
      global.format = format;
      const exported = await runAsync('return subtle.exportKey(format, pair.privateKey)');
      const theirs = await node.importKey(format as never, exported, name, false, ['decapsulateBits'] as never);
      const { sharedKey, ciphertext } = await runAsync('return subtle.encapsulateBits(name_, pair.publicKey)');
      // biome-ignore lint/suspicious/noExplicitAny: the types of node do not know it yet
      const decapsulated = await (node as any).decapsulateBits({ name }, theirs, ciphertext);
      assert.deepEqual(Buffer.from(sharedKey), Buffer.from(decapsulated));
      global.ciphertext = ciphertext;
      const ours = await runAsync('return subtle.decapsulateBits(name_, pair.privateKey, ciphertext)');
      assert.deepEqual(Buffer.from(sharedKey), Buffer.from(ours));
    }
    assert.equal(
      await runAsync(
        "return (await subtle.encapsulateKey(name_, pair.publicKey, 'AES-KW', true, ['wrapKey'])).sharedKey.algorithm.length",
      ),
      256,
    );
  }
});

test('hybrid keys go to node and back', async () => {
  const { runAsync, global } = withHelpers();
  // biome-ignore lint/suspicious/noExplicitAny: the types of node do not know it yet
  const theirs = node as any;
  for (const name of ['MLKEM768-X25519', 'MLKEM768-P256', 'MLKEM1024-P384']) {
    global.name_ = name;
    await runAsync("globalThis.pair = await subtle.generateKey(name_, true, ['encapsulateBits', 'decapsulateBits'])");
    const seed = await runAsync("return subtle.exportKey('raw-seed', pair.privateKey)");
    const own = await runAsync("return subtle.exportKey('raw-public', pair.publicKey)");
    const jwk = JSON.parse(await runAsync("return JSON.stringify(await subtle.exportKey('jwk', pair.privateKey))"));
    const privateKey = await theirs.importKey('raw-seed', seed, name, true, ['decapsulateBits']);
    const publicKey = await theirs.importKey('raw-public', own, name, true, ['encapsulateBits']);
    assert.deepEqual(await theirs.exportKey('jwk', privateKey), jwk);

    const here = await runAsync('return subtle.encapsulateBits(name_, pair.publicKey)');
    const decapsulated = await theirs.decapsulateBits({ name }, privateKey, here.ciphertext);
    assert.deepEqual(Buffer.from(decapsulated), Buffer.from(here.sharedKey), name);

    const there = await theirs.encapsulateBits({ name }, publicKey);
    global.ciphertext = there.ciphertext;
    global.jwk = jwk;
    const again = await runAsync(`
      const key = structuredClone(await subtle.importKey('jwk', jwk, name_, true, ['decapsulateBits']));
      const shown = await subtle.getPublicKey(key, ['encapsulateBits']);
      const same = hex(await subtle.exportKey('raw-public', shown)) === hex(await subtle.exportKey('raw-public', pair.publicKey));
      return same && subtle.decapsulateBits(name_, key, ciphertext);`);
    assert.deepEqual(Buffer.from(again), Buffer.from(there.sharedKey), name);
    assert.equal(
      await runAsync(`return (await Promise.all([
        nameOf(subtle.decapsulateBits(name_, pair.privateKey, bytes('short'))),
        nameOf(subtle.decapsulateBits(name_, pair.privateKey, new Uint8Array(ciphertext.byteLength))),
        nameOf(subtle.importKey('raw-seed', bytes('short'), name_, true, ['decapsulateBits'])),
        nameOf(subtle.importKey('raw-public', bytes('short'), name_, true, ['encapsulateBits'])),
        nameOf(subtle.importKey('spki', bytes('short'), name_, true, ['encapsulateBits'])),
        nameOf(subtle.exportKey('raw-public', pair.privateKey)),
      ])).join()`),
      'OperationError,OperationError,DataError,DataError,NotSupportedError,InvalidAccessError',
    );
  }
});

test('the caller may change its buffer at once', async () => {
  const { runAsync } = withHelpers();
  const same = await runAsync(`
    const data = bytes('before');
    const promise = subtle.digest('SHA-256', data);
    data.fill(0);
    return hex(await promise) === hex(await subtle.digest('SHA-256', bytes('before')));
  `);
  assert.equal(same, true);
});

test('a key is cloned, whatever else it is in', async () => {
  const { runAsync } = withHelpers();
  const outcome = await runAsync(`
    const key = await subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    const { list: [copy] } = structuredClone({ list: [key.privateKey] });
    const signature = await subtle.sign('Ed25519', copy, bytes('x'));
    let fake = '';
    try { structuredClone(Object.create(CryptoKey.prototype)); } catch (error) { fake = error.name; }
    return [copy !== key.privateKey, copy instanceof CryptoKey, copy.extractable, copy.usages.join(),
      await subtle.verify('Ed25519', key.publicKey, signature, bytes('x')), fake].join(' ');
  `);
  assert.equal(outcome, 'true true false sign true DataCloneError');
});

test('mistakes have the names of the standard', async () => {
  const { runAsync } = withHelpers();
  const cases: [string, string][] = [
    ["subtle.digest('MD5', new Uint8Array(1))", 'NotSupportedError'],
    ["subtle.digest('SHA-256', 'text')", 'TypeError'],
    ["subtle.digest('SHA-256')", 'TypeError'],
    ['subtle.digest({}, new Uint8Array(1))', 'TypeError'],
    ["subtle.digest.call({}, 'SHA-256', new Uint8Array(1))", 'TypeError'],
    ["subtle.digest('SHA-256', new Uint8Array(new SharedArrayBuffer(4)))", 'TypeError'],
    ["subtle.generateKey({ name: 'AES-CBC', length: 100 }, true, ['encrypt'])", 'OperationError'],
    ["subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, [])", 'SyntaxError'],
    ["subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['sign'])", 'SyntaxError'],
    ["subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['fly'])", 'TypeError'],
    ["subtle.generateKey({ name: 'ECDSA', namedCurve: 'constructor' }, true, ['sign'])", 'NotSupportedError'],
    ["subtle.importKey('raw', new Uint8Array(5), 'AES-CBC', true, ['encrypt'])", 'DataError'],
    ["subtle.importKey('spki', new Uint8Array(5), 'Ed25519', true, ['verify'])", 'DataError'],
    ["subtle.importKey('raw', new Uint8Array(5), 'PBKDF2', true, ['deriveBits'])", 'SyntaxError'],
    ["subtle.importKey('jwk', new Uint8Array(5), 'AES-CBC', true, ['encrypt'])", 'TypeError'],
  ];
  for (const [code, name] of cases) assert.equal(await runAsync(`return nameOf(${code})`), name, code);
  assert.equal(
    await runAsync(`
      const key = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, false, ['encrypt']);
      return (await nameOf(subtle.exportKey('raw', key))) + (await nameOf(subtle.decrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, bytes(''))));
    `),
    'InvalidAccessErrorInvalidAccessError',
  );
});

test('a private key whose numbers do not belong together is a DataError', async () => {
  const { runAsync } = withHelpers();
  const names = await runAsync(`
    const make = { name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1' };
    const { privateKey } = await subtle.generateKey(make, true, ['sign']);
    const jwk = await subtle.exportKey('jwk', privateKey);
    const names = [await nameOf(subtle.importKey('jwk', jwk, make, true, ['sign']))];
    for (const member of ['n', 'd', 'p', 'q', 'dp', 'dq', 'qi']) {
      const changed = { ...jwk, [member]: (jwk[member][0] === 'B' ? 'C' : 'B') + jwk[member].slice(1) };
      names.push(await nameOf(subtle.importKey('jwk', changed, make, true, ['sign'])));
    }
    return [...new Set(names)].join();
  `);
  assert.equal(names, 'fulfilled,DataError');
});

test('senseless keys and data of every kind end in an error, never in a crash', async () => {
  const { runAsync } = withHelpers();
  const outcomes = await runAsync(`
    const detached = new Uint8Array(8);
    structuredClone(detached, { transfer: [detached.buffer] });
    const datas = [new Uint8Array(0), detached, new Uint8Array(1), new Uint8Array(70).fill(0x30), new Uint8Array(65536), new DataView(new ArrayBuffer(33)),
      {}, { kty: 'RSA', n: 'AA', e: 'AA' }, { kty: 'RSA', n: '', e: '' }, { kty: 'EC', crv: 'P-256', x: 'AA', y: '' },
      { kty: 'RSA', n: 'A'.repeat(1e5), e: 'AQAB' }, { kty: 'OKP', crv: 'Ed25519', x: '' }, { kty: 'oct', k: '!' },
      { kty: 'AKP', alg: 'ML-DSA-44', pub: '' }, { kty: 'RSA', n: 'AA', e: 'AA', d: 'AA', p: 'AA', q: 'AA', dp: 'AA', dq: 'AA', qi: 'AA' }];
    const algorithms = ['AES-CBC', { name: 'HMAC', hash: 'SHA-1' }, { name: 'RSA-PSS', hash: 'SHA-1' }, { name: 'ECDSA', namedCurve: 'P-256' },
      { name: 'ECDH', namedCurve: 'P-521' }, 'Ed25519', 'Ed448', 'X25519', 'X448', 'ML-DSA-44', 'ML-KEM-512', 'MLKEM768-X25519', 'MLKEM768-P256', 'HKDF', 'Argon2id', 'KMAC128', 'AES-KW', 'ChaCha20-Poly1305'];
    const names = new Set();
    for (const format of ['raw', 'raw-public', 'raw-private', 'raw-seed', 'raw-secret', 'spki', 'pkcs8', 'jwk'])
      for (const data of datas)
        for (const algorithm of algorithms)
          for (const usages of [[], ['encrypt'], ['sign'], ['verify'], ['deriveBits'], ['encapsulateBits'], ['decapsulateBits'], ['wrapKey']])
            names.add(await nameOf(subtle.importKey(format, data, algorithm, true, usages)));
    return [...names].sort().join();
  `);
  assert.equal(outcomes, 'DataError,NotSupportedError,SyntaxError,TypeError,fulfilled');
});

test('huge demands are refused', async () => {
  const { runAsync } = withHelpers();
  const names = await runAsync(`
    const key = await subtle.importKey('raw-secret', bytes('x'), 'Argon2id', false, ['deriveBits']);
    const hkdf = await subtle.importKey('raw-secret', bytes('x'), 'HKDF', false, ['deriveBits']);
    const argon = { name: 'Argon2id', nonce: new Uint8Array(8), parallelism: 1, memory: 2 ** 32 - 1, passes: 1 };
    return [
      await nameOf(subtle.deriveBits(argon, key, 256)),
      await nameOf(subtle.deriveBits({ ...argon, memory: 8, passes: 2 ** 32 - 1 }, key, 256)),
      await nameOf(subtle.deriveBits({ name: 'HKDF', hash: 'SHA-1', salt: bytes(''), info: bytes('') }, hkdf, 2 ** 32 - 8)),
      await nameOf(subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 2 ** 32 - 1, publicExponent: new Uint8Array([3]) }, true, ['sign'])),
      await nameOf(subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 0, publicExponent: new Uint8Array([3]) }, true, ['sign'])),
      await nameOf(subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array(0) }, true, ['sign'])),
      await nameOf(subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array(900).fill(255) }, true, ['sign'])),
    ].join();
  `);
  assert.equal(names, Array(7).fill('OperationError').join());
});

test('supports() says what Node says', async () => {
  const { run } = withHelpers();
  const theirs = (globalThis as unknown as { SubtleCrypto: { supports(...args: unknown[]): boolean } }).SubtleCrypto;
  const names = [
    ...['SHA-256', 'HMAC', 'KMAC128', 'AES-CTR', 'AES-KW', 'ChaCha20-Poly1305', 'RSA-PSS', 'ECDSA', 'Ed25519', 'X448'],
    ...['HKDF', 'PBKDF2', 'Argon2id', 'ML-DSA-44', 'ML-KEM-768', 'MLKEM768-P256', 'MD5'],
  ];
  const operations = [
    'digest',
    'generateKey',
    'importKey',
    'exportKey',
    'sign',
    'encrypt',
    'deriveBits',
    'getPublicKey',
    'x',
  ];
  for (const operation of [...operations, 'encapsulateBits']) {
    for (const name of names) {
      const ours = run(`SubtleCrypto.supports('${operation}', '${name}')`);
      assert.equal(ours, theirs.supports(operation, name), `${operation} ${name}`);
    }
  }
  assert.equal(run("SubtleCrypto.supports('encapsulateKey', 'ML-KEM-768', 'AES-KW')"), true);
  assert.equal(run("SubtleCrypto.supports('deriveKey', 'X25519', 'AES-KW')"), false);
});
