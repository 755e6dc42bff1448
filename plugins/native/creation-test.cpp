#include <doctest/doctest.h>

#include "plugins/native/test-support.h"

using namespace valor::plugins::native::testing;

TEST_CASE("on_create runs before the first request and keeps state for it") {
  Fixture now(test_plugin("creation"), "\"now\"");
  CHECK(now.error == "");
  CHECK(now.text("") == "created: now");
  Fixture later(test_plugin("creation"), "\"later\"");
  CHECK(later.error == "");
  CHECK(later.text("") == "created: later");
}

TEST_CASE("an instance whose on_create fails or throws is not created, and the operator reads why") {
  CHECK(Fixture(test_plugin("creation"), "\"fail\"").error == "the config says fail");
  CHECK(Fixture(test_plugin("creation"), "\"fail later\"").error == "failed after a while");
  CHECK(Fixture(test_plugin("creation"), "\"throw\"").error == "uncaught exception: thrown in on_create");
}

TEST_CASE("an instance that is never created can be destroyed") {
  valor::plugins::native::NativeKind kind{nullptr};
  FakeHost host(definition_of(test_plugin("creation"), "\"never\""));
  host.run([&] {
    auto guest = kind.create(host);
    guest->start();
  });
}

TEST_CASE("a missing library fails the start and names the file") {
  CHECK(Fixture("/nowhere/plugin.so").error.find("/nowhere/plugin.so") != std::string::npos);
}

TEST_CASE("creation happens once") {
  CHECK(Fixture(test_plugin("raw")).text("created-again") == "3");
}
