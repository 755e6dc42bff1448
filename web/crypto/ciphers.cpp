// AES in its modes and ChaCha20-Poly1305.
#include <openssl/evp.h>

#include <cstring>
#include <memory>

#include "web/crypto/bytes.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

constexpr size_t kBlock = 16;
// OpenSSL counts in int; this much at a time keeps whole blocks.
constexpr size_t kStep = size_t{1} << 30;

enum class Direction { kDecrypt = 0, kEncrypt = 1 };

Direction direction_of(v8::Local<v8::Value> encrypts) {
  return encrypts->IsTrue() ? Direction::kEncrypt : Direction::kDecrypt;
}

bool update(EVP_CIPHER_CTX* context, uint8_t* into, size_t& written, const uint8_t* data, size_t size) {
  while (size > 0) {
    size_t part = size < kStep ? size : kStep;
    int length = 0;
    if (EVP_CipherUpdate(context, into == nullptr ? nullptr : into + written, &length, data, static_cast<int>(part)) !=
        1) {
      return false;
    }
    if (into != nullptr) written += static_cast<size_t>(length);
    data += part;
    size -= part;
  }
  return true;
}

bool finish(EVP_CIPHER_CTX* context, uint8_t* into, size_t& written) {
  int length = 0;
  if (EVP_CipherFinal_ex(context, into + written, &length) != 1) return false;
  written += static_cast<size_t>(length);
  return true;
}

/// The cipher with a key of the length it wants; false when there is none.
bool start(EVP_CIPHER_CTX* context, EVP_CIPHER* cipher, const ByteRange& key, const uint8_t* iv, Direction direction) {
  return EVP_CipherInit_ex2(context, nullptr, key.data(), iv, static_cast<int>(direction), nullptr) == 1;
}

// cryptoCipher(name: string, encrypts: boolean, key: BufferSource, iv: BufferSource, data: BufferSource):
// ArrayBuffer | undefined; AES-CBC and AES key wrapping
void cipher(const Info& info) {
  ErrorScope errors;
  Cipher type(EVP_CIPHER_fetch(nullptr, name_of(info.GetIsolate(), info[0]).c_str(), nullptr));
  CipherContext context(EVP_CIPHER_CTX_new());
  const Direction direction = direction_of(info[1]);
  ByteRange key(info[2]);
  ByteRange iv(info[3]);
  ByteRange data(info[4]);
  if (type == nullptr || context == nullptr || data.size() > kStep ||
      key.size() != static_cast<size_t>(EVP_CIPHER_get_key_length(type.get())) ||
      (!iv.empty() && iv.size() != static_cast<size_t>(EVP_CIPHER_get_iv_length(type.get())))) {
    return;
  }
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Result result(info.GetIsolate(), data.size() + kBlock);
  size_t written = 0;
  if (result.ok() &&
      EVP_CipherInit_ex2(context.get(), type.get(), nullptr, nullptr, static_cast<int>(direction), nullptr) == 1 &&
      start(context.get(), type.get(), key, iv.empty() ? nullptr : iv.data(), direction) &&
      update(context.get(), result.data(), written, data.data(), data.size()) &&
      finish(context.get(), result.data(), written)) {
    result.finish(info, written);
  }
}

/// How many blocks there are before the low `bits` of the counter are all zero again.
unsigned __int128 blocks_until_wrap(const uint8_t (&counter)[kBlock], size_t bits) {
  unsigned __int128 value = 0;
  for (uint8_t byte : counter) value = value << 8 | byte;
  unsigned __int128 period = static_cast<unsigned __int128>(1) << bits;
  return period - (value & (period - 1));
}

void clear_low_bits(uint8_t (&counter)[kBlock], size_t bits) {
  for (size_t i = kBlock; i-- > 0 && bits > 0;) {
    size_t part = bits < 8 ? bits : 8;
    counter[i] = static_cast<uint8_t>(counter[i] & (0xff << part));
    bits -= part;
  }
}

