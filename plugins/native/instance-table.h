// The native instances that live now, by number. A plug-in's own threads may call the host with an instance's number
// long after that instance has ended, so each call looks its number up here, and an instance ends only when no call
// from another thread is using it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace valor::plugins::native {

class NativeGuest;

/// Thread-safe.
class InstanceTable {
  struct Slot {
    std::mutex mutex;
    uint32_t generation = 1;
    NativeGuest* guest = nullptr;
  };

 public:
  /// The one table of the process. It is never destroyed: functions of the C ABI have no context to carry it in, and
  /// the threads of a plug-in outlive every object of the server.
  static InstanceTable& of_process();

  /// Enters an instance; its number is not used again before 4 billion others have been in the same place. 0 when the
  /// table is full. Must be called outside the turn, as remove().
  uint64_t add(NativeGuest& guest);

  /// Takes it out; waits for calls from other threads that are using it. Must be called outside the turn of its loop,
  /// which such calls may be waiting for.
  void remove(uint64_t number);

  /// Keeps an instance alive for the time of a scope.
  class Use {
   public:
    Use(InstanceTable& table, uint64_t number);
    explicit operator bool() const { return guest_ != nullptr; }
    NativeGuest& operator*() const { return *guest_; }
    NativeGuest* operator->() const { return guest_; }

   private:
    std::unique_lock<std::mutex> lock_;
    NativeGuest* guest_ = nullptr;
  };

 private:
  static constexpr size_t kSlotsPerBlock = 256;
  static constexpr size_t kBlocks = 4096;
  using Block = std::array<Slot, kSlotsPerBlock>;

  // Blocks are never freed, so looking up takes no lock but that of the slot.
  std::array<std::atomic<Block*>, kBlocks> blocks_{};
  std::mutex mutex_;  // guards the two below
  std::vector<uint32_t> free_;
  uint32_t slots_ = 0;
};

}  // namespace valor::plugins::native
