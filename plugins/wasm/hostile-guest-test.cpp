// WASM plug-ins that lie, trap or do not end: each gets an error, and the host goes on.
#include <chrono>
#include <thread>

#include "plugins/wasm/wasm-test.h"

using namespace valor::plugins::wasm::testing;

TEST_CASE("places outside of the memory, other instances and unknown numbers are refused") {
  Fixture plugin(test_plugin("behaviours"));
  REQUIRE(plugin.error == "");
  constexpr const char* kInvalid = "-3";
  for (const char* what : {"log-far", "log-wraps", "log-over-end", "random-far", "config-far", "read-far",
                           "headers-far", "body-far", "log-level", "unknown-operation", "created-again"}) {
    CAPTURE(what);
    CHECK(plugin.text(std::string("refused/") + what) == kInvalid);
  }
  says(plugin.host.log_text, "log(): 16 bytes at 4294967040 are not within the plug-in's memory");
  CHECK(plugin.text("refused/log-up-to-end") == "0");
  CHECK(plugin.text("refused/log-empty-far") == "0");
  CHECK(plugin.text("refused/other-instance") == "-4");
  CHECK(plugin.text("refused/instance-0") == "-4");
  CHECK(plugin.text("refused/unknown-request") == "-2");
  CHECK(plugin.text("refused/clock") == "0");
  CHECK(plugin.text("twice") == "first");
  CHECK(plugin.text("") == "fine");
}

TEST_CASE("a trap breaks the instance, with its message and the stack in the names of the source") {
  const std::pair<const char*, const char*> cases[] = {
      {"trap", "unreachable"}, {"out-of-bounds", "memory access out of bounds"}, {"stack", "Maximum call stack size"}};
  for (const auto& [what, message] : cases) {
    CAPTURE(what);
    Fixture plugin(test_plugin("behaviours"));
    const auto breakdown = plugin.breaks(what);
    says(breakdown.detail, std::string("The plug-in trapped: ") + message);
    says(breakdown.stack, std::string(what) == "stack" ? "at descend (behaviours.wasm:wasm-function["
                                                       : "at misbehave (behaviours.wasm:wasm-function[");
    CHECK(breakdown.limit == "");
    if (std::string(what) == "trap") says(breakdown.detail, "(at boom (behaviours.wasm:wasm-function[");
  }
}

TEST_CASE("places in the stack are those in the file, though the module was rewritten") {
  GuestParts parts;
  parts.start = Code().op(0);
  const std::string bytes = parts.write();
  WrittenGuest guest(bytes);
  const std::string stack = guest.plugin.breaks("").stack;
  const size_t place = std::stoul(stack.substr(stack.find("]:0x") + 4), nullptr, 16);
  REQUIRE(place < bytes.size());
  CHECK(bytes.substr(place, 2) == std::string("\0\x0b", 2));  // unreachable, end
}

TEST_CASE("abort() does not return, and its message is passed on") {
  Fixture plugin(test_plugin("behaviours"));
  const auto breakdown = plugin.breaks("abort");
  CHECK(breakdown.detail == "The plug-in gave up: I cannot go on");
  says(breakdown.stack, "misbehave");
  CHECK(plugin.host.log_text.find("went on") == std::string::npos);
}

TEST_CASE("a guest that catches whatever is thrown does not survive abort()") {
  // try { abort("") } catch_all {}; then log() without end.
  GuestParts parts;
  parts.imports = {{"abort", {{kI64, kI32, kI32}, {kI32}}}, {"log", {{kI64, kI32, kI32, kI32}, {kI32}}}};
  parts.create = Code().op(0x06).op(0x40).local(0).i32(0).i32(0).call(1).op(0x1a).op(0x19).op(0x0b);
  parts.create.op(0x03).op(0x40).local(0).i32(1).i32(0).i32(1).call(2).op(0x1a).index(0x0c, 0).op(0x0b).i32(0);
  WrittenGuest guest(parts.write());
  says(guest.plugin.error, "The plug-in gave up: it did not say why");
}

TEST_CASE("code that does not end is stopped") {
  for (const std::string what : {"loop", "log-for-ever", "sleep-for-ever"}) {
    CAPTURE(what);
    Fixture plugin(test_plugin("behaviours"));
    REQUIRE(plugin.error == "");
    std::thread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      plugin.host.look([&] { return plugin.host.guest().interrupt(); });
    });
    says(plugin.breaks(what).detail, "computed for longer than its limit allows");
    stopper.join();
  }
}

TEST_CASE("a loop whose every step takes long is stopped") {
  // memory.fill of 64 MiB without end.
  GuestParts parts;
  parts.memories = {{.minimum = 1024}};
  parts.start = Code().op(0x03).op(0x40).i32(0).i32(1).i32(64 << 20).op(0xfc).op(11).op(0).index(0x0c, 0).op(0x0b);
  WrittenGuest guest(parts.write());
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    guest.plugin.host.look([&] { return guest.plugin.host.guest().interrupt(); });
  });
  says(guest.plugin.breaks("").detail, "computed for longer than its limit allows");
  stopper.join();
}

