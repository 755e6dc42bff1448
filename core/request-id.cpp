#include "core/request-id.h"

#include <algorithm>
#include <cstring>

namespace valor::core {

namespace {

constexpr std::string_view kHeader = "x-request-id";
constexpr size_t kMaxClientId = 200;

// A row of the ChaCha state: four words that go through the same steps. A compiler's vector type, because the machine
// then does a row at once; where it cannot, the compiler takes the words one by one.
using Row = uint32_t __attribute__((vector_size(16)));

inline Row rotate_left(Row value, int bits) {
  return (value << bits) | (value >> (32 - bits));
}

// Four quarter rounds side by side. https://www.rfc-editor.org/rfc/rfc8439#section-2.1
inline void quarter_rounds(Row& a, Row& b, Row& c, Row& d) {
  a += b;
  d = rotate_left(d ^ a, 16);
  c += d;
  b = rotate_left(b ^ c, 12);
  a += b;
  d = rotate_left(d ^ a, 8);
  c += d;
  b = rotate_left(b ^ c, 7);
}

// The eight hexadecimal digits of the four bytes of `bits`, first byte lowest, all at once: the digits lie in the eight
// bytes of the result in the same order.
constexpr uint64_t hex_digits(uint32_t bits) {
  uint64_t spread = bits;
  spread = (spread | (spread << 16)) & 0x0000FFFF0000FFFF;
  spread = (spread | (spread << 8)) & 0x00FF00FF00FF00FF;
  uint64_t nibbles = ((spread >> 4) & 0x000F000F000F000F) | ((spread & 0x000F000F000F000F) << 8);
  uint64_t letters = ((nibbles + 0x0606060606060606) >> 4) & 0x0101010101010101;
  return nibbles + 0x3030303030303030 + letters * ('a' - '0' - 10);
}

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
  const Row constants = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  const Row key_low = {key_[0], key_[1], key_[2], key_[3]};
  const Row key_high = {key_[4], key_[5], key_[6], key_[7]};
  const Row position = {static_cast<uint32_t>(counter_), static_cast<uint32_t>(counter_ >> 32), 0, 0};
  Row a = constants;
  Row b = key_low;
  Row c = key_high;
  Row d = position;
  for (int round = 0; round < 8; round += 2) {
    quarter_rounds(a, b, c, d);
    // The diagonals of the state become columns, and back.
    b = __builtin_shufflevector(b, b, 1, 2, 3, 0);
    c = __builtin_shufflevector(c, c, 2, 3, 0, 1);
    d = __builtin_shufflevector(d, d, 3, 0, 1, 2);
    quarter_rounds(a, b, c, d);
    b = __builtin_shufflevector(b, b, 3, 0, 1, 2);
    c = __builtin_shufflevector(c, c, 2, 3, 0, 1);
    d = __builtin_shufflevector(d, d, 1, 2, 3, 0);
  }
  const Row block[4] = {a + constants, b + key_low, c + key_high, d + position};
  static_assert(sizeof block == sizeof block_);
  std::memcpy(block_.data(), block, sizeof block);
  ++counter_;
  used_ = 0;
}

void IdSource::write(char* out) {
  if (used_ + 4 > block_.size()) refill();
  for (int word = 0; word < 4; ++word) {
    uint64_t digits = hex_digits(block_[used_++]);
    std::memcpy(out, &digits, sizeof digits);
    out += sizeof digits;
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
