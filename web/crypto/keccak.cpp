// TurboSHAKE and KangarooTwelve (RFC 9861): Keccak with 12 rounds, which OpenSSL does not offer.
#include <bit>
#include <cstring>
#include <vector>

#include "web/crypto/bytes.h"
#include "web/crypto/natives.h"

namespace valor::web::crypto {

namespace {

static_assert(std::endian::native == std::endian::little, "lanes are little-endian");

constexpr uint64_t kRoundConstants[12] = {
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};
constexpr int kRotations[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
constexpr int kLanes[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};

void permute(uint64_t (&state)[25]) {
  for (uint64_t constant : kRoundConstants) {
    uint64_t column[5];
    for (int x = 0; x < 5; x++) {
      column[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
    }
    for (int x = 0; x < 5; x++) {
      uint64_t mix = column[(x + 4) % 5] ^ std::rotl(column[(x + 1) % 5], 1);
      for (int y = 0; y < 25; y += 5) state[y + x] ^= mix;
    }
    uint64_t moving = state[1];
    for (int i = 0; i < 24; i++) {
      uint64_t next = state[kLanes[i]];
      state[kLanes[i]] = std::rotl(moving, kRotations[i]);
      moving = next;
    }
    for (int y = 0; y < 25; y += 5) {
      uint64_t row[5];
      std::memcpy(row, state + y, sizeof(row));
      for (int x = 0; x < 5; x++) state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
    state[0] ^= constant;
  }
}

/// The sponge of TurboSHAKE128 (rate 168) and TurboSHAKE256 (rate 136).
class Sponge {
 public:
  explicit Sponge(size_t rate) : rate_(rate) {}

  void absorb(const uint8_t* data, size_t size) {
    while (size > 0) {
      size_t part = size < rate_ - at_ ? size : rate_ - at_;
      uint8_t* bytes = reinterpret_cast<uint8_t*>(state_) + at_;
      for (size_t i = 0; i < part; i++) bytes[i] ^= data[i];
      at_ += part;
      data += part;
      size -= part;
      if (at_ == rate_) {
        permute(state_);
        at_ = 0;
      }
    }
  }

  void squeeze(uint8_t domain, uint8_t* into, size_t size) {
    uint8_t* bytes = reinterpret_cast<uint8_t*>(state_);
    bytes[at_] ^= domain;
    bytes[rate_ - 1] ^= 0x80;
    while (size > 0) {
      permute(state_);
      size_t part = size < rate_ ? size : rate_;
      std::memcpy(into, bytes, part);
      into += part;
      size -= part;
    }
  }

 private:
  uint64_t state_[25] = {};
  size_t rate_;
  size_t at_ = 0;
};

size_t rate_of(v8::Local<v8::Value> strength) {
  return size_of(strength) == 256 ? 136 : 168;
}

// cryptoTurboShake(strength: 128 | 256, domain: number, data: BufferSource, size: number): ArrayBuffer | undefined
void turbo_shake(const Info& info) {
  ByteRange data(info[2]);
  Result result(info.GetIsolate(), size_of(info[3]));
  if (!result.ok()) return;
  Sponge sponge(rate_of(info[0]));
  sponge.absorb(data.data(), data.size());
  sponge.squeeze(static_cast<uint8_t>(size_of(info[1])), result.data(), result.size());
  result.finish(info);
}

/// length_encode of RFC 9861, section 3.3.
std::vector<uint8_t> encoded_length(size_t value) {
  std::vector<uint8_t> encoded;
  for (int shift = 56; shift >= 0; shift -= 8) {
    auto byte = static_cast<uint8_t>(value >> shift);
    if (byte != 0 || !encoded.empty()) encoded.push_back(byte);
  }
  encoded.push_back(static_cast<uint8_t>(encoded.size()));
  return encoded;
}

constexpr size_t kChunk = 8192;

/// The message, the customization and its length, one after the other, cut into chunks of 8 KiB.
class ChunkedInput {
 public:
  ChunkedInput(size_t rate, size_t total) : rate_(rate), final_(rate), leaf_(rate), tree_(total > kChunk) {}

  void absorb(const uint8_t* data, size_t size) {
    while (size > 0) {
      if (filled_ == kChunk) end_chunk();
      size_t part = size < kChunk - filled_ ? size : kChunk - filled_;
      (chunk_ == 0 ? final_ : leaf_).absorb(data, part);
      filled_ += part;
      data += part;
      size -= part;
    }
  }

  void squeeze(uint8_t* into, size_t size) {
    if (!tree_) {
      final_.squeeze(0x07, into, size);
      return;
    }
    end_chunk();
    std::vector<uint8_t> count = encoded_length(chunk_ - 1);
    final_.absorb(count.data(), count.size());
    constexpr uint8_t end[] = {0xff, 0xff};
    final_.absorb(end, sizeof(end));
    final_.squeeze(0x06, into, size);
  }

 private:
  void end_chunk() {
    if (chunk_ == 0) {
      constexpr uint8_t mark[8] = {3};
      final_.absorb(mark, sizeof(mark));
    } else {
      uint8_t value[64];
      size_t size = rate_ == 168 ? 32 : 64;
      leaf_.squeeze(0x0b, value, size);
      final_.absorb(value, size);
      leaf_ = Sponge(rate_);
    }
    chunk_++;
    filled_ = 0;
  }

  size_t rate_;
  Sponge final_;
  Sponge leaf_;
  bool tree_;
  size_t chunk_ = 0;
  size_t filled_ = 0;
};

// cryptoKangarooTwelve(strength: 128 | 256, data: BufferSource, customization: BufferSource, size: number):
// ArrayBuffer | undefined
void kangaroo_twelve(const Info& info) {
  ByteRange data(info[1]);
  ByteRange customization(info[2]);
  Result result(info.GetIsolate(), size_of(info[3]));
  if (!result.ok()) return;
  std::vector<uint8_t> length = encoded_length(customization.size());
  ChunkedInput input(rate_of(info[0]), data.size() + customization.size() + length.size());
  input.absorb(data.data(), data.size());
  input.absorb(customization.data(), customization.size());
  input.absorb(length.data(), length.size());
  input.squeeze(result.data(), result.size());
  result.finish(info);
}

}  // namespace

void register_keccak_natives(engine::NativeRegistry& registry) {
  registry.add("cryptoTurboShake", turbo_shake);
  registry.add("cryptoKangarooTwelve", kangaroo_twelve);
}

}  // namespace valor::web::crypto
