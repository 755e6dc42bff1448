#include "plugins/wasm/module-layout.h"

#include <doctest/doctest.h>

#include "plugins/wasm/testing/module-writer.h"

using namespace valor::plugins::wasm;
using namespace valor::plugins::wasm::testing;

static std::string refusal(std::string_view bytes) {
  auto layout = read_layout(bytes);
  return layout ? "" : layout.error().message;
}

TEST_CASE("imports, exports and memories are found, with the types of functions") {
  ModuleWriter writer;
  writer.import_function("valor", "log", {{kI64, kI32}, {kI32}});
  writer.import_other("env", "table", std::string_view("\1\x70\0\1", 4));
  writer.function({{kI32}, {ValueType::kF64}}, Code().op(0), "f");
  writer.memory({.flags = MemoryType::kHasMaximum, .minimum = 2, .maximum = 300});
  writer.add_export("memory", ExternalKind::kMemory, 0);
  auto layout = read_layout(writer.bytes());
  REQUIRE(layout.ok());
  REQUIRE(layout->imports.size() == 2);
  CHECK(layout->imports[0].name == "log");
  CHECK(to_string(*layout->signature_of_type(layout->imports[0].type)) == "(i64, i32) -> i32");
  CHECK(layout->imports[1].kind == ExternalKind::kTable);
  const Export* f = layout->find_export("f");
  REQUIRE(f != nullptr);
  CHECK(to_string(*layout->signature_of_function(f->index)) == "(i32) -> f64");
  REQUIRE(layout->memories.size() == 1);
  CHECK(layout->memories[0].minimum == 2);
  CHECK(layout->memories[0].maximum == 300);
}

TEST_CASE("what is no module is named") {
  CHECK(refusal("") == "the file is empty");
  CHECK(refusal(std::string_view("\0as", 3)) == "the file is cut short");
  CHECK(refusal("export default {}").find("no WebAssembly module") != std::string::npos);
  CHECK(refusal(std::string_view("\0asm\x0d\0\1\0", 8)).find("\"type\": \"wasi\"") != std::string::npos);
  CHECK(refusal(std::string_view("\0asm\2\0\0\0", 8)).find("another version") != std::string::npos);
}

TEST_CASE("a module that is cut anywhere is refused, or has lost whole sections") {
  const std::string whole = GuestParts{}.write();
  REQUIRE(refusal(whole).empty());
  for (size_t size = 0; size < whole.size(); ++size) {
    auto layout = read_layout(std::string_view(whole).substr(0, size));
    if (layout) CHECK(layout->exports.size() <= 9);
  }
}

TEST_CASE("counts and sizes that cannot be are refused") {
  for (const uint8_t id : {1, 2, 3, 5, 7}) {
    CAPTURE(id);
    std::string bytes("\0asm\1\0\0\0", 8);
    ModuleWriter::append_section(bytes, id, "\xff\xff\xff\xff\x0f");
    CHECK(refusal(bytes).find("is invalid") != std::string::npos);
    std::string trailing("\0asm\1\0\0\0", 8);
    ModuleWriter::append_section(trailing, id, std::string("\0more", 5));
    CHECK(refusal(trailing).find("is invalid") != std::string::npos);
  }
}

TEST_CASE("a section that comes twice or out of order is refused") {
  for (const auto& [first, second] : {std::pair(5, 5), std::pair(7, 5), std::pair(3, 2)}) {
    std::string bytes("\0asm\1\0\0\0", 8);
    ModuleWriter::append_section(bytes, static_cast<uint8_t>(first), std::string(1, '\0'));
    ModuleWriter::append_section(bytes, static_cast<uint8_t>(second), std::string(1, '\0'));
    CHECK(refusal(bytes) == "the section at byte 11 is out of order");
  }
}

TEST_CASE("types of garbage-collected objects and references are passed over") {
  std::string content("\4\x4e\2\x5f\2\x7f\1\x63\0\0\x50\1\0\x5f\1\x78\1\x5e\x77\1\x60\1\x64\x70\1\x7e\x60\0\0", 29);
  std::string bytes("\0asm\1\0\0\0", 8);
  ModuleWriter::append_section(bytes, 1, content);
  auto layout = read_layout(bytes);
  REQUIRE_MESSAGE(layout.ok(), refusal(bytes));
  REQUIRE(layout->types.size() == 5);
  CHECK(!layout->types[0]);
  CHECK(!layout->types[2]);
  REQUIRE(layout->types[3]);
  CHECK(to_string(*layout->types[3]) == "(ref) -> i64");
}
