// Reads the binary format of WebAssembly from front to end. What is not there reads as 0 and is remembered.
// https://webassembly.github.io/spec/core/binary/values.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace valor::plugins::wasm {

class ByteReader {
 public:
  ByteReader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}

  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  bool failed() const { return failed_; }
  /// What was read makes no sense: nothing more is read.
  void fail() {
    failed_ = true;
    at_ = bytes_.size();
  }

  uint8_t byte() {
    if (left() == 0) {
      fail();
      return 0;
    }
    return static_cast<uint8_t>(bytes_[at_++]);
  }

  uint8_t peek() const { return left() == 0 ? 0 : static_cast<uint8_t>(bytes_[at_]); }

  uint32_t u32() {
    const uint64_t value = leb(5);
    if (value > UINT32_MAX) fail();
    return failed_ ? 0 : static_cast<uint32_t>(value);
  }

  uint64_t u64() { return leb(10); }

  /// A signed number of up to 33 bits, whose value nobody needs.
  void skip_s33() { leb(5); }

  std::string_view take(size_t size) {
    if (size > left()) {
      fail();
      return {};
    }
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }

  std::string name() { return std::string(take(u32())); }

  /// The number of entries of a list; each has at least one byte.
  uint32_t count() {
    const uint32_t value = u32();
    if (value > left()) fail();
    return failed_ ? 0 : value;
  }

 private:
  uint64_t leb(int most_bytes) {
    uint64_t value = 0;
    for (int i = 0; i < most_bytes; ++i) {
      const uint8_t next = byte();
      value |= uint64_t{next & 0x7fu} << (7 * i);
      if ((next & 0x80) == 0) return value;
    }
    fail();
    return 0;
  }

  std::string_view bytes_;
  size_t at_;
  bool failed_ = false;
};

/// Appends an unsigned number.
inline void append_leb(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

}  // namespace valor::plugins::wasm
