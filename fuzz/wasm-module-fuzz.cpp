// WebAssembly modules: whatever the bytes are, their outline is read or refused in words, and once their memories are
// capped, the outline says so and nothing else has changed.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plugins/wasm/abi-check.h"
#include "plugins/wasm/memory-cap.h"
#include "plugins/wasm/module-layout.h"

using namespace valor::plugins::wasm;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr uint64_t kLimit = uint64_t{16} << 20;

void check(const ModuleLayout& before, const std::string& capped) {
  auto again = read_layout(capped);
  require(again.ok());
  const ModuleLayout& after = *again;
  require(after.memories.size() == before.memories.size());
  uint64_t sum = 0;
  for (const MemoryType& memory : after.memories) {
    require(memory.flags == MemoryType::kHasMaximum);
    require(memory.maximum <= kLimit / kPageSize);
    // A maximum below the minimum is for V8 to refuse.
    sum += std::max(memory.minimum, memory.maximum);
  }
  require(sum <= kLimit / kPageSize);
  require(after.imports.size() == before.imports.size());
  require(after.functions == before.functions);
  require(after.exports.size() == before.exports.size());
  for (size_t i = 0; i < before.exports.size(); ++i) {
    require(after.exports[i].name == before.exports[i].name && after.exports[i].index == before.exports[i].index);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto layout = read_layout(bytes);
  if (!layout) {
    require(!layout.error().message.empty());
    return 0;
  }
  const HostFunction host[] = {{"create_done", {{ValueType::kI64}, {ValueType::kI32}}}};
  if (auto checked = check_abi(*layout, host); !checked) require(!checked.error().message.empty());
  auto capped = cap_memories(bytes, *layout, kLimit);
  if (!capped) {
    require(!capped.error().message.empty());
  } else if (layout->memory_section) {
    check(*layout, *capped);
  }
  return 0;
}
