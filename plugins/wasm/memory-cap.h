// The memories of a module are held to a limit by rewriting what the module declares: V8 then refuses memory.grow
// beyond it by itself, at no cost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "plugins/wasm/module-layout.h"

namespace valor::plugins::wasm {

constexpr uint64_t kPageSize = 65536;

struct CappedModule {
  std::string bytes;
  /// Under which names the module exports its memories, in their order. Those that it kept to itself are exported under
  /// names of our own, so that they can be counted.
  std::vector<std::string> memory_exports;
};

/// `layout` is that of `bytes`, and has an export section. No memory can grow beyond `limit_bytes` (whole pages of it).
/// Fails with a sentence when a module needs more from the start, or has memories that cannot be limited: imported,
/// shared or 64-bit ones.
core::Result<CappedModule> cap_memories(std::string_view bytes, const ModuleLayout& layout, uint64_t limit_bytes);

}  // namespace valor::plugins::wasm
