// Instances that cannot go on: nothing of them is called any more, and nothing that they call does anything.
#include <doctest/doctest.h>

#include "plugins/native/test-support.h"

using namespace valor::plugins::native;
using namespace valor::plugins::native::testing;

namespace {

const std::string kPlugin = test_plugin("giving-up");
// Calls after the end: none; abort(): VALOR_OK; all else: VALOR_NO_INSTANCE.
const std::string kNoticed = "004444444";

/// The instance under test, and a sibling that tells what it noticed.
struct Pair {
  NativeKind kind{nullptr};
  FakeHost host{definition_of(kPlugin)};
  FakeHost sibling{definition_of(kPlugin)};
  Pair() {
    REQUIRE(host.start(kind) == "");
    REQUIRE(sibling.start(kind) == "");
  }
  std::string noticed() { return sibling.get("tell").answer; }
};

}  // namespace

TEST_CASE("after abort() in a request nothing is called any more, and nothing that is called does anything") {
  Pair pair;
  FakeCall& call = pair.host.prepare("GET", "abort");
  pair.host.send(call);
  REQUIRE(pair.host.until([&] { return pair.host.breakdown.has_value(); }));
  CHECK(pair.host.breakdown->detail == "The plug-in gave up: it is over");
  CHECK(pair.host.log_text.find("unheard") == std::string::npos);
  // Whoever hears of the breakdown logs it, once.
  CHECK(pair.host.log_text.find("gave up") == std::string::npos);
  CHECK(call.ending == Ending::kOpen);
  pair.host.send(pair.host.prepare("GET", "tell"));
  pair.host.drop(call);
  pair.host.destroy();
  CHECK(pair.noticed() == kNoticed);
}

TEST_CASE("after abort() on another thread nothing is called any more") {
  Pair pair;
  FakeCall& call = pair.host.prepare("GET", "elsewhere");
  pair.host.send(call);
  REQUIRE(pair.host.until([&] { return pair.host.breakdown.has_value(); }));
  // It has ended between two looks of the host: what comes now is not the guest's.
  pair.host.send(pair.host.prepare("GET", "tell"));
  pair.host.drop(call);
  std::string noticed;
  REQUIRE(pair.host.until([&] { return (noticed += pair.noticed().substr(1)).size() == kNoticed.size() - 1; }));
  CHECK(noticed == kNoticed.substr(1));
  pair.host.destroy();
  CHECK(pair.noticed() == "0");
}

TEST_CASE("abort() while it is created ends the creation") {
  Pair pair;
  FakeHost unborn(definition_of(kPlugin, "\"abort\""));
  CHECK(unborn.start(pair.kind) == "The plug-in gave up: it is over");
  unborn.destroy();
  CHECK(pair.noticed() == kNoticed);
}

TEST_CASE("code that is left behind hears so from the next function that it calls") {
  Pair pair;
  FakeCall& call = pair.host.prepare("GET", "for-log");
  std::thread sending([&] { pair.host.send(call); });
  REQUIRE(pair.host.until([&] { return pair.host.log_text.find("and on") != std::string::npos; }));
  pair.host.look([&] { CHECK_FALSE(pair.host.guest().interrupt()); });
  sending.join();
  pair.host.destroy();
  // It noted that its loop has ended. destroy() was called, in order.
  CHECK(pair.noticed() == "00");
}
