#include "plugins/native/instance-table.h"

namespace valor::plugins::native {

InstanceTable& InstanceTable::of_process() {
  static InstanceTable& table = *new InstanceTable;
  return table;
}

uint64_t InstanceTable::add(NativeGuest& guest) {
  std::lock_guard lock(mutex_);
  if (free_.empty()) {
    const size_t block = slots_ / kSlotsPerBlock;
    if (block == kBlocks) return 0;
    blocks_[block].store(new Block, std::memory_order_release);
    for (size_t i = 0; i < kSlotsPerBlock; ++i) free_.push_back(slots_ + static_cast<uint32_t>(kSlotsPerBlock - 1 - i));
    slots_ += kSlotsPerBlock;
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = (*blocks_[index / kSlotsPerBlock].load(std::memory_order_relaxed))[index % kSlotsPerBlock];
  std::lock_guard slot_lock(slot.mutex);
  slot.guest = &guest;
  return uint64_t{slot.generation} << 32 | index;
}

void InstanceTable::remove(uint64_t number) {
  const auto index = static_cast<uint32_t>(number);
  Slot& slot = (*blocks_[index / kSlotsPerBlock].load(std::memory_order_relaxed))[index % kSlotsPerBlock];
  {
    std::lock_guard slot_lock(slot.mutex);
    slot.guest = nullptr;
    if (++slot.generation == 0) slot.generation = 1;
  }
  std::lock_guard lock(mutex_);
  free_.push_back(index);
}

InstanceTable::Use::Use(InstanceTable& table, uint64_t number) {
  const auto index = static_cast<uint32_t>(number);
  if (index / kSlotsPerBlock >= kBlocks) return;
  Block* block = table.blocks_[index / kSlotsPerBlock].load(std::memory_order_acquire);
  if (block == nullptr) return;
  Slot& slot = (*block)[index % kSlotsPerBlock];
  lock_ = std::unique_lock(slot.mutex);
  if (slot.generation == number >> 32) guest_ = slot.guest;
}

}  // namespace valor::plugins::native