TEST_CASE("an exception that nobody catches is a trap, in words") {
  GuestParts parts;
  parts.throws = true;
  parts.start = Code().index(0x08, 0);
  WrittenGuest guest(parts.write());
  says(guest.plugin.breaks("").detail, "The plug-in trapped: an exception that nobody caught");
}

TEST_CASE("what a guest says when it gives up is kept up to a bound") {
  GuestParts parts;
  parts.memories = {{.minimum = 3}};
  parts.imports = {{"abort", {{kI64, kI32, kI32}, {kI32}}}};
  parts.create = Code().local(0).i32(0).i32(100'000).call(1).op(0x1a).i32(0);
  WrittenGuest guest(parts.write());
  says(guest.plugin.error, "... (34464 bytes more)");
  CHECK(guest.plugin.error.size() < 70'000);
}

TEST_CASE("the head of a fetch has a bound") {
  GuestParts parts;
  parts.memories = {{.minimum = 3}};
  parts.imports = {{"fetch", {{kI64, kI64, kI32, kI32, kI32, kI32, kI32, kI32, kI64, kI32, kI64}, {kI64}}}};
  parts.create = Code().local(0).i64(0).i32(0).i32(3).i32(0).i32(65536).i32(0).i32(65534).i64(0).i32(0).i64(1);
  parts.create.call(1).op(0x1a).i32(0);
  WrittenGuest guest(parts.write());
  CHECK(guest.plugin.error == "");
  says(guest.plugin.host.log_text, "fetch(): method, URL and headers together may have 131072 bytes, not 131073");
}

TEST_CASE("memory that runs out is the guest's own matter, and ends in its trap") {
  valor::core::Limits limits;
  limits.memory_mb = 8;
  Fixture plugin(test_plugin("behaviours"), "null", limits);
  says(plugin.breaks("hoard").detail, "The plug-in trapped: unreachable (at boom");
}

TEST_CASE("several memories cannot grow beyond the limit together") {
  // memory.grow 1 by more than its share, which fails; then by its share, which is left to it. Traps otherwise.
  GuestParts parts;
  parts.memories = {{.minimum = 64}, {.minimum = 2}};
  parts.start = Code().i32(32).index(0x40, 1).i32(-1).op(0x47).op(0x04).op(0x40).op(0).op(0x0b);
  parts.start.i32(31).index(0x40, 1).i32(2).op(0x47).op(0x04).op(0x40).op(0).op(0x0b);
  valor::core::Limits limits;
  limits.memory_mb = 8;
  WrittenGuest guest(parts.write(), limits);
  REQUIRE(guest.plugin.error == "");
  guest.plugin.host.send(guest.plugin.host.prepare("GET", ""));
  CHECK(guest.plugin.host.look([&] { return !guest.plugin.host.breakdown; }));
  // It has all of it now.
  CHECK(guest.plugin.breaks("").detail.find("unreachable") != std::string::npos);
}

TEST_CASE("a guest that lies about the memory that it gives is found out, or harms nobody but itself") {
  const std::pair<const char*, const char*> found[] = {{"zero", "has no memory left: valor_alloc(2048) returned 0"},
                                                       {"far", "returned 4294967288, which is not within its memory"},
                                                       {"end", "which is not within its memory"},
                                                       {"odd", "which is not aligned to 8 bytes"},
                                                       {"trap", "The plug-in trapped: unreachable"},
                                                       {"abort", "The plug-in gave up: no memory"}};
  for (const auto& [mode, message] : found) {
    CAPTURE(mode);
    Fixture plugin(test_plugin("liar"), "\"" + std::string(mode) + "\"");
    REQUIRE(plugin.error == "");
    says(plugin.breaks("").detail, message);
  }
  for (const std::string mode : {"grows", "start", "free-traps", ""}) {
    CAPTURE(mode);
    Fixture plugin(test_plugin("liar"), "\"" + mode + "\"");
    CHECK(plugin.text("") == "1");
    CHECK(plugin.text("") == "1");
    if (mode == "free-traps") {
      says(plugin.breaks(std::string(5000, 'x')).detail, "unreachable");
    } else if (mode != "start") {
      CHECK(plugin.text(std::string(5000, 'x')) == "2");
    }
  }
}

TEST_CASE("what goes wrong at creation is told in words") {
  auto error_of = [](const std::string& name, const std::string& config) {
    return Fixture(test_plugin(name), config).error;
  };
  auto with = [&](const std::string& deed) { return error_of("behaviours", "\"" + deed + "\""); };
  CHECK(with("fails") == "the config is wrong");
  says(with("trap"), "The plug-in trapped: unreachable (at boom");
  says(with("abort"), "The plug-in gave up: I cannot go on");
  says(with("stack"), "Maximum call stack size");
  says(error_of("initialise-traps", "null"), "The plug-in trapped: unreachable");
}
