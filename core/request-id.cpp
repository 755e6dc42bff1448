#include "core/request-id.h"

#include <algorithm>
#include <cstring>

namespace valor::core {

namespace {

constexpr std::string_view kHeader = "x-request-id";
constexpr size_t kMaxClientId = 200;

constexpr uint32_t rotate_left(uint32_t value, int bits) {
  return (value << bits) | (value >> (32 - bits));
}

// https://www.rfc-editor.org/rfc/rfc8439#section-2.1
void quarter_round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d) {
  a += b;
  d = rotate_left(d ^ a, 16);
  c += d;
  b = rotate_left(b ^ c, 12);
  a += b;
  d = rotate_left(d ^ a, 8);
  c += d;
  b = rotate_left(b ^ c, 7);
}

struct HexPairs {
  char pairs[256][2];
};

constexpr HexPairs make_hex_pairs() {
  HexPairs table{};
  for (int byte = 0; byte < 256; ++byte) {
    table.pairs[byte][0] = "0123456789abcdef"[byte >> 4];
    table.pairs[byte][1] = "0123456789abcdef"[byte & 15];
  }
  return table;
}

constexpr HexPairs kHexPairs = make_hex_pairs();

}  // namespace

IdSource::IdSource(const Seed& seed) {
  for (size_t index = 0; index < seed.size(); ++index) {
    key_[2 * index] = static_cast<uint32_t>(seed[index]);
    key_[2 * index + 1] = static_cast<uint32_t>(seed[index] >> 32);
  }
}

void IdSource::refill() {
  // The block function of https://www.rfc-editor.org/rfc/rfc8439#section-2.3 with 8 rounds instead of 20 and a 64-bit
  // counter: no attack on 8 rounds is known that would let anybody guess an id, and an id costs a few nanoseconds.
  const std::array<uint32_t, 16> input = {0x61707865,
                                          0x3320646e,
                                          0x79622d32,
                                          0x6b206574,
                                          key_[0],
                                          key_[1],
                                          key_[2],
                                          key_[3],
                                          key_[4],
                                          key_[5],
                                          key_[6],
                                          key_[7],
                                          static_cast<uint32_t>(counter_),
                                          static_cast<uint32_t>(counter_ >> 32),
                                          0,
                                          0};
  auto x = input;
  for (int round = 0; round < 8; round += 2) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  for (size_t index = 0; index < x.size(); ++index) block_[index] = x[index] + input[index];
  ++counter_;
  used_ = 0;
}

void IdSource::write(char* out) {
  if (used_ + 4 > block_.size()) refill();
  for (int word = 0; word < 4; ++word) {
    uint32_t bits = block_[used_++];
    for (int byte = 0; byte < 4; ++byte) {
      std::memcpy(out, kHexPairs.pairs[(bits >> (8 * byte)) & 255], 2);
      out += 2;
    }
  }
}

std::string IdSource::make() {
  std::string id(kIdSize, '\0');
  write(id.data());
  return id;
}

uint64_t IdSource::next_bits() {
  if (used_ + 2 > block_.size()) refill();
  uint64_t low = block_[used_++];
  return low | (static_cast<uint64_t>(block_[used_++]) << 32);
}

bool is_acceptable_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxClientId &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

void assign_request_id(Request& request, IdSource& ids) {
  // The list keeps names in lower case, so comparing bytes is enough.
  std::string_view sent;
  size_t found = 0;
  for (auto [name, value] : request.headers) {
    if (name.size() != kHeader.size() || name != kHeader) continue;
    sent = value;
    ++found;
  }
  if (found == 1 && is_acceptable_request_id(sent)) {
    request.id.assign(sent);
    return;
  }
  request.id.resize(IdSource::kIdSize);
  ids.write(request.id.data());
  if (found == 0) {
    request.headers.append(kHeader, request.id);
  } else {
    request.headers.set(kHeader, request.id);
  }
}

}  // namespace valor::core
