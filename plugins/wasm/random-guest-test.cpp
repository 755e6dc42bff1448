// Modules that nobody would write: whatever calls of the host they make, with whatever arguments, the host stays as it
// was. Random, the same in every run; VALOR_RANDOM_SEED and VALOR_RANDOM_ROUNDS make other ones.
#include <cstdlib>
#include <random>
#include <thread>

#include "plugins/wasm/host-imports.h"
#include "plugins/wasm/wasm-test.h"

using namespace valor::plugins::wasm;
using namespace valor::plugins::wasm::testing;

namespace {

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint32_t below(uint32_t end) { return static_cast<uint32_t>(engine_() % end); }
  bool one_in(uint32_t count) { return below(count) == 0; }

  int32_t number() {
    static constexpr int32_t kEdges[] = {0,       1,   2,   3,   4,      7,      8,         16,
                                         200,     404, 599, 600, 0x1000, 0xfff8, 0x10000,   0x10001,
                                         0x1ffff, -1,  -2,  -8,  -256,   -65536, INT32_MAX, INT32_MIN};
    return one_in(3) ? static_cast<int32_t>(engine_()) : kEdges[below(std::size(kEdges))];
  }
  int64_t wide_number() {
    static constexpr int64_t kEdges[] = {0, 1, 2, 3, 10, 100, -1, -2, INT64_MAX, INT64_MIN, int64_t{1} << 32};
    return one_in(3) ? static_cast<int64_t>(engine_()) : kEdges[below(std::size(kEdges))];
  }

 private:
  std::mt19937_64 engine_;
};

constexpr uint8_t kDrop = 0x1a;
constexpr uint32_t kInstanceAt = 8;  // where the guest keeps its instance's number

/// Writes the bodies of a guest's functions.
class GuestWriter {
 public:
  explicit GuestWriter(Random& random) : random_(random) {
    for (const HostFunction& function : host_functions()) {
      if (function.name != "create_done") parts.imports.emplace_back(std::string(function.name), function.signature);
    }
    parts.allocated = random.one_in(4) ? random.number() : 1024;
    parts.memories[0] = {
        .flags = static_cast<uint8_t>(random.below(2)), .minimum = 1 + random.below(3), .maximum = 200};
    while (random.one_in(4)) parts.memories.push_back({.minimum = random.below(3)});
    parts.create = store_instance();
    parts.create.bytes += body(random.below(4), std::nullopt).bytes;
    parts.create.i32(random.number());
    parts.start = body(1 + random.below(12), 1);
    parts.complete = body(random.below(6), std::nullopt);
    parts.drop = body(random.below(4), 1);
    parts.destroy = body(random.below(4), std::nullopt);
    if (random.one_in(4)) {
      parts.starts = true;
      parts.at_start = body(random.below(4), std::nullopt);
    }
  }

  GuestParts parts;

 private:
  // memory[kInstanceAt] = local 0
  static Code store_instance() { return Code().i32(kInstanceAt).local(0).op(0x37).op(3).op(0); }

  Code body(uint32_t steps, std::optional<uint32_t> request) {
    Code code;
    for (; steps > 0; --steps) step(code, request);
    return code;
  }

  void step(Code& code, std::optional<uint32_t> request) {
    switch (random_.below(16)) {
      case 0:  // memory.grow
        code.i32(static_cast<int32_t>(random_.below(40)))
            .index(0x40, random_.below(static_cast<uint32_t>(parts.memories.size())))
            .op(kDrop);
        return;
      case 1:  // memory.fill
        code.i32(random_.number()).i32(random_.number()).i32(static_cast<int32_t>(random_.below(64)));
        code.op(0xfc).op(11).op(0);
        return;
      case 2:
        if (random_.one_in(8)) code.op(0);  // unreachable
        return;
      default:
        return call(code, request);
    }
  }

  void call(Code& code, std::optional<uint32_t> request) {
    const uint32_t index = random_.below(static_cast<uint32_t>(parts.imports.size()));
    const auto& [name, signature] = parts.imports[index];
    if (name == "abort" && !random_.one_in(8)) return;
    uint32_t wide = 0;
    for (const ValueType type : signature.parameters) {
      if (type == kI32) {
        code.i32(random_.number());
      } else if (wide++ == 0 && !random_.one_in(8)) {
        code.i32(kInstanceAt).op(0x29).op(3).op(0);  // i64.load
      } else if (wide == 2 && request && !random_.one_in(4)) {
        code.local(*request);
      } else {
        code.i64(random_.wide_number());
      }
    }
    code.call(1 + index).op(kDrop);
  }

  Random& random_;
};

// Uses what the module is: requests with and without bodies, clients that leave, and the end.
void use(Fixture& plugin, Random& random) {
  FakeHost& host = plugin.host;
  auto alive = [&] { return host.look([&] { return !host.breakdown; }); };
  for (int i = 0; i < 6 && alive(); ++i) {
    FakeCall& call = host.prepare(random.one_in(2) ? "POST" : "GET", std::string(random.below(3000), 'u'));
    call.with_body = random.one_in(2);
    if (call.with_body) call.pieces = {"some", "pieces", std::string(random.below(100'000), 'p')};
    call.window = random.below(1000);
    call.keep_answer = false;
    host.send(call);
    if (!alive()) return;
    if (random.one_in(3)) host.allow(call, 1'000'000);
    if (!alive()) return;
    if (random.one_in(3)) host.body(call, "more", true);
    if (!alive()) return;
    if (random.one_in(2)) host.drop(call);
  }
}

}  // namespace

TEST_CASE("random guests harm nobody") {
  const uint64_t seed = setting("VALOR_RANDOM_SEED", 5);
  const uint64_t rounds = setting("VALOR_RANDOM_ROUNDS", 150);
  valor::core::Limits limits;
  limits.memory_mb = 8;
  uint64_t ready = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    CAPTURE(seed);
    CAPTURE(round);
    Random random(seed * 1'000'003 + round);
    GuestWriter writer(random);
    WrittenGuest guest(writer.parts.write(), limits);
    // Valid as WebAssembly, each of them.
    REQUIRE_MESSAGE(guest.plugin.error.find("the module is invalid") == std::string::npos, guest.plugin.error);
    REQUIRE(guest.plugin.error != "neither ready nor failed");
    if (!guest.plugin.error.empty()) continue;
    ++ready;
    use(guest.plugin, random);
  }
  // Otherwise all this would have tested little.
  CHECK(ready * 3 > rounds);
}

TEST_CASE("modules with random damage are refused or run, and nothing else") {
  const uint64_t seed = setting("VALOR_RANDOM_SEED", 5);
  const uint64_t rounds = setting("VALOR_RANDOM_ROUNDS", 150) * 3;
  valor::core::Limits limits;
  limits.memory_mb = 8;
  limits.timeout_ms = 1000;
  for (uint64_t round = 0; round < rounds; ++round) {
    CAPTURE(seed);
    CAPTURE(round);
    Random random(seed * 2'000'003 + round);
    GuestParts parts;
    parts.start = Code().i32(1).index(0x40, 0).op(kDrop);
    if (random.one_in(2)) parts.memories.push_back({.minimum = 1});
    std::string bytes = parts.write();
    for (uint32_t i = 0; i < 1 + random.below(3); ++i) {
      bytes[8 + random.below(static_cast<uint32_t>(bytes.size() - 8))] = static_cast<char>(random.below(256));
    }
    WrittenGuest guest(bytes, limits);
    if (guest.plugin.error.empty()) guest.plugin.host.send(guest.plugin.host.prepare("GET", ""));
  }
}