// cryptoCounterMode(key: BufferSource, counter: BufferSource, bits: number, data: BufferSource): ArrayBuffer |
// undefined
//
// Only the low bits of the block count; OpenSSL counts with all 128, so the data is cut where they would overflow.
void counter_mode(const Info& info) {
  ErrorScope errors;
  ByteRange key(info[0]);
  ByteRange start_counter(info[1]);
  const size_t bits = size_of(info[2]);
  ByteRange data(info[3]);
  const char* name = key.size() == 16 ? "AES-128-CTR" : key.size() == 24 ? "AES-192-CTR" : "AES-256-CTR";
  Cipher type(EVP_CIPHER_fetch(nullptr, name, nullptr));
  CipherContext context(EVP_CIPHER_CTX_new());
  if (type == nullptr || context == nullptr || start_counter.size() != kBlock || bits == 0 || bits > 128 ||
      key.size() != static_cast<size_t>(EVP_CIPHER_get_key_length(type.get()))) {
    return;
  }
  const size_t blocks = data.size() / kBlock + (data.size() % kBlock != 0 ? 1 : 0);
  if (bits < 64 && blocks > size_t{1} << bits) return;  // the key stream would repeat
  uint8_t counter[kBlock];
  std::memcpy(counter, start_counter.data(), kBlock);
  size_t first = data.size();
  if (bits < 128) {
    unsigned __int128 until_wrap = blocks_until_wrap(counter, bits);
    if (until_wrap < blocks) first = static_cast<size_t>(until_wrap) * kBlock;
  }
  Result result(info.GetIsolate(), data.size());
  if (!result.ok()) return;
  auto run = [&](size_t from, size_t to) {
    size_t written = 0;
    return EVP_EncryptInit_ex2(context.get(), type.get(), key.data(), counter, nullptr) == 1 &&
           update(context.get(), result.data() + from, written, data.data() + from, to - from);
  };
  if (!run(0, first)) return;
  if (first < data.size()) {
    clear_low_bits(counter, bits);
    if (!run(first, data.size())) return;
  }
  result.finish(info);
}

// cryptoAuthenticated(name: string, encrypts: boolean, key, iv, additionalData: BufferSource, tagSize: number,
// data: BufferSource): ArrayBuffer | undefined; the tag comes after the cipher text
void authenticated(const Info& info) {
  ErrorScope errors;
  Cipher type(EVP_CIPHER_fetch(nullptr, name_of(info.GetIsolate(), info[0]).c_str(), nullptr));
  CipherContext context(EVP_CIPHER_CTX_new());
  const Direction direction = direction_of(info[1]);
  ByteRange key(info[2]);
  ByteRange iv(info[3]);
  ByteRange additional(info[4]);
  const size_t tag_size = size_of(info[5]);
  ByteRange data(info[6]);
  if (type == nullptr || context == nullptr ||
      key.size() != static_cast<size_t>(EVP_CIPHER_get_key_length(type.get())) || iv.empty() || iv.size() > kStep ||
      tag_size == 0 || tag_size > kBlock) {
    return;
  }
  const bool encrypts = direction == Direction::kEncrypt;
  if (!encrypts && data.size() < tag_size) return;
  const size_t text_size = encrypts ? data.size() : data.size() - tag_size;
  const int tag_length = static_cast<int>(tag_size);
  const bool is_ocb = EVP_CIPHER_get_mode(type.get()) == EVP_CIPH_OCB_MODE;
  if (EVP_CipherInit_ex2(context.get(), type.get(), nullptr, nullptr, static_cast<int>(direction), nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(iv.size()), nullptr) != 1 ||
      (is_ocb && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_length, nullptr) != 1) ||
      !start(context.get(), type.get(), key, iv.data(), direction)) {
    return;
  }
  if (!encrypts) {
    uint8_t tag[kBlock];
    std::memcpy(tag, data.data() + text_size, tag_size);
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_length, tag) != 1) return;
  }
  Result result(info.GetIsolate(), text_size + (encrypts ? tag_size : 0));
  if (!result.ok()) return;
  size_t written = 0;
  uint8_t rest[kBlock];
  int rest_size = 0;
  // OCB keeps an unfinished block until the end; it fits because sizes of text and result are equal.
  if (!update(context.get(), nullptr, written, additional.data(), additional.size()) ||
      !update(context.get(), result.data(), written, data.data(), text_size) ||
      EVP_CipherFinal_ex(context.get(), rest, &rest_size) != 1 ||
      written + static_cast<size_t>(rest_size) != text_size) {
    return;
  }
  std::memcpy(result.data() + written, rest, static_cast<size_t>(rest_size));
  if (encrypts &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_length, result.data() + text_size) != 1) {
    return;
  }
  result.finish(info);
}

}  // namespace

void register_cipher_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoCipher", cipher);
  registry.add("cryptoCounterMode", counter_mode);
  registry.add("cryptoAuthenticated", authenticated);
}

}  // namespace valor::web::crypto
