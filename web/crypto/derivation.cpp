// Deriving bits: key agreement, HKDF, PBKDF2, Argon2.
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "web/crypto/bytes.h"
#include "web/crypto/digests.h"
#include "web/crypto/key-handle.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

// cryptoAgree(key: KeyHandle, peer: KeyHandle): ArrayBuffer | undefined
void agree(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  EVP_PKEY* peer = key_of(info[1]);
  if (key == nullptr || peer == nullptr) return;
  KeyContext context = context_for(key);
  size_t size = 0;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer) != 1 || EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return;
  }
  Result result(info.GetIsolate(), size);
  if (result.ok() && EVP_PKEY_derive(context.get(), result.data(), &size) == 1) result.finish(info, size);
}

// cryptoHkdf(hash: string, key, salt, info: BufferSource, size: number): ArrayBuffer | undefined; RFC 5869
void hkdf(const Info& info) {
  ErrorScope errors;
  const EVP_MD* md = digest_named(name_of(info.GetIsolate(), info[0]));
  if (md == nullptr) return;
  ByteRange key(info[1]);
  ByteRange salt(info[2]);
  ByteRange label(info[3]);
  const auto step = static_cast<size_t>(EVP_MD_get_size(md));
  Result result(info.GetIsolate(), size_of(info[4]));
  if (!result.ok() || result.size() > 255 * step ||
      salt.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      label.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return;
  }
  uint8_t secret[EVP_MAX_MD_SIZE];
  if (HMAC(md, salt.data(), static_cast<int>(salt.size()), key.data(), key.size(), secret, nullptr) == nullptr) return;
  std::vector<uint8_t> input;
  uint8_t block[EVP_MAX_MD_SIZE];
  for (size_t done = 0, round = 1; done < result.size(); round++) {
    input.assign(block, block + (round == 1 ? 0 : step));
    input.insert(input.end(), label.data(), label.data() + label.size());
    input.push_back(static_cast<uint8_t>(round));
    if (HMAC(md, secret, static_cast<int>(step), input.data(), input.size(), block, nullptr) == nullptr) return;
    size_t part = step < result.size() - done ? step : result.size() - done;
    std::memcpy(result.data() + done, block, part);
    done += part;
  }
  result.finish(info);
}

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
};
struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Mac = std::unique_ptr<EVP_MAC, FreeMac>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMacContext>;

// About 10 ms: so soon a plug-in that overruns its time is stopped.
constexpr size_t kIterationsBetweenChecks = 16384;

// cryptoPbkdf2(hash: string, password, salt: BufferSource, iterations: number, size: number, check: () => void):
// ArrayBuffer | undefined; RFC 8018, section 5.2
//
// Not OpenSSL's, because that cannot be interrupted and the iterations may take hours.
void pbkdf2(const Info& info) {
  ErrorScope errors;
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> v8_context = isolate->GetCurrentContext();
  std::string hash = name_of(isolate, info[0]);
  const EVP_MD* md = digest_named(hash);
  const size_t iterations = size_of(info[3]);
  if (md == nullptr || iterations == 0 || !info[5]->IsFunction()) return;
  v8::Local<v8::Function> check = info[5].As<v8::Function>();
  // Copies, because the check is JavaScript.
  ByteRange given_salt(info[2]);
  std::vector<uint8_t> salt(given_salt.data(), given_salt.data() + given_salt.size());
  Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContext context(mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac.get()));
  Result result(isolate, size_of(info[4]));
  if (context == nullptr || !result.ok()) return;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(EVP_MD_get0_name(md)), 0),
      OSSL_PARAM_construct_end()};
  {
    ByteRange password(info[1]);
    if (EVP_MAC_init(context.get(), password.data(), password.size(), params) != 1) return;
  }
  const auto step = static_cast<size_t>(EVP_MD_get_size(md));
  size_t until_check = kIterationsBetweenChecks;
  uint8_t value[EVP_MAX_MD_SIZE];
  uint8_t sum[EVP_MAX_MD_SIZE];
  size_t length = 0;
  uint32_t block = 1;
  for (size_t done = 0; done < result.size(); block++) {
    const uint8_t number[] = {static_cast<uint8_t>(block >> 24), static_cast<uint8_t>(block >> 16),
                              static_cast<uint8_t>(block >> 8), static_cast<uint8_t>(block)};
    for (size_t i = 0; i < iterations; i++) {
      // Without a key it starts again with the one it has.
      if ((block > 1 || i > 0) && EVP_MAC_init(context.get(), nullptr, 0, nullptr) != 1) return;
      bool good = i == 0 ? EVP_MAC_update(context.get(), salt.data(), salt.size()) == 1 &&
                               EVP_MAC_update(context.get(), number, sizeof(number)) == 1
                         : EVP_MAC_update(context.get(), value, step) == 1;
      if (!good || EVP_MAC_final(context.get(), value, &length, sizeof(value)) != 1) return;
      if (i == 0) {
        std::memcpy(sum, value, step);
      } else {
        for (size_t k = 0; k < step; k++) sum[k] ^= value[k];
      }
      if (--until_check == 0) {
        until_check = kIterationsBetweenChecks;
        v8::HandleScope scope(isolate);
        if (check->Call(v8_context, v8::Undefined(isolate), 0, nullptr).IsEmpty()) return;
      }
    }
    size_t part = step < result.size() - done ? step : result.size() - done;
    std::memcpy(result.data() + done, sum, part);
    done += part;
  }
  result.finish(info);
}

