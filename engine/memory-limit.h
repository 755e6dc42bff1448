// The memory limit of one isolate: JavaScript heap, ArrayBuffers, memories of WebAssembly, and what Intl objects hold,
// together.
//
// V8 aborts the whole process when a heap runs full, so it is never left to that: shortly before, a callback raises the
// heap's limit far enough for any single allocation in flight, stops the code that runs, and marks the isolate as
// tripped. A tripped isolate is thrown away. An ArrayBuffer that would exceed the limit is refused (RangeError); when
// that was the last word, the isolate counts as tripped too.
#pragma once

#include <v8.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace valor::engine {

class MemoryLimit final : public v8::ArrayBuffer::Allocator {
 public:
  explicit MemoryLimit(uint64_t bytes) : limit_(bytes) {}

  /// Before the isolate exists: sizes its heap.
  void configure(v8::ResourceConstraints& constraints) const;
  /// After it exists, on its thread. The limit must live until detach().
  void attach(v8::Isolate* isolate);
  void detach();

  /// Whether the limit was hit for good. Isolate's thread, after plug-in code returned.
  bool tripped() const { return heap_tripped_.load() || refusals_ > 0; }

  /// Collects garbage where there is more than may be, and trips when it stays. Isolate's thread, between two steps of
  /// plug-in code. V8 has no limit of its own for what lies outside of its heap, and for one that is full to the brim
  /// it lets single objects in that are much larger.
  void check();
  /// What memories of WebAssembly have now (wasm-memory.h); trips where that is too much. Isolate's thread, between two
  /// steps of plug-in code.
  void set_wasm_bytes(uint64_t bytes);
  /// What is allocated for the isolate where nothing else counts it.
  std::atomic<int64_t>& native_bytes() { return native_; }

  uint64_t limit() const { return limit_; }
  /// Bytes in ArrayBuffers now.
  uint64_t array_buffer_bytes() const { return used_.load(std::memory_order_relaxed); }

  void* Allocate(size_t length) override;
  void* AllocateUninitialized(size_t length) override;
  void Free(void* data, size_t length) override;

 private:
  bool take(size_t length);
  void trip();
  uint64_t outside_heap(v8::HeapStatistics& heap) const;
  static size_t near_heap_limit(void* data, size_t current, size_t initial);
  static void after_gc(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* data);

  uint64_t limit_;
  v8::Isolate* isolate_ = nullptr;
  std::atomic<uint64_t> used_{0};
  std::atomic<int64_t> native_{0};
  uint64_t wasm_ = 0;
  std::atomic<bool> heap_tripped_{false};
  bool was_over_ = false;  // after the last full collection
  // How often in a row an ArrayBuffer was refused. V8 asks up to four times for one buffer, collecting garbage between.
  int refusals_ = 0;
};

}  // namespace valor::engine
