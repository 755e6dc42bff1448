// Signatures with asymmetric keys, and RSA encryption.
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

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

enum class Purpose { kSign, kVerify };

/// What both directions are given: key, hash ("" for algorithms that bring their own), salt length (undefined where
/// RSA-PSS is not meant), context (undefined where the algorithm has none).
DigestContext prepare(const Info& info, Purpose purpose) {
  EVP_PKEY* key = key_of(info[0]);
  DigestContext context(EVP_MD_CTX_new());
  if (key == nullptr || context == nullptr) return nullptr;
  std::string hash = name_of(info.GetIsolate(), info[1]);
  const EVP_MD* md = hash.empty() ? nullptr : digest_named(hash);
  if (md == nullptr && !hash.empty()) return nullptr;
  ByteRange label(info[3]);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
                                                           const_cast<uint8_t*>(label.data()), label.size()),
                         OSSL_PARAM_construct_end()};
  const OSSL_PARAM* given = label.empty() ? nullptr : params;
  const char* name = md == nullptr ? nullptr : EVP_MD_get0_name(md);
  EVP_PKEY_CTX* inner = nullptr;  // belongs to `context`
  int started = purpose == Purpose::kSign
                    ? EVP_DigestSignInit_ex(context.get(), &inner, name, nullptr, nullptr, key, given)
                    : EVP_DigestVerifyInit_ex(context.get(), &inner, name, nullptr, nullptr, key, given);
  if (started != 1) return nullptr;
  if (info[2]->IsNumber()) {
    // Longer salts than any key has room for are refused when signing.
    size_t salt = size_of(info[2]);
    if (salt > static_cast<size_t>(std::numeric_limits<int>::max()) ||
        EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, static_cast<int>(salt)) != 1) {
      return nullptr;
    }
  }
  return context;
}

// cryptoSign(key: KeyHandle, hash: string, saltLength, context, data: BufferSource): ArrayBuffer | undefined
void sign(const Info& info) {
  ErrorScope errors;
  DigestContext context = prepare(info, Purpose::kSign);
  if (context == nullptr) return;
  ByteRange data(info[4]);
  size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) != 1) return;
  Result result(info.GetIsolate(), size);
  if (!result.ok()) return;
  if (EVP_DigestSign(context.get(), result.data(), &size, data.data(), data.size()) == 1) result.finish(info, size);
}

// cryptoVerify(key: KeyHandle, hash: string, saltLength, context, data: BufferSource, signature: BufferSource): boolean
void verify(const Info& info) {
  ErrorScope errors;
  DigestContext context = prepare(info, Purpose::kVerify);
  if (context == nullptr) return;
  ByteRange data(info[4]);
  ByteRange signature(info[5]);
  info.GetReturnValue().Set(
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1);
}

struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using Signature = std::unique_ptr<ECDSA_SIG, FreeSignature>;

constexpr size_t kMaxCurveNumber = 66;  // of P-521

// cryptoSignatureFromDer(der: BufferSource, size: number): ArrayBuffer | undefined; ECDSA: both numbers, `size` bytes
// each
void signature_from_der(const Info& info) {
  ErrorScope errors;
  ByteRange der(info[0]);
  const size_t size = size_of(info[1]);
  const uint8_t* at = der.data();
  if (size > kMaxCurveNumber || der.size() > 4 * kMaxCurveNumber) return;
  Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  Result result(info.GetIsolate(), 2 * size);
  if (signature == nullptr || !result.ok()) return;
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), result.data(), static_cast<int>(size)) >= 0 &&
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), result.data() + size, static_cast<int>(size)) >= 0) {
    result.finish(info);
  }
}

// cryptoSignatureToDer(signature: BufferSource): ArrayBuffer | undefined; ECDSA: of two numbers of equal length
void signature_to_der(const Info& info) {
  ErrorScope errors;
  ByteRange bytes(info[0]);
  if (bytes.size() % 2 != 0 || bytes.size() > 2 * kMaxCurveNumber) return;
  const int size = static_cast<int>(bytes.size() / 2);
  Signature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes.data(), size, nullptr);
  BIGNUM* s = BN_bin2bn(bytes.data() + size, size, nullptr);
  if (signature == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return;
  }
  uint8_t* der = nullptr;
  int length = i2d_ECDSA_SIG(signature.get(), &der);
  if (length > 0) {
    Result result(info.GetIsolate(), static_cast<size_t>(length));
    if (result.ok()) {
      std::memcpy(result.data(), der, result.size());
      result.finish(info);
    }
  }
  OPENSSL_free(der);
}

// cryptoRsaOaep(key: KeyHandle, encrypts: boolean, hash: string, label: BufferSource, data: BufferSource):
// ArrayBuffer | undefined
void rsa_oaep(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  const EVP_MD* md = digest_named(name_of(info.GetIsolate(), info[2]));
  if (key == nullptr || md == nullptr) return;
  KeyContext context = context_for(key);
  const bool encrypts = info[1]->IsTrue();
  if (context == nullptr ||
      (encrypts ? EVP_PKEY_encrypt_init(context.get()) : EVP_PKEY_decrypt_init(context.get())) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), md) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md) != 1) {
    return;
  }
  ByteRange label(info[3]);
  if (!label.empty()) {
    if (label.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return;
    void* copy = OPENSSL_memdup(label.data(), label.size());
    if (copy == nullptr) return;
    if (EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), copy, static_cast<int>(label.size())) != 1) {
      OPENSSL_free(copy);
      return;
    }
  }
  ByteRange data(info[4]);
  auto run = encrypts ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
  size_t size = 0;
  if (run(context.get(), nullptr, &size, data.data(), data.size()) != 1) return;
  Result result(info.GetIsolate(), size);
  if (result.ok() && run(context.get(), result.data(), &size, data.data(), data.size()) == 1) {
    result.finish(info, size);
  }
}

}  // namespace

void register_signature_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoSign", sign);
  registry.add("cryptoVerify", verify);
  registry.add("cryptoSignatureFromDer", signature_from_der);
  registry.add("cryptoSignatureToDer", signature_to_der);
  registry.add("cryptoRsaOaep", rsa_oaep);
}

}  // namespace valor::web::crypto