struct FreeKdf {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
};
struct FreeKdfContext {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
using Kdf = std::unique_ptr<EVP_KDF, FreeKdf>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeKdfContext>;

// Argon2 cannot be interrupted: more work than this (KiB times passes, about half a minute) is refused.
constexpr uint64_t kMaxArgon2Work = uint64_t{1} << 25;

/// Whether the isolate may have so many KiB for a moment: they count like its own memory.
bool may_take(v8::Isolate* isolate, uint64_t kibibytes) {
  v8::HeapStatistics statistics;
  isolate->GetHeapStatistics(&statistics);
  size_t used = statistics.used_heap_size() + statistics.external_memory();
  return used < statistics.heap_size_limit() && kibibytes <= (statistics.heap_size_limit() - used) / 1024;
}

// cryptoArgon2(name: string, password, nonce, secret, associatedData: BufferSource, lanes: number, memory: number,
// passes: number, size: number): ArrayBuffer | undefined; RFC 9106
void argon2(const Info& info) {
  ErrorScope errors;
  v8::Isolate* isolate = info.GetIsolate();
  Kdf kdf(EVP_KDF_fetch(nullptr, name_of(isolate, info[0]).c_str(), nullptr));
  KdfContext context(kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf.get()));
  ByteRange password(info[1]);
  ByteRange nonce(info[2]);
  ByteRange secret(info[3]);
  ByteRange associated(info[4]);
  auto lanes = static_cast<uint32_t>(size_of(info[5]));
  auto memory = static_cast<uint32_t>(size_of(info[6]));
  auto passes = static_cast<uint32_t>(size_of(info[7]));
  Result result(isolate, size_of(info[8]));
  if (context == nullptr || !result.ok() || uint64_t{memory} * passes > kMaxArgon2Work || !may_take(isolate, memory)) {
    return;
  }
  uint32_t threads = 1;
  auto bytes = [](const char* name, const ByteRange& range) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(range.data()), range.size());
  };
  OSSL_PARAM params[] = {
      bytes(OSSL_KDF_PARAM_PASSWORD, password),
      bytes(OSSL_KDF_PARAM_SALT, nonce),
      bytes(OSSL_KDF_PARAM_SECRET, secret),
      bytes(OSSL_KDF_PARAM_ARGON2_AD, associated),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &lanes),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &threads),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &memory),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &passes),
      OSSL_PARAM_construct_end(),
  };
  if (EVP_KDF_derive(context.get(), result.data(), result.size(), params) == 1) result.finish(info);
}

}  // namespace

void register_derivation_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoAgree", agree);
  registry.add("cryptoHkdf", hkdf);
  registry.add("cryptoPbkdf2", pbkdf2);
  registry.add("cryptoArgon2", argon2);
}

}  // namespace valor::web::crypto
