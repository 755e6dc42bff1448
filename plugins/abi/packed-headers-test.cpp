#include "plugins/abi/packed-headers.h"

#include <doctest/doctest.h>

#include <cstring>

#include "abi/valor.h"

using namespace valor::plugins::abi;
namespace core = valor::core;

namespace {

std::string pair(std::string_view name, std::string_view value) {
  const uint32_t sizes[2] = {static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value.size())};
  std::string packed(reinterpret_cast<const char*>(sizes), sizeof(sizes));
  return packed.append(name).append(value);
}

bool accepts(uint32_t status, const std::string& headers) {
  core::ResponseHead head;
  return unpack_response(status, headers, head).ok();
}

}  // namespace

TEST_CASE("the head of a request is one block that keeps every field, in order and with repetitions") {
  core::Request request;
  request.method = "POST";
  request.url = "a/b?c=d";
  request.id = "id-7";
  request.headers.append("accept", "*/*");
  request.headers.append("x-twice", "1");
  request.headers.append("x-twice", "");
  std::vector<uint64_t> block;
  const uint64_t length = 99;
  const size_t size = pack_request(request, true, &length, block);
  REQUIRE(size <= block.size() * 8);

  const char* bytes = reinterpret_cast<const char*>(block.data());
  valor_request_head head;
  std::memcpy(&head, bytes, sizeof(head));
  const auto text = [&](valor_span span) {
    REQUIRE(span.offset + span.size <= size);
    return std::string(bytes + span.offset, span.size);
  };
  CHECK(head.size == sizeof(head));
  CHECK(head.flags == (VALOR_REQUEST_HAS_BODY | VALOR_REQUEST_HAS_LENGTH));
  CHECK(head.body_length == 99);
  CHECK(text(head.method) == "POST");
  CHECK(text(head.url) == "a/b?c=d");
  CHECK(text(head.id) == "id-7");
  REQUIRE(head.header_count == 3);
  std::string all;
  for (uint32_t i = 0; i < head.header_count; ++i) {
    valor_header header;
    std::memcpy(&header, bytes + head.headers + i * sizeof(header), sizeof(header));
    all += text(header.name) + "=" + text(header.value) + ";";
  }
  CHECK(all == "accept=*/*;x-twice=1;x-twice=;");

  core::Request empty;
  CHECK(pack_request(empty, false, nullptr, block) == sizeof(valor_request_head));
  std::memcpy(&head, block.data(), sizeof(head));
  CHECK(head.flags == 0);
  CHECK(head.header_count == 0);
}

TEST_CASE("a response's headers keep their order and repetitions") {
  core::ResponseHead head;
  REQUIRE(unpack_response(299, pair("x-a", "1") + pair("x-b", "") + pair("X-A", "2"), head));
  CHECK(head.status == 299);
  REQUIRE(head.headers.size() == 3);
  CHECK(head.headers[0].value == "1");
  CHECK(head.headers[1].value == "");
  CHECK(head.headers[2].name == "x-a");
  REQUIRE(unpack_response(200, "", head));
  CHECK(head.headers.empty());
}

TEST_CASE("statuses outside 200 to 599 are refused") {
  CHECK(accepts(200, ""));
  CHECK(accepts(599, ""));
  CHECK_FALSE(accepts(199, ""));
  CHECK_FALSE(accepts(600, ""));
  CHECK_FALSE(accepts(0, ""));
  CHECK_FALSE(accepts(UINT32_MAX, ""));
  CHECK_FALSE(accepts(65736, ""));
}

TEST_CASE("headers that would break a message are refused") {
  CHECK_FALSE(accepts(200, pair("x", "a\nb")));
  CHECK_FALSE(accepts(200, pair("x", "a\r\nb: c")));
  CHECK_FALSE(accepts(200, pair("x", std::string_view("a\0b", 3))));
  CHECK_FALSE(accepts(200, pair("", "a")));
  CHECK_FALSE(accepts(200, pair("a b", "c")));
  CHECK_FALSE(accepts(200, pair("a:", "c")));
}

TEST_CASE("a block that is cut anywhere is refused") {
  const std::string whole = pair("name", "value") + pair("other", "thing");
  const size_t first = pair("name", "value").size();
  for (size_t size = 1; size < whole.size(); ++size) CHECK(accepts(200, whole.substr(0, size)) == (size == first));
}
