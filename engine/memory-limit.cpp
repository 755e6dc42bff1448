#include "engine/memory-limit.h"

#include <algorithm>
#include <cstdlib>

namespace valor::engine {

namespace {

// Room for everything that can be allocated between the callback and the next point where V8 looks whether it should
// stop. With 16 MiB one large array aborts the process; the largest single allocations of V8 are around 1 GiB.
constexpr uint64_t kSlack = uint64_t{4} << 30;

// What V8 may keep beyond its limit between two collections: the young generation.
constexpr uint64_t kYoungGeneration = uint64_t{32} << 20;

// Code that catches each RangeError and tries again would go on until its time is up.
constexpr int kRefusalsUntilStop = 64;

}  // namespace

void MemoryLimit::configure(v8::ResourceConstraints& constraints) const {
  constraints.ConfigureDefaultsFromHeapSize(0, limit_);
  // By default V8 takes the young generation off first: of 8 MiB it would leave 2 for what lives on. The sum of both is
  // looked at after each collection.
  constraints.set_max_old_generation_size_in_bytes(limit_);
}

void MemoryLimit::attach(v8::Isolate* isolate) {
  isolate_ = isolate;
  isolate->AddNearHeapLimitCallback(near_heap_limit, this);
  isolate->AddGCEpilogueCallback(after_gc, this, v8::kGCTypeMarkSweepCompact);
}

void MemoryLimit::detach() {
  if (isolate_ == nullptr) return;
  isolate_->RemoveNearHeapLimitCallback(near_heap_limit, 0);
  isolate_->RemoveGCEpilogueCallback(after_gc, this);
  isolate_ = nullptr;
}

void MemoryLimit::trip() {
  heap_tripped_.store(true);
  isolate_->TerminateExecution();
}

size_t MemoryLimit::near_heap_limit(void* data, size_t current, size_t) {
  static_cast<MemoryLimit*>(data)->trip();
  return current + kSlack;
}

void MemoryLimit::after_gc(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  auto* self = static_cast<MemoryLimit*>(data);
  v8::HeapStatistics heap;
  isolate->GetHeapStatistics(&heap);
  bool over = heap.used_heap_size() + self->outside_heap(heap) > self->limit_;
  // ArrayBuffers that this collection found dead are freed by another thread a little later, and count until then.
  if (over && self->was_over_) self->trip();
  self->was_over_ = over;
}

// V8 counts resizable ArrayBuffers, which it allocates itself, and does not count shared ones.
uint64_t MemoryLimit::outside_heap(v8::HeapStatistics& heap) const {
  const int64_t native = std::max<int64_t>(0, native_.load(std::memory_order_relaxed));
  return std::max<uint64_t>(array_buffer_bytes(), heap.external_memory()) + static_cast<uint64_t>(native) + wasm_;
}

void MemoryLimit::check() {
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  if (heap.used_heap_size() + outside_heap(heap) <= limit_ + kYoungGeneration) return;
  // Comes to after_gc().
  isolate_->MemoryPressureNotification(v8::MemoryPressureLevel::kCritical);
}

void MemoryLimit::set_wasm_bytes(uint64_t bytes) {
  wasm_ = bytes;
  if (bytes > 0 && array_buffer_bytes() + bytes > limit_) trip();
}

bool MemoryLimit::take(size_t length) {
  uint64_t used = used_.fetch_add(length) + length;
  uint64_t allowed = limit_;
  if (used > limit_ / 2 && isolate_ != nullptr) {
    v8::HeapStatistics heap;
    isolate_->GetHeapStatistics(&heap);
    allowed -= std::min<uint64_t>(heap.used_heap_size(), allowed);
  }
  if (used <= allowed) {
    refusals_ = 0;
    return true;
  }
  used_.fetch_sub(length);
  if (++refusals_ == kRefusalsUntilStop) trip();
  return false;
}

void* MemoryLimit::Allocate(size_t length) {
  if (!take(length)) return nullptr;
  void* data = std::calloc(std::max<size_t>(length, 1), 1);
  if (data == nullptr) used_.fetch_sub(length);
  return data;
}

void* MemoryLimit::AllocateUninitialized(size_t length) {
  if (!take(length)) return nullptr;
  void* data = std::malloc(std::max<size_t>(length, 1));
  if (data == nullptr) used_.fetch_sub(length);
  return data;
}

void MemoryLimit::Free(void* data, size_t length) {
  std::free(data);
  used_.fetch_sub(length);
}

}  // namespace valor::engine
