#include "core/request-id.h"

#include <doctest/doctest.h>

#include <set>

using namespace valor::core;

namespace {

constexpr IdSource::Seed kSeed = {1, 2, 3, 4};

std::string assigned(Request& request) {
  IdSource ids(kSeed);
  assign_request_id(request, ids);
  CHECK(request.headers.count("x-request-id") == 1);
  CHECK(request.headers.get("x-request-id") == request.id);
  return request.id;
}

std::string assigned_for(std::string_view sent) {
  Request request;
  request.headers.append("host", "h");
  request.headers.append("X-Request-Id", sent);
  request.headers.append("accept", "a");
  return assigned(request);
}

}  // namespace

TEST_CASE("ids are 32 lower-case hexadecimal digits and do not repeat") {
  IdSource ids(kSeed);
  std::set<std::string> seen;
  for (int count = 0; count < 10'000; ++count) {
    std::string id = ids.make();
    REQUIRE(id.size() == IdSource::kIdSize);
    REQUIRE(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    REQUIRE(seen.insert(id).second);
  }
}

TEST_CASE("every bit of the seed matters") {
  std::set<std::string> first;
  for (int bit = 0; bit < 256; ++bit) {
    IdSource::Seed seed{};
    seed[static_cast<size_t>(bit) / 64] = uint64_t{1} << (bit % 64);
    first.insert(IdSource(seed).make());
  }
  first.insert(IdSource({}).make());
  CHECK(first.size() == 257);
}

TEST_CASE("the key stream is ChaCha8") {
  // Key of zeros, nonce of zeros: draft-strombergson-chacha-test-vectors-01, TC1, 8 rounds.
  CHECK(IdSource({}).make() == "3e00ef2f895f40d67f5bb8e81f09a5a1");
}

TEST_CASE("bits and ids come from one stream without overlap") {
  IdSource ids({});
  CHECK(ids.next_bits() == 0xd6405f892fef003e);
  CHECK(ids.next_bits() == 0xa1a5091fe8b85b7f);
}

TEST_CASE("a usable id of the client is kept") {
  CHECK(assigned_for("123abc") == "123abc");
  CHECK(assigned_for("!~\"<>{}") == "!~\"<>{}");
  CHECK(assigned_for(std::string(200, 'x')) == std::string(200, 'x'));
}

TEST_CASE("an unusable id of the client is replaced") {
  for (std::string bad : {std::string(), std::string(201, 'x'), std::string("a b"), std::string("a\tb"),
                          std::string("caf\xC3\xA9"), std::string("a\x7f"), std::string("a\0b", 3)}) {
    CAPTURE(bad);
    CHECK(assigned_for(bad) == IdSource(kSeed).make());
  }
}

TEST_CASE("a request without an id gets one at the end of its headers") {
  Request request;
  request.headers.append("host", "h");
  CHECK(assigned(request) == IdSource(kSeed).make());
  CHECK(request.headers[1].name == "x-request-id");
}

TEST_CASE("of several ids none is kept") {
  Request request;
  request.headers.append("x-request-id", "a");
  request.headers.append("x-request-id", "a");
  CHECK(assigned(request) == IdSource(kSeed).make());
}
