// The memory of a WASM guest, as the host reads and writes it.
#pragma once

#include <v8.h>

#include <cstdint>
#include <string_view>

namespace valor::plugins::wasm {

/// Where the guest's memory is now. Valid until the guest runs: it may grow then.
class MemoryView {
 public:
  MemoryView() = default;
  MemoryView(char* data, size_t size) : data_(data), size_(size) {}

  size_t size() const { return size_; }
  bool holds(uint32_t pointer, uint32_t length) const { return uint64_t{pointer} + length <= size_; }
  /// Only where holds().
  char* at(uint32_t pointer) const { return data_ + pointer; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

/// Needs a HandleScope.
inline MemoryView view_of(v8::Local<v8::WasmMemoryObject> memory) {
  const v8::Local<v8::ArrayBuffer> buffer = memory->Buffer();
  return {static_cast<char*>(buffer->Data()), buffer->ByteLength()};
}

}  // namespace valor::plugins::wasm
