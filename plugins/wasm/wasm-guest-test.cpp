// WASM plug-ins that behave: what the ABI promises them.
#include "plugins/wasm/wasm-test.h"

using namespace valor::plugins::wasm::testing;
using valor::host::DropReason;

TEST_CASE("a guest answers requests, with its name, config and location") {
  Fixture plugin(test_plugin("behaviours"), R"({"a":1})");
  REQUIRE(plugin.error == "");
  CHECK(plugin.text("") == "fine");
  CHECK(plugin.text("words") == R"(test {"a":1} http://127.0.0.1:8080/test/)");
  CHECK(plugin.text("now") == "1");
  CHECK(plugin.text("random") == "1");
  CHECK(plugin.text("sleep/1") == "slept");
  CHECK(plugin.host.get("fail").status() == 500);
  says(plugin.host.log_text, "it did not work");
}

TEST_CASE("state belongs to the instance") {
  Fixture one(test_plugin("behaviours"));
  Fixture other(test_plugin("behaviours"));
  CHECK(one.text("state") == "1");
  CHECK(one.text("state") == "2");
  CHECK(other.text("state") == "1");
}

TEST_CASE("a body streams through, and the slower side sets the pace") {
  Fixture plugin(test_plugin("behaviours"));
  FakeCall& call = plugin.host.prepare("POST", "echo");
  call.with_body = true;
  call.body_ended = false;
  call.window = 100'000;
  plugin.host.send(call);
  std::string sent;
  for (int i = 0; i < 10; ++i) {
    const std::string piece(30'000, static_cast<char>('a' + i));
    sent += piece;
    plugin.host.body(call, piece, i == 9);
  }
  CHECK(plugin.host.look([&] { return call.written; }) < 200'000);
  plugin.host.allow(call, 1'000'000);
  REQUIRE(plugin.host.wait_for(call));
  CHECK(call.ending == Ending::kFinished);
  CHECK(call.answer == sent);
}

TEST_CASE("a client that leaves ends what waits, and the guest is told why") {
  Fixture plugin(test_plugin("behaviours"));
  FakeCall& endless = plugin.host.prepare("GET", "endless");
  endless.keep_answer = false;
  endless.window = 50'000;
  plugin.host.send(endless);
  plugin.host.drop(endless);
  CHECK(plugin.text("dropped") == "10");
  FakeCall& never = plugin.host.prepare("GET", "never");
  plugin.host.send(never);
  plugin.host.drop(never, DropReason::kTimeout);
  CHECK(plugin.text("dropped") == "21");
}

TEST_CASE("heads of any size reach the guest") {
  Fixture plugin(test_plugin("behaviours"));
  for (const size_t size : {2000, 2100, 60'000, 70'000, 1'000'000}) {
    CAPTURE(size);
    CHECK(plugin.text("x" + std::string(size, 'y')) != "");
  }
  CHECK(plugin.text("") == "fine");
}

TEST_CASE("memory is counted in pages up to the limit, exactly") {
  valor::core::Limits limits;
  limits.memory_mb = 9;
  Fixture plugin(test_plugin("behaviours"), "null", limits);
  CHECK(plugin.text("grow") == "144");
  CHECK(plugin.text("grow") == "144");
  CHECK(plugin.text("echo-after") == "fine");
  Fixture other(test_plugin("behaviours"));
  CHECK(other.text("grow") == "2048");
}

TEST_CASE("valor_destroy() is the last that the guest does, and it is stopped when it does not end") {
  {
    Fixture plugin(test_plugin("behaviours"));
    plugin.host.destroy();
    says(plugin.host.log_text, "destroyed");
  }
  Fixture loops(test_plugin("behaviours"), R"("loops-at-end")");
  loops.host.destroy();
  says(loops.host.log_text, "took longer than a second");
}

TEST_CASE("a start function may call the host, but has no memory to show yet") {
  GuestParts parts;
  parts.imports = {{"log", {{kI64, kI32, kI32, kI32}, {kI32}}}, {"now", {{kI32}, {kI64}}}};
  parts.starts = true;
  parts.at_start = Code().i32(0).call(2).op(0x1a).i64(0).i32(1).i32(0).i32(4).call(1).op(0x1a);
  WrittenGuest guest(parts.write());
  CHECK(guest.plugin.error == "");
  says(guest.plugin.host.log_text, "log(): 4 bytes at 0 are not within the plug-in's memory, which has 0");
}
