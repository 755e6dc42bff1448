// What the tests of WASM plug-ins share.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "engine/testing/test-addon.h"
#include "host/testing/fake-host.h"
#include "plugins/wasm/testing/module-writer.h"
#include "plugins/wasm/wasm-kind.h"

namespace valor::plugins::wasm::testing {

using host::testing::Ending;
using host::testing::FakeCall;
using host::testing::FakeHost;

/// The path of a module of test-plugins/.
inline std::string test_plugin(const std::string& name) {
  return VALOR_TEST_PLUGINS "/" + name + ".wasm";
}

/// A WASM plug-in in a fake host, without a network.
class Fixture {
 public:
  explicit Fixture(std::string path, std::string config = "null", core::Limits limits = {})
      : Fixture(definition_of(std::move(path), std::move(config), limits)) {}
  explicit Fixture(core::Definition definition)
      : kind(engine::testing::test_setting().platform, nullptr), host(std::move(definition)), error(host.start(kind)) {}

  std::string text(const std::string& url) { return host.get(url).answer; }
  /// Sends a request that the instance does not survive.
  host::Breakdown breaks(const std::string& url) {
    REQUIRE(error == "");
    host.send(host.prepare("GET", url));
    REQUIRE(host.until([&] { return host.breakdown.has_value(); }));
    return *host.breakdown;
  }

  WasmKind kind;
  FakeHost host;
  const std::string error;  ///< why it was not created, or ""

 private:
  static core::Definition definition_of(std::string path, std::string config, core::Limits limits) {
    core::Definition definition;
    definition.name = definition.prefix = "test";
    definition.url = std::move(path);
    definition.config = std::move(config);
    definition.limits = limits;
    return definition;
  }
};

/// A guest that the test has written itself.
class WrittenGuest {
 public:
  explicit WrittenGuest(const std::string& bytes, core::Limits limits = {})
      : plugin(folder_.write("plugin.wasm", bytes), "null", limits) {}

 private:
  engine::testing::TestFolder folder_;

 public:
  Fixture plugin;
};

inline bool says(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  CHECK_MESSAGE(found, "\"" << text << "\" does not say \"" << std::string(part) << "\"");
  return found;
}

}  // namespace valor::plugins::wasm::testing
