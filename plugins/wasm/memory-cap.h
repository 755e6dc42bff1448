// The memories of a module are held to a limit by rewriting what the module declares: V8 then refuses memory.grow
// beyond it by itself, at no cost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "plugins/wasm/module-layout.h"

namespace valor::plugins::wasm {

constexpr uint64_t kPageSize = 65536;

/// `layout` is that of `bytes`. The memory cannot grow beyond `limit_bytes` (whole pages of it). Several memories share
/// what is left of them beyond what they begin with, each the same.
/// Fails with a sentence when a module needs more from the start, or has memories that cannot be limited: imported,
/// shared or 64-bit ones.
core::Result<std::string> cap_memories(std::string_view bytes, const ModuleLayout& layout, uint64_t limit_bytes);

}  // namespace valor::plugins::wasm
