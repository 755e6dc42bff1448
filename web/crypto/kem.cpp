// Key encapsulation.
#include "web/crypto/bytes.h"
#include "web/crypto/key-handle.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

// cryptoEncapsulate(key: KeyHandle): [ciphertext: ArrayBuffer, secret: ArrayBuffer] | undefined
void encapsulate(const Info& info) {
  ErrorScope errors;
  v8::Isolate* isolate = info.GetIsolate();
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  KeyContext context = context_for(key);
  size_t cipher_size = 0;
  size_t secret_size = 0;
  if (context == nullptr || EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_encapsulate(context.get(), nullptr, &cipher_size, nullptr, &secret_size) != 1) {
    return;
  }
  Result ciphertext(isolate, cipher_size);
  Result secret(isolate, secret_size);
  if (!ciphertext.ok() || !secret.ok() ||
      EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &cipher_size, secret.data(), &secret_size) != 1) {
    return;
  }
  v8::Local<v8::Value> both[] = {ciphertext.buffer(), secret.buffer()};
  info.GetReturnValue().Set(v8::Array::New(isolate, both, 2));
}

// cryptoDecapsulate(key: KeyHandle, ciphertext: BufferSource): ArrayBuffer | undefined
void decapsulate(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  KeyContext context = context_for(key);
  ByteRange ciphertext(info[1]);
  size_t size = 0;
  if (context == nullptr || EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) != 1) {
    return;
  }
  Result secret(info.GetIsolate(), size);
  if (!secret.ok()) return;
  if (EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(), ciphertext.size()) == 1) {
    secret.finish(info, size);
  }
}

}  // namespace

void register_kem_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoEncapsulate", encapsulate);
  registry.add("cryptoDecapsulate", decapsulate);
}

}  // namespace valor::web::crypto
