#include "plugins/wasm/abi-check.h"

#include <doctest/doctest.h>

#include "plugins/wasm/testing/module-writer.h"
#include "plugins/wasm/wasm-test.h"

using namespace valor::plugins::wasm;
using namespace valor::plugins::wasm::testing;

static std::string complaint(const std::string& bytes) {
  static const HostFunction host[] = {{"create_done", {{kI64}, {kI32}}}, {"now", {{kI32}, {kI64}}}};
  auto layout = read_layout(bytes);
  REQUIRE(layout.ok());
  auto checked = check_abi(*layout, host);
  return checked ? "" : checked.error().message;
}

TEST_CASE("a guest of the ABI passes") {
  CHECK(complaint(GuestParts{}.write()) == "");
  CHECK(complaint(GuestParts{.imports = {{"now", {{kI32}, {kI64}}}}}.write()) == "");
}

TEST_CASE("every missing and every wrong export is listed") {
  for (const std::string name : {"memory", "valor_abi", "valor_alloc", "valor_free", "valor_create", "valor_start",
                                 "valor_complete", "valor_drop", "valor_destroy"}) {
    const std::string text = complaint(GuestParts{.without = name}.write());
    says(text, "missing export: " + name);
    CHECK(text.find("missing export") == text.rfind("missing export"));
  }
  ModuleWriter writer;
  writer.function({{kI64}, {}}, {}, "valor_abi");
  writer.function({{}, {}}, {}, "memory");
  const std::string text = complaint(writer.bytes());
  says(text, "export valor_abi is (i64), not () -> i32");
  says(text, "export memory is a function, not a memory");
  says(text, "missing export: valor_start(i32, i64, i32, i32)");
}

TEST_CASE("functions that this host does not have come from a newer Valor") {
  const std::string text = complaint(GuestParts{.imports = {{"teleport", {{kI64}, {}}}}}.write());
  says(text, "unknown import: function \"valor\".\"teleport\", which this Valor does not have");
  says(text, "compiled for a newer Valor");
  says(complaint(GuestParts{.imports = {{"now", {{kI64}, {kI64}}}}}.write()),
       "import \"valor\".\"now\" is (i64) -> i64, not (i32) -> i64");
}

TEST_CASE("a module of another kind is told which") {
  ModuleWriter wasi;
  wasi.import_function("wasi_snapshot_preview1", "fd_write", {{kI32, kI32, kI32, kI32}, {kI32}});
  wasi.function({}, {}, "_start");
  says(complaint(wasi.bytes()), "\"type\": \"wasi\" is the kind");

  ModuleWriter bindgen;
  bindgen.import_function("wbg", "__wbg_log_1", {{kI32}, {}});
  bindgen.function({}, {}, "__wbindgen_malloc");
  says(complaint(bindgen.bytes()), "--target web");
  ModuleWriter bundler;
  bundler.import_function("./x_bg.js", "f", {{kI32}, {}});
  says(complaint(bundler.bytes()), "--target web");

  ModuleWriter undefined;
  undefined.import_function("env", "printf", {{kI32}, {}});
  const std::string text = complaint(undefined.bytes());
  says(text, "unknown import: function \"env\".\"printf\"");
  says(text, "that the linker did not find");
  says(complaint(ModuleWriter().bytes()), "docs/plugins-wasm.md");
}

TEST_CASE("a list without end is cut, and names cannot break lines") {
  ModuleWriter writer;
  for (int i = 0; i < 100; ++i) writer.import_function("x\n", std::string(1000, 'n'), {});
  const std::string text = complaint(writer.bytes());
  says(text, "and 80 more");
  says(text, "\"x\\n\"");
  CHECK(text.size() < 5000);
}
