#include "engine/icu-memory.h"

#include <malloc.h>

#include <cstdlib>
#include <mutex>

// Exported by the node binary, under the version of ICU that it holds; no header comes with it.
// https://unicode-org.github.io/icu-docs/apidoc/released/icu4c/uclean_8h.html
extern "C" {
using UMemAllocFn = void*(const void* context, size_t size);
using UMemReallocFn = void*(const void* context, void* memory, size_t size);
using UMemFreeFn = void(const void* context, void* memory);
void u_setMemoryFunctions_78(const void* context, UMemAllocFn* allocate, UMemReallocFn* reallocate, UMemFreeFn* free,
                             int* status);
}

namespace valor::engine {

namespace {

thread_local std::atomic<int64_t>* t_bytes = nullptr;

// Blocks that were there before came from the same allocator, which knows their sizes.
int64_t size_of(void* memory) {
  return memory == nullptr ? 0 : static_cast<int64_t>(malloc_usable_size(memory));
}

void add(int64_t bytes) {
  if (t_bytes != nullptr) t_bytes->fetch_add(bytes, std::memory_order_relaxed);
}

void* allocate(const void*, size_t size) {
  void* memory = std::malloc(size);
  add(size_of(memory));
  return memory;
}

void* reallocate(const void*, void* memory, size_t size) {
  const int64_t before = size_of(memory);
  void* moved = std::realloc(memory, size);
  if (moved != nullptr) add(size_of(moved) - before);
  return moved;
}

void release(const void*, void* memory) {
  add(-size_of(memory));
  std::free(memory);
}

}  // namespace

void count_icu_memory_of_this_thread(std::atomic<int64_t>* bytes) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    int status = 0;
    u_setMemoryFunctions_78(nullptr, allocate, reallocate, release, &status);
  });
  t_bytes = bytes;
}

}  // namespace valor::engine
