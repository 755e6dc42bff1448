// Finds entries of a table by a hash of theirs: open addressing. It holds numbers of entries, not entries, so that what
// is the same as what is for its owner to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace valor::core {

/// FNV-1a. Where clients choose what is hashed, begin with a seed that they do not know.
constexpr uint64_t kHashStart = 0xcbf29ce484222325;
constexpr uint64_t hash_byte(uint64_t hash, char c) {
  return (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
}
constexpr uint64_t hash_text(std::string_view text, uint64_t hash = kHashStart) {
  for (const char c : text) hash = hash_byte(hash, c);
  return hash;
}

class HashIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// The entry with this hash for which `same(entry)` is true, or kNone.
  template <class Same>
  uint32_t find(uint64_t hash, Same same) const {
    if (slots_.empty()) return kNone;
    const size_t mask = slots_.size() - 1;
    for (size_t at = hash & mask; slots_[at].entry != kNone; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && same(slots_[at].entry)) return slots_[at].entry;
    }
    return kNone;
  }
  void insert(uint64_t hash, uint32_t entry);
  /// The entry must be there.
  void erase(uint64_t hash, uint32_t entry);

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t entry = kNone;
  };
  std::vector<Slot> slots_;  // at least twice as many as are used
  size_t used_ = 0;
};

}  // namespace valor::core
