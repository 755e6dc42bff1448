#include "core/hash-index.h"

namespace valor::core {

void HashIndex::insert(uint64_t hash, uint32_t entry) {
  if ((used_ + 1) * 2 > slots_.size()) {
    std::vector<Slot> old(slots_.empty() ? 8 : slots_.size() * 2);
    old.swap(slots_);
    used_ = 0;
    for (const Slot& slot : old) {
      if (slot.entry != kNone) insert(slot.hash, slot.entry);
    }
  }
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].entry != kNone) at = (at + 1) & mask;
  slots_[at] = {hash, entry};
  ++used_;
}

void HashIndex::erase(uint64_t hash, uint32_t entry) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].entry != entry) at = (at + 1) & mask;
  // What follows in the run moves up where its own place allows it, so that no mark of the erased one is needed.
  for (size_t next = (at + 1) & mask; slots_[next].entry != kNone; next = (next + 1) & mask) {
    const size_t home = slots_[next].hash & mask;
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    slots_[at] = slots_[next];
    at = next;
  }
  slots_[at] = {};
  --used_;
}

}  // namespace valor::core
