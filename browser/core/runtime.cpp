// What the C++ library asks of a system, without one: so the module needs no imports, and carries no texts of errors
// that nobody would see. A failed allocation, or a bug, traps.
#include <cstddef>
#include <cstdint>
#include <new>

namespace {

// The heap: blocks of 16, 32, 64... bytes behind eight that hold the power of two. A block that was given back waits in
// the list of its size. Nothing is ever split or joined: memory grows to what was in use at most, by size.
constexpr uint32_t kSmallest = 4;
constexpr uint32_t kHead = 8;
constexpr uint32_t kPage = 65536;

struct Block {
  Block* next;
};
Block* waiting[32];
uint32_t unused_at;  // up to the end of the memory, once there was a first allocation

extern "C" char __heap_base;

void* allocate(uint32_t size) {
  uint32_t power = kSmallest;
  while (size > (1U << power) - kHead) {
    if (++power == 31) __builtin_trap();
  }
  if (Block* block = waiting[power]) {
    waiting[power] = block->next;
    return block;
  }
  if (unused_at == 0) unused_at = (reinterpret_cast<uint32_t>(&__heap_base) + 15) & ~15U;
  const uint32_t at = unused_at;
  unused_at += 1U << power;
  const uint32_t end = __builtin_wasm_memory_size(0) * kPage;
  if (unused_at > end) {
    const uint32_t pages = (unused_at - end + kPage - 1) / kPage;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) __builtin_trap();
  }
  *reinterpret_cast<uint32_t*>(at) = power;
  return reinterpret_cast<void*>(at + kHead);
}

void release(void* pointer) {
  if (pointer == nullptr) return;
  const uint32_t power = *reinterpret_cast<uint32_t*>(static_cast<char*>(pointer) - kHead);
  auto* block = static_cast<Block*>(pointer);
  block->next = waiting[power];
  waiting[power] = block;
}

}  // namespace

void* operator new(size_t size) {
  return allocate(size);
}
void operator delete(void* pointer) noexcept {
  release(pointer);
}
void operator delete(void* pointer, size_t) noexcept {
  release(pointer);
}

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) {
  __builtin_trap();
}
_LIBCPP_END_NAMESPACE_STD

extern "C" {

// One instruction each, but the last two: those of the C library are long because they are fast.
void* memcpy(void* to, const void* from, size_t size) {
  __builtin_memcpy(to, from, size);
  return to;
}
void* memmove(void* to, const void* from, size_t size) {
  __builtin_memmove(to, from, size);
  return to;
}
void* memset(void* to, int byte, size_t size) {
  __builtin_memset(to, byte, size);
  return to;
}
size_t strlen(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}
void* memchr(const void* bytes, int byte, size_t size) {
  for (auto* at = static_cast<const char*>(bytes); size-- > 0; ++at) {
    if (*at == static_cast<char>(byte)) return const_cast<char*>(at);
  }
  return nullptr;
}
}
