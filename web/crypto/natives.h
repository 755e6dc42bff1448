// Web Crypto over OpenSSL as the Node binary carries it: https://w3c.github.io/webcrypto/. One file a family; each
// function does one step with bytes and keys, and the rules (names, usages, formats, order of checks) are in the
// TypeScript.
#pragma once

#include "engine/native-registry.h"

namespace valor::web::crypto {

/// web/crypto/random.cpp
void register_random_natives(engine::NativeRegistry& registry);
/// web/crypto/digests.cpp
void register_digest_natives(engine::NativeRegistry& registry);
/// web/crypto/keccak.cpp
void register_keccak_natives(engine::NativeRegistry& registry);
/// web/crypto/ciphers.cpp
void register_cipher_natives(engine::NativeRegistry& registry);
/// web/crypto/keys.cpp
void register_key_natives(engine::NativeRegistry& registry);
/// web/crypto/key-parts.cpp
void register_key_part_natives(engine::NativeRegistry& registry);
/// web/crypto/signatures.cpp
void register_signature_natives(engine::NativeRegistry& registry);
/// web/crypto/derivation.cpp
void register_derivation_natives(engine::NativeRegistry& registry);
/// web/crypto/kem.cpp
void register_kem_natives(engine::NativeRegistry& registry);

}  // namespace valor::web::crypto
