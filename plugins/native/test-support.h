// What the tests of native plug-ins share.
#pragma once

#include <string>

#include "core/definition.h"
#include "host/testing/fake-host.h"
#include "plugins/native/native-kind.h"

namespace valor::plugins::native::testing {

using host::testing::Ending;
using host::testing::FakeCall;
using host::testing::FakeHost;

/// What the plug-ins in C of test-plugins/ answer for VALOR_INVALID.
inline const std::string kInvalid = "3";

/// The path of a library of test-plugins/.
inline std::string test_plugin(const std::string& name) {
  return VALOR_TEST_PLUGINS "/" + name + ".so";
}

inline core::Definition definition_of(std::string path, std::string config = "null") {
  core::Definition definition;
  definition.type = core::PluginType::kNative;
  definition.name = "test";
  definition.prefix = "test";
  definition.path = std::move(path);
  definition.config = std::move(config);
  return definition;
}

/// A native plug-in in a fake host.
class Fixture {
 public:
  explicit Fixture(std::string path, std::string config = "null")
      : host(definition_of(std::move(path), std::move(config))), error(host.start(kind)) {}

  std::string text(const std::string& url) { return host.get(url).answer; }

  NativeKind kind{nullptr};
  FakeHost host;
  const std::string error;  ///< why it was not created, or ""
};

}  // namespace valor::plugins::native::testing
