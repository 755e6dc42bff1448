#include "plugins/wasm/memory-cap.h"

#include <algorithm>

#include "plugins/wasm/byte-reader.h"

namespace valor::plugins::wasm {

namespace {

// A 32-bit memory has at most 4 GiB.
constexpr uint64_t kMostPages = 65536;

std::string mebibytes(uint64_t pages) {
  const uint64_t tenths = pages * 10 / 16;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " MiB";
}

core::Status check(const ModuleLayout& layout, uint64_t limit_pages) {
  for (const Import& import : layout.imports) {
    if (import.kind != ExternalKind::kMemory) continue;
    return core::Error{"it imports its memory (" + import.module + "." + import.name +
                       "), and must define and export it: link without --import-memory"};
  }
  uint64_t sum = 0;
  for (const MemoryType& memory : layout.memories) {
    if ((memory.flags & MemoryType::kShared) != 0) {
      return core::Error{
          "its memory is shared, for threads, which plug-ins do not have: compile without -pthread, "
          "-matomics and --shared-memory"};
    }
    if ((memory.flags & MemoryType::k64Bit) != 0) {
      return core::Error{"its memory has 64-bit addresses, and the plug-in ABI has 32-bit ones: compile for wasm32"};
    }
    if (memory.minimum > kMostPages) {
      return core::Error{"it begins with a memory of more than 4 GiB, which a 32-bit one cannot have"};
    }
    sum += memory.minimum;
  }
  if (sum > limit_pages) {
    return core::Error{"it begins with " + mebibytes(sum) +
                       " of memory, more than its limit allows (memory_mb: " + std::to_string(limit_pages / 16) +
                       "): raise limits.memory_mb, or link with a smaller --initial-memory"};
  }
  return core::Nothing{};
}

void append_section(std::string& out, char id, const std::string& content) {
  out += id;
  append_leb(out, content.size());
  out += content;
}

std::string memory_section(const ModuleLayout& layout, uint64_t limit_pages) {
  std::string content;
  append_leb(content, layout.memories.size());
  uint64_t spare = limit_pages;
  for (const MemoryType& memory : layout.memories) spare -= memory.minimum;
  for (const MemoryType& memory : layout.memories) {
    uint64_t maximum = std::min(memory.minimum + spare / layout.memories.size(), kMostPages);
    if ((memory.flags & MemoryType::kHasMaximum) != 0) maximum = std::min(maximum, memory.maximum);
    content += static_cast<char>(MemoryType::kHasMaximum);
    append_leb(content, memory.minimum);
    append_leb(content, maximum);
  }
  return content;
}

}  // namespace

core::Result<std::string> cap_memories(std::string_view bytes, const ModuleLayout& layout, uint64_t limit_bytes) {
  const uint64_t limit_pages = limit_bytes / kPageSize;
  if (const core::Status checked = check(layout, limit_pages); !checked) return checked.error();
  if (!layout.memory_section) return std::string(bytes);
  const Section& memory = *layout.memory_section;
  std::string out;
  out.reserve(bytes.size() + 64);
  out += bytes.substr(0, memory.start);
  append_section(out, bytes[memory.start], memory_section(layout, limit_pages));
  out += bytes.substr(memory.end);
  return out;
}

}  // namespace valor::plugins::wasm
