// SHA-1, SHA-2, SHA-3, cSHAKE, HMAC, and comparing without telling where the difference is.
#include "web/crypto/digests.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <limits>
#include <memory>

#include "web/crypto/bytes.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

struct NamedDigest {
  const char* name;
  const EVP_MD* digest;
};

const EVP_MD* fetch(const char* name) {
  return EVP_MD_fetch(nullptr, name, nullptr);
}

// cryptoDigest(name: string, data: BufferSource): ArrayBuffer | undefined
void digest(const Info& info) {
  ErrorScope errors;
  const EVP_MD* md = digest_named(name_of(info.GetIsolate(), info[0]));
  if (md == nullptr) return;
  ByteRange data(info[1]);
  Result result(info.GetIsolate(), static_cast<size_t>(EVP_MD_get_size(md)));
  if (!result.ok()) return;
  if (EVP_Digest(data.data(), data.size(), result.data(), nullptr, md, nullptr) == 1) result.finish(info);
}

// cryptoExtendable(name: string, before: BufferSource, data: BufferSource, after: BufferSource, size: number):
// ArrayBuffer | undefined
void extendable(const Info& info) {
  ErrorScope errors;
  const EVP_MD* md = digest_named(name_of(info.GetIsolate(), info[0]));
  if (md == nullptr) return;
  ByteRange before(info[1]);
  ByteRange data(info[2]);
  ByteRange after(info[3]);
  Result result(info.GetIsolate(), size_of(info[4]));
  DigestContext context(EVP_MD_CTX_new());
  if (!result.ok() || context == nullptr) return;
  if (EVP_DigestInit_ex2(context.get(), md, nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), before.data(), before.size()) == 1 &&
      EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
      EVP_DigestUpdate(context.get(), after.data(), after.size()) == 1 &&
      (result.size() == 0 || EVP_DigestFinalXOF(context.get(), result.data(), result.size()) == 1)) {
    result.finish(info);
  }
}

// cryptoHmac(hash: string, key: BufferSource, data: BufferSource): ArrayBuffer | undefined
void hmac(const Info& info) {
  ErrorScope errors;
  const EVP_MD* md = digest_named(name_of(info.GetIsolate(), info[0]));
  ByteRange key(info[1]);
  ByteRange data(info[2]);
  if (md == nullptr || key.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return;
  Result result(info.GetIsolate(), static_cast<size_t>(EVP_MD_get_size(md)));
  if (!result.ok()) return;
  if (HMAC(md, key.data(), static_cast<int>(key.size()), data.data(), data.size(), result.data(), nullptr) != nullptr) {
    result.finish(info);
  }
}

// cryptoEqual(a: BufferSource, b: BufferSource): boolean
void equal(const Info& info) {
  ByteRange a(info[0]);
  ByteRange b(info[1]);
  info.GetReturnValue().Set(a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

const EVP_MD* digest_named(std::string_view name) {
  // Fetching one takes longer than hashing a short text.
  static const NamedDigest digests[] = {
      {"SHA-256", fetch("SHA256")},
      {"SHA-1", fetch("SHA1")},
      {"SHA-384", fetch("SHA384")},
      {"SHA-512", fetch("SHA512")},
      {"SHA3-256", fetch("SHA3-256")},
      {"SHA3-384", fetch("SHA3-384")},
      {"SHA3-512", fetch("SHA3-512")},
      {"SHAKE128", fetch("SHAKE128")},
      {"SHAKE256", fetch("SHAKE256")},
      {"KECCAK-KMAC-128", fetch("KECCAK-KMAC-128")},
      {"KECCAK-KMAC-256", fetch("KECCAK-KMAC-256")},
  };
  for (const NamedDigest& entry : digests) {
    if (name == entry.name) return entry.digest;
  }
  return nullptr;
}

void register_digest_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoDigest", digest);
  registry.add("cryptoExtendable", extendable);
  registry.add("cryptoHmac", hmac);
  registry.add("cryptoEqual", equal);
}

}  // namespace valor::web::crypto
