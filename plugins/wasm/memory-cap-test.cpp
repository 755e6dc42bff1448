#include "plugins/wasm/memory-cap.h"

#include <doctest/doctest.h>

#include "plugins/wasm/testing/module-writer.h"

using namespace valor::plugins::wasm;
using namespace valor::plugins::wasm::testing;

constexpr uint64_t kMiB = 1 << 20;

static valor::core::Result<std::string> cap(const std::string& bytes, uint64_t limit) {
  auto layout = read_layout(bytes);
  REQUIRE(layout.ok());
  return cap_memories(bytes, *layout, limit);
}

static ModuleLayout capped(GuestParts parts, uint64_t limit) {
  auto result = cap(parts.write(), limit);
  REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error().message));
  auto layout = read_layout(*result);
  REQUIRE(layout.ok());
  return *layout;
}

TEST_CASE("a memory can grow to the limit and no further, or to its own maximum where that is less") {
  CHECK(capped({.memories = {{.minimum = 1}}}, 8 * kMiB).memories[0].maximum == 128);
  CHECK(capped({.memories = {{.flags = 1, .minimum = 1, .maximum = 65536}}}, 8 * kMiB).memories[0].maximum == 128);
  CHECK(capped({.memories = {{.flags = 1, .minimum = 1, .maximum = 5}}}, 8 * kMiB).memories[0].maximum == 5);
  CHECK(capped({.memories = {{.minimum = 128}}}, 8 * kMiB).memories[0].minimum == 128);
  // A 32-bit memory ends at 4 GiB.
  CHECK(capped({.memories = {{.minimum = 1}}}, 65536 * kMiB).memories[0].maximum == 65536);
}

TEST_CASE("several memories share what the limit leaves") {
  const ModuleLayout layout = capped({.memories = {{.minimum = 1}, {.minimum = 2}, {.minimum = 5}}}, 8 * kMiB);
  REQUIRE(layout.memories.size() == 3);
  CHECK(layout.memories[0].maximum == 41);
  CHECK(layout.memories[1].maximum == 42);
  CHECK(layout.memories[2].maximum == 45);
  const ModuleLayout full = capped({.memories = {{.minimum = 64}, {.minimum = 64}}}, 8 * kMiB);
  CHECK(full.memories[0].maximum == 64);
  CHECK(full.memories[1].maximum == 64);
  CHECK(capped({.memories = {{.minimum = 1}, {.flags = 1, .minimum = 1, .maximum = 2}}}, kMiB).memories[1].maximum ==
        2);
}

TEST_CASE("memories that cannot be held to a limit are refused in words") {
  auto why = [](GuestParts parts) {
    auto result = cap(parts.write(), 8 * kMiB);
    return result ? std::string() : result.error().message;
  };
  CHECK(why({.memories = {{.minimum = 129}}}).find("MiB of memory, more than its limit allows (memory_mb: 8)") !=
        std::string::npos);
  CHECK(why({.memories = {{.minimum = 100}, {.minimum = 100}}}).find("12.5 MiB") != std::string::npos);
  CHECK(why({.memories = {{.minimum = uint64_t{1} << 40}}}).find("more than 4 GiB") != std::string::npos);
  CHECK(why({.memories = {{.flags = 3, .minimum = 1, .maximum = 2}}}).find("shared") != std::string::npos);
  CHECK(why({.memories = {{.flags = 4, .minimum = 1}}}).find("64-bit") != std::string::npos);
  ModuleWriter imports;
  imports.import_other("env", "memory", std::string_view("\2\0\1", 3));
  CHECK(cap(imports.bytes(), kMiB).error().message.find("imports its memory (env.memory)") != std::string::npos);
}
