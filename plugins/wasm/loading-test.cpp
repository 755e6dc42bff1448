// What is loaded as a WASM plug-in, and how files that are none are refused.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "plugins/wasm/wasm-test.h"

using namespace valor::plugins::wasm;
using namespace valor::plugins::wasm::testing;
using valor::engine::testing::TestFolder;

static std::string why(const std::string& bytes, valor::core::Limits limits = {}) {
  return WrittenGuest(bytes, limits).plugin.error;
}

TEST_CASE("files that are no plug-in are refused in words, with the file's name") {
  says(why("export default {}"), "/plugin.wasm: the file is no WebAssembly module");
  says(why(""), "the file is empty");
  says(why(std::string("\0asm\x0d\0\1\0", 8)), "\"type\": \"wasi\"");
  const std::string whole = GuestParts{}.write();
  says(why(whole.substr(0, whole.size() - 3)), "is cut short");
  says(why(ModuleWriter().bytes()), "missing export: memory");
  CHECK(Fixture("/nowhere/x.wasm").error == "/nowhere/x.wasm: cannot be read: No such file or directory");
  TestFolder folder;
  std::filesystem::create_directory(folder.path() + "/folder.wasm");
  says(Fixture(folder.path() + "/folder.wasm").error, "is no file");
}

TEST_CASE("an invalid module is refused with V8's words, and the place in the file") {
  GuestParts parts;
  parts.start = Code().op(0x6a);  // i32.add of nothing
  const std::string bytes = parts.write();
  const std::string error = why(bytes);
  says(error, "the module is invalid: Compiling function");
  const size_t place = std::stoul(error.substr(error.rfind('+') + 1));
  REQUIRE(place < bytes.size());
  CHECK(bytes[place] == '\x6a');
}

TEST_CASE("a module that is too large for its limits is refused") {
  valor::core::Limits limits;
  limits.memory_mb = 8;
  GuestParts parts;
  std::string bytes = parts.write();
  ModuleWriter::append_section(bytes, 0, "\4blob" + std::string(9 << 20, 'x'));
  says(why(bytes, limits), "the file has 9 MiB, more than limits.memory_mb (8) allows");
  CHECK(why(bytes) == "");
  says(why(GuestParts{.memories = {{.minimum = 200}}}.write(), limits), "12.5 MiB of memory, more than its limit");
}

TEST_CASE("a module that is not the one that the definition means is refused, also once it has been compiled") {
  TestFolder folder;
  const std::string bytes = GuestParts{}.write();
  valor::core::Definition definition;
  definition.name = definition.prefix = "test";
  definition.url = folder.write("plugin.wasm", bytes);
  auto integrity_of = [](std::string_view text) {
    const auto algorithm = valor::core::HashAlgorithm::kSha256;
    return valor::core::integrity_text(algorithm, valor::engine::digest(algorithm, text));
  };
  for (const char* path : {"", "plugin.wasm"}) {
    CAPTURE(path);
    definition.integrity = {{path, valor::core::Integrity::parse(integrity_of(bytes)).value()}};
    CHECK(Fixture(definition).error == "");
    definition.integrity = {{path, valor::core::Integrity::parse(integrity_of("other")).value()}};
    says(Fixture(definition).error, "/plugin.wasm: is not the file that \"integrity\" means: expected " +
                                        integrity_of("other") + ", found " + integrity_of(bytes));
  }
}

TEST_CASE("a guest of another version of the ABI is refused") {
  says(why(GuestParts{.abi = 2}.write()), "needs version 2 of the plug-in ABI, and this Valor speaks version 1");
  says(why(GuestParts{.abi = -1}.write()), "needs version 4294967295");
}

TEST_CASE("every function of the host can be imported, with the types of the list") {
  GuestParts parts;
  const std::string error =
      why(GuestParts{.imports = {{"respond", {{}, {}}}, {"fetch", {{}, {}}}, {"random", {{}, {}}}}}.write());
  says(error, "\"valor\".\"respond\" is (), not (i64, i64, i32, i32, i32, i32, i32) -> i32");
  says(error, "\"valor\".\"fetch\" is (), not (i64, i64, i32, i32, i32, i32, i32, i32, i64, i32, i64) -> i64");
  says(error, "\"valor\".\"random\" is (), not (i32, i32) -> i32");
}

TEST_CASE("the kind is known by the end of the name, else by the first bytes") {
  TestFolder folder;
  auto fits = [&](const std::string& name, const std::string& text) {
    valor::core::Definition definition;
    definition.url = folder.write(name, text);
    return WasmKind::fits(definition);
  };
  const std::string module = GuestParts{}.write();
  CHECK(fits("a.wasm", "no module"));
  CHECK(fits("a.WASM", ""));
  CHECK(!fits("a.js", module));
  CHECK(!fits("a.mts", module));
  CHECK(fits("a", module));
  CHECK(fits("a.bin", module));
  CHECK(!fits("b", "onmessage = null"));
  CHECK(!fits("c", ""));
}

TEST_CASE("a module is compiled once for all its instances, and anew when the file has changed") {
  const auto& setting = valor::engine::testing::test_setting();
  WasmKind kind(setting.platform, nullptr);
  TestFolder folder;
  valor::core::Definition definition;
  definition.name = "test";
  definition.url = folder.write("plugin.wasm", GuestParts{}.write());
  {
    FakeHost one(definition);
    FakeHost two(definition);
    CHECK(one.start(kind) == "");
    CHECK(two.start(kind) == "");
    CHECK(kind.compiled_modules() == 1);
  }
  folder.write("plugin.wasm", GuestParts{.allocated = 2048}.write());
  FakeHost three(definition);
  CHECK(three.start(kind) == "");
  CHECK(kind.compiled_modules() == 2);
  for (int i = 1; i < 100; ++i) {
    folder.write("plugin.wasm", GuestParts{.allocated = 8 * i}.write());
    FakeHost host(definition);
    CHECK(host.start(kind) == "");
  }
  CHECK(kind.compiled_modules() == 16);
}

TEST_CASE("the rules of pages are refused, which are for JavaScript") {
  valor::core::Definition definition;
  definition.name = "test";
  definition.url = test_plugin("behaviours");
  definition.fetch = valor::core::FetchRules::kBrowser;
  WasmKind kind(valor::engine::testing::test_setting().platform, nullptr);
  FakeHost host(definition);
  says(host.start(kind), "\"fetch\": \"browser\" is for JavaScript");
}
