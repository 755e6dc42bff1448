#include "plugins/native/native-guest.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "plugins/native/host-table.h"
#include "plugins/native/test-support.h"

using namespace valor::plugins::native;
using namespace valor::plugins::native::testing;
using valor::host::DropReason;

// What raw.c answers for a code of abi/valor.h.
static const std::string kGone = "2";
static const std::string kNoInstance = "4";

TEST_CASE("a second answer, and one to a request that does not exist, come to nothing") {
  Fixture raw(test_plugin("raw"));
  CHECK(raw.text("twice") == "one");
  CHECK(raw.text("no-request") == kGone);
}

TEST_CASE("a body needs a head, and there is one head") {
  Fixture raw(test_plugin("raw"));
  CHECK(raw.text("order") == "0");
  CHECK(raw.text("head-twice") == "fine");
}

TEST_CASE("an answer with headers that are no headers is a 500") {
  Fixture raw(test_plugin("raw"));
  CHECK(raw.host.get("torn-headers").status() == 500);
  CHECK(raw.host.get("huge-headers").status() == 500);
  CHECK(raw.text("twice") == "one");
}

TEST_CASE("calls with the number of no instance are refused") {
  Fixture raw(test_plugin("raw"));
  CHECK(raw.text("no-instance") == kNoInstance);
  CHECK(raw.text("no-instance-far") == kNoInstance);
  CHECK(host_table().log(0, 0, "x", 1) == VALOR_NO_INSTANCE);
  CHECK(host_table().sleep(0, 0, 1) == VALOR_NO_INSTANCE);
}

TEST_CASE("a cancelled operation does not complete") {
  Fixture raw(test_plugin("raw"));
  CHECK(raw.text("cancel-unknown") == kInvalid);
  CHECK(raw.text("cancel") == "0");
}

TEST_CASE("a body is read in pieces as small as the plug-in likes") {
  Fixture raw(test_plugin("raw"));
  FakeCall& call = raw.host.prepare("POST", "small-reads");
  call.with_body = true;
  call.pieces = {"abcdefgh", "i", "jklm"};
  raw.host.send(call);
  REQUIRE(raw.host.wait_for(call));
  CHECK(call.answer == "abcdefghijklm");
}

TEST_CASE("one read of a body at a time") {
  Fixture raw(test_plugin("raw"));
  FakeCall& call = raw.host.prepare("POST", "read-twice-at-once");
  call.with_body = true;
  call.body_ended = false;
  raw.host.send(call);
  REQUIRE(raw.host.wait_for(call));
  CHECK(call.answer == "0");
}

TEST_CASE("a dropped request completes what waits at it, then the plug-in is told why") {
  for (const DropReason reason : {DropReason::kClientGone, DropReason::kTimeout}) {
    Fixture raw(test_plugin("raw"));
    FakeCall& call = raw.host.prepare("POST", "wait-for-drop");
    call.with_body = true;
    call.body_ended = false;
    raw.host.send(call);
    raw.host.drop(call, reason);
    const std::string log = raw.host.look([&] { return raw.host.log_text; });
    const size_t gone = log.find("operation 5 is gone");
    const size_t told = log.find(reason == DropReason::kTimeout ? "dropped: timeout" : "dropped: client gone");
    REQUIRE(gone != std::string::npos);
    REQUIRE(told != std::string::npos);
    CHECK(gone < told);
  }
}

TEST_CASE("threads of a plug-in that go on after their instance has ended do no harm") {
  for (int round = 0; round < 20; ++round) {
    Fixture raw(test_plugin("raw"));
    for (int i = 0; i < 3; ++i) CHECK(raw.text("linger") == "0");
  }
}

TEST_CASE("an exception that crosses the ABI ends the instance, not the process") {
  Fixture thrower(test_plugin("throws-across"));
  REQUIRE(thrower.error == "");
  FakeCall& call = thrower.host.prepare("GET", "");
  thrower.host.send(call);
  REQUIRE(thrower.host.until([&] { return thrower.host.breakdown.has_value(); }));
  CHECK(thrower.host.breakdown->detail.find("exception") != std::string::npos);
}

TEST_CASE("while plug-in code blocks, the turn of its loop is free") {
  Fixture fixture(test_plugin("behaviours"));
  FakeCall& blocked = fixture.host.prepare("GET", "block");
  std::thread sender([&] { fixture.host.send(blocked); });
  REQUIRE(fixture.host.until([&] { return fixture.host.loop().outside_epoch() % 2 == 1; }));
  // Taking the turn must not wait for the plug-in: it does so many times before that is through.
  int looks = 0;
  while (fixture.host.look([&] { return blocked.ending == Ending::kOpen; }) && looks < 5) {
    ++looks;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(looks == 5);
  sender.join();
  REQUIRE(fixture.host.wait_for(blocked));
  CHECK(blocked.answer == "unblocked");
}

TEST_CASE("native code cannot be interrupted, and says so") {
  Fixture fixture(test_plugin("behaviours"));
  CHECK_FALSE(fixture.host.look([&] { return fixture.host.guest().interrupt(); }));
}
