#include "core/registry.h"

#include <doctest/doctest.h>

using namespace valor::core;

namespace {

Definition make(std::string name, std::string prefix, std::string url = "x.js") {
  Definition definition;
  definition.name = std::move(name);
  definition.prefix = std::move(prefix);
  definition.url = std::move(url);
  return definition;
}

uint64_t version(const Registry::Answer& answer) {
  REQUIRE(answer.index() == 0);
  return std::get<0>(answer);
}

RegistryFailure::Reason reason(const Registry::Answer& answer) {
  REQUIRE(answer.index() == 1);
  CHECK_FALSE(std::get<1>(answer).message.empty());
  return std::get<1>(answer).reason;
}

using Reason = RegistryFailure::Reason;

}  // namespace

TEST_CASE("plug-ins are added, found and listed by name") {
  Registry registry;
  CHECK(version(registry.add(make("b", "one"))) == 1);
  CHECK(version(registry.add(make("a", "two"))) == 1);
  CHECK(registry.size() == 2);
  CHECK(registry.find("b")->definition.prefix == "one");
  CHECK(registry.find("one") == nullptr);
  REQUIRE(registry.list().size() == 2);
  CHECK(registry.list()[0]->definition.name == "a");
}

TEST_CASE("a taken name or mount is refused and changes nothing") {
  Registry registry;
  version(registry.add(make("a", "one")));
  CHECK(reason(registry.add(make("a", "two"))) == Reason::kNameTaken);
  CHECK(reason(registry.add(make("b", "one"))) == Reason::kMountTaken);
  CHECK(registry.size() == 1);
  CHECK(!registry.check_add(make("b", "two")));
}

TEST_CASE("replacing counts versions and may move the mount") {
  Registry registry;
  version(registry.add(make("a", "one")));
  version(registry.add(make("b", "two")));
  CHECK(version(registry.replace(make("a", "one", "new.js"))) == 2);
  CHECK(registry.find("a")->definition.url == "new.js");
  CHECK(registry.find("a")->version == 2);
  CHECK(reason(registry.replace(make("a", "two"))) == Reason::kMountTaken);
  CHECK(reason(registry.replace(make("c", "three"))) == Reason::kNotFound);
  CHECK(version(registry.replace(make("a", "three"))) == 3);
  CHECK(version(registry.add(make("c", "one"))) == 1);
  CHECK(registry.check_replace(make("a", "one"))->reason == Reason::kMountTaken);
}

TEST_CASE("removing frees name and mount; versions go on") {
  Registry registry;
  version(registry.add(make("a", "one")));
  version(registry.replace(make("a", "one")));
  CHECK(registry.remove("a"));
  CHECK_FALSE(registry.remove("a"));
  CHECK(registry.size() == 0);
  CHECK(version(registry.add(make("b", "one"))) == 1);
  CHECK(version(registry.add(make("a", "two"))) == 3);
  CHECK(registry.remove("a"));
  CHECK(version(registry.add(make("a", "two"))) == 4);
}

TEST_CASE("no version is used twice, however many names come and go") {
  Registry registry;
  version(registry.add(make("old", "old")));
  for (int count = 0; count < 9; ++count) version(registry.replace(make("old", "old")));
  registry.remove("old");
  for (int count = 0; count < 10'000; ++count) {
    std::string name = "n" + std::to_string(count);
    version(registry.add(make(name, name)));
    registry.remove(name);
  }
  CHECK(version(registry.add(make("old", "old"))) > 10);
}
