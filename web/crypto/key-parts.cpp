// Keys from their parts and back: numbers of RSA keys, points of curves, raw keys and seeds.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "web/crypto/bytes.h"
#include "web/crypto/key-handle.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

struct FreeBuilder {
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
struct FreeParams {
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
};
struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeBuilder>;
using Params = std::unique_ptr<OSSL_PARAM, FreeParams>;
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

// Larger numbers than any key has: they would cost OpenSSL much time.
constexpr size_t kMaxNumber = 16384 / 8 + 1;

void finish_key(const Info& info, const char* type, int selection, OSSL_PARAM* params) {
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (context == nullptr || params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, selection, params) != 1) {
    return;
  }
  info.GetReturnValue().Set(make_handle(info.GetIsolate(), Key(made)));
}

// cryptoKeyFromNumbers(type: string, isPrivate: boolean, curve: string | undefined, point: BufferSource | undefined,
// ...numbers: (string | BufferSource)[]): KeyHandle | undefined; each number's name comes before it
void key_from_numbers(const Info& info) {
  ErrorScope errors;
  v8::Isolate* isolate = info.GetIsolate();
  Builder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr) return;
  std::string curve = name_of(isolate, info[2]);
  if (!curve.empty() &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) != 1) {
    return;
  }
  // The builder borrows all that it is given until the parameters are made.
  ByteRange point(info[3]);
  if (!point.empty() &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return;
  }
  std::vector<Number> numbers;
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(info.Length()));
  for (int i = 4; i + 1 < info.Length(); i += 2) {
    names.push_back(name_of(isolate, info[i]));
    ByteRange bytes(info[i + 1]);
    if (bytes.size() > kMaxNumber) return;
    numbers.emplace_back(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    if (numbers.back() == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), names.back().c_str(), numbers.back().get()) != 1) {
      return;
    }
  }
  Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  finish_key(info, name_of(isolate, info[0]).c_str(), info[1]->IsTrue() ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
             params.get());
}

// cryptoKeyFromRaw(type: string, part: "public" | "private" | "seed", bytes: BufferSource): KeyHandle | undefined
void key_from_raw(const Info& info) {
  ErrorScope errors;
  std::string type = name_of(info.GetIsolate(), info[0]);
  std::string part = name_of(info.GetIsolate(), info[1]);
  ByteRange bytes(info[2]);
  if (part == "seed") {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED,
                                                             const_cast<uint8_t*>(bytes.data()), bytes.size()),
                           OSSL_PARAM_construct_end()};
    finish_key(info, type.c_str(), EVP_PKEY_KEYPAIR, params);
    return;
  }
  Key key(part == "private"
              ? EVP_PKEY_new_raw_private_key_ex(nullptr, type.c_str(), nullptr, bytes.data(), bytes.size())
              : EVP_PKEY_new_raw_public_key_ex(nullptr, type.c_str(), nullptr, bytes.data(), bytes.size()));
  if (key != nullptr) info.GetReturnValue().Set(make_handle(info.GetIsolate(), std::move(key)));
}

// cryptoKeyPart(key: KeyHandle, part: string): ArrayBuffer | undefined; parts are "public", "private", "seed"
void key_part(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  std::string part = name_of(info.GetIsolate(), info[1]);
  // Of curves with points, the raw private key is a number, and the raw public key may be compressed.
  const char* name = part == "public"    ? OSSL_PKEY_PARAM_PUB_KEY
                     : part == "private" ? OSSL_PKEY_PARAM_PRIV_KEY
                                         : OSSL_PKEY_PARAM_ML_KEM_SEED;
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, name, nullptr, 0, &size) != 1) return;
  Result result(info.GetIsolate(), size);
  if (!result.ok()) return;
  if (EVP_PKEY_get_octet_string_param(key, name, result.data(), result.size(), &size) == 1) result.finish(info, size);
}

// cryptoKeyNumber(key: KeyHandle, name: string, size: number): ArrayBuffer | undefined; big-endian, with zeros in front
// up to `size` bytes
void key_number(const Info& info) {
  ErrorScope errors;
  EVP_PKEY* key = key_of(info[0]);
  if (key == nullptr) return;
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(key, name_of(info.GetIsolate(), info[1]).c_str(), &found) != 1) return;
  Number number(found);
  auto length = static_cast<size_t>(BN_num_bytes(number.get()));
  Result result(info.GetIsolate(), std::min(std::max(length, size_of(info[2])), kMaxNumber));
  if (!result.ok()) return;
  if (BN_bn2binpad(number.get(), result.data(), static_cast<int>(result.size())) >= 0) result.finish(info);
}

}  // namespace

void register_key_part_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoKeyFromNumbers", key_from_numbers);
  registry.add("cryptoKeyFromRaw", key_from_raw);
  registry.add("cryptoKeyPart", key_part);
  registry.add("cryptoKeyNumber", key_number);
}

}  // namespace valor::web::crypto
