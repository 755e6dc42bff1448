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

TEST_CASE("a plug-in whose WASM build is not as it should be is not created, and the operator reads why") {
  using valor::core::Definition;
  valor::plugins::native::NativeKind kind(nullptr, [](const Definition& definition) -> valor::core::Status {
    if (definition.web == "good.wasm") return valor::core::Nothing{};
    return valor::core::Error{definition.web + " is not there"};
  });
  auto why = [&](const char* web) {
    Definition definition = definition_of(test_plugin("creation"), "\"now\"");
    definition.web = web;
    return FakeHost(definition).start(kind);
  };
  CHECK(why("") == "");
  CHECK(why("good.wasm") == "");
  CHECK(why("bad.wasm") == "bad.wasm is not there");
}

TEST_CASE("creation happens once") {
  CHECK(Fixture(test_plugin("raw")).text("created-again") == "3");
}
