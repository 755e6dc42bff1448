#include "web/crypto/natives.h"

#include "web/natives.h"

namespace valor::web {

void register_crypto_natives(engine::NativeRegistry& registry) {
  crypto::register_random_natives(registry);
  crypto::register_digest_natives(registry);
  crypto::register_keccak_natives(registry);
  crypto::register_cipher_natives(registry);
  crypto::register_key_natives(registry);
  crypto::register_key_part_natives(registry);
  crypto::register_signature_natives(registry);
  crypto::register_derivation_natives(registry);
  crypto::register_kem_natives(registry);
}

}  // namespace valor::web
