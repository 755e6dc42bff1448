// Making keys, and reading and writing them as DER.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "web/crypto/bytes.h"
#include "web/crypto/key-handle.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

struct FreeKeyInfo {
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
};
using KeyInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeKeyInfo>;

KeyContext context_named(const char* type) {
  return KeyContext(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
}

void finish_generating(const Info& info, EVP_PKEY_CTX* context) {
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_generate(context, &made) != 1) return;
  info.GetReturnValue().Set(make_handle(info.GetIsolate(), Key(made)));
}

// cryptoGenerateKey(type: string, curve: string | undefined): KeyHandle | undefined
void generate_key(const Info& info) {
  ErrorScope errors;
  KeyContext context = context_named(name_of(info.GetIsolate(), info[0]).c_str());
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1) return;
  if (info[1]->IsString()) {
    std::string curve = name_of(info.GetIsolate(), info[1]);
    if (EVP_PKEY_CTX_set_group_name(context.get(), curve.c_str()) != 1) return;
  }
  finish_generating(info, context.get());
}

/// Lets V8 stop the search for large primes: a terminated isolate runs no function.
struct Interruption {
  v8::Local<v8::Context> context;
  v8::Local<v8::Function> check;
};

int still_wanted(EVP_PKEY_CTX* key_context) {
  auto* interruption = static_cast<Interruption*>(EVP_PKEY_CTX_get_app_data(key_context));
  v8::HandleScope scope(v8::Isolate::GetCurrent());
  return interruption->check->Call(interruption->context, v8::Undefined(v8::Isolate::GetCurrent()), 0, nullptr)
                 .IsEmpty()
             ? 0
             : 1;
}

// cryptoGenerateRsa(bits: number, exponent: Uint8Array, check: () => void): KeyHandle | undefined
void generate_rsa(const Info& info) {
  ErrorScope errors;
  ByteRange exponent(info[1]);
  const size_t bits = size_of(info[0]);
  if (bits > OPENSSL_RSA_MAX_MODULUS_BITS || exponent.size() > 8 || !info[2]->IsFunction()) return;
  std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> number(
      BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr), BN_free);
  KeyContext context = context_named("RSA");
  if (context == nullptr || number == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) != 1 ||
      EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), number.get()) != 1) {
    return;
  }
  Interruption interruption{info.GetIsolate()->GetCurrentContext(), info[2].As<v8::Function>()};
  EVP_PKEY_CTX_set_app_data(context.get(), &interruption);
  EVP_PKEY_CTX_set_cb(context.get(), still_wanted);
  finish_generating(info, context.get());
}

/// Points are written uncompressed, however they came.
Key with_plain_points(Key key) {
  if (key != nullptr && EVP_PKEY_is_a(key.get(), "EC") == 1) {
    EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                   OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED);
  }
  return key;
}

// cryptoReadSpki(der: BufferSource): KeyHandle | undefined
void read_spki(const Info& info) {
  ErrorScope errors;
  ByteRange der(info[0]);
  if (der.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return;
  const uint8_t* at = der.data();
  Key key(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), nullptr, nullptr));
  if (key == nullptr || at != der.data() + der.size()) return;
  info.GetReturnValue().Set(make_handle(info.GetIsolate(), with_plain_points(std::move(key))));
}

// cryptoReadPkcs8(der: BufferSource): KeyHandle | undefined
void read_pkcs8(const Info& info) {
  ErrorScope errors;
  ByteRange der(info[0]);
  if (der.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return;
  const uint8_t* at = der.data();
  KeyInfo parsed(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (parsed == nullptr || at != der.data() + der.size()) return;
  Key key(EVP_PKCS82PKEY_ex(parsed.get(), nullptr, nullptr));
  if (key == nullptr) return;
  info.GetReturnValue().Set(make_handle(info.GetIsolate(), with_plain_points(std::move(key))));
}

void finish_der(const Info& info, uint8_t* der, int size) {
  if (size > 0) {
    Result result(info.GetIsolate(), static_cast<size_t>(size));
    if (result.ok()) {
      std::memcpy(result.data(), der, result.size());
      result.finish(info);
    }
    OPENSSL_cleanse(der, static_cast<size_t>(size));
  }
  OPENSSL_free(der);
}

// cryptoWriteSpki(key: KeyHandle): ArrayBuffer | undefined
void write_spki(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  uint8_t* der = nullptr;
  int size = i2d_PUBKEY(key, &der);
  finish_der(info, der, size);
}

// cryptoWritePkcs8(key: KeyHandle): ArrayBuffer | undefined
void write_pkcs8(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  KeyInfo made(EVP_PKEY2PKCS8(key));
  if (made == nullptr) return;
  uint8_t* der = nullptr;
  int size = i2d_PKCS8_PRIV_KEY_INFO(made.get(), &der);
  finish_der(info, der, size);
}

// cryptoKeyType(key: KeyHandle): [type: string, curve: string, bits: number] | undefined
void key_type(const Info& info) {
  ErrorScope errors;
  v8::Isolate* isolate = info.GetIsolate();
  EVP_PKEY* key = key_of(info[0]);
  const char* type = key == nullptr ? nullptr : EVP_PKEY_get0_type_name(key);
  if (type == nullptr) return;
  char curve[kMaxName + 1] = "";
  size_t length = 0;
  if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), &length) != 1) curve[0] = '\0';
  v8::Local<v8::Value> parts[] = {
      v8::String::NewFromUtf8(isolate, type).ToLocalChecked(),
      v8::String::NewFromUtf8(isolate, curve).ToLocalChecked(),
      v8::Integer::New(isolate, EVP_PKEY_get_bits(key)),
  };
  info.GetReturnValue().Set(v8::Array::New(isolate, parts, 3));
}

// cryptoCheckKey(key: KeyHandle, isPrivate: boolean): boolean
void check_key(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  KeyContext context = context_for(key);
  if (context == nullptr) return;
  bool good =
      info[1]->IsTrue() ? EVP_PKEY_pairwise_check(context.get()) == 1 : EVP_PKEY_public_check_quick(context.get()) == 1;
  info.GetReturnValue().Set(good);
}

}  // namespace

void register_key_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoGenerateKey", generate_key);
  registry.add("cryptoGenerateRsa", generate_rsa);
  registry.add("cryptoReadSpki", read_spki);
  registry.add("cryptoReadPkcs8", read_pkcs8);
  registry.add("cryptoWriteSpki", write_spki);
  registry.add("cryptoWritePkcs8", write_pkcs8);
  registry.add("cryptoKeyType", key_type);
  registry.add("cryptoCheckKey", check_key);
}

}  // namespace valor::web::crypto
