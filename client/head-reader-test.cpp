#include "client/head-reader.h"

#include <doctest/doctest.h>

using namespace valor;          // NOLINT(google-build-using-namespace)
using namespace valor::client;  // NOLINT(google-build-using-namespace)

TEST_CASE("a response's head is put together from its lines") {
  const auto feed = [](HeadReader& reader, std::initializer_list<std::string_view> lines) {
    auto step = HeadReader::Step::kMore;
    for (const std::string_view line : lines) step = reader.feed(line);
    return step;
  };
  SUBCASE("interim responses before it and trailers after it are left out") {
    HeadReader reader;
    CHECK(feed(reader, {"HTTP/1.1 103 Early Hints\r\n", "link: x\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                        "Content-Length: 12\r\n", "X-A:  b \r\n", "\r\n"}) == HeadReader::Step::kComplete);
    CHECK(feed(reader, {"x-trailer: 1\r\n"}) == HeadReader::Step::kMore);
    CHECK(reader.length() == 12);
    CHECK(reader.reason() == "OK");
    const core::ResponseHead head = reader.take_head();
    CHECK(head.status == 200);
    CHECK(head.headers.size() == 2);
    CHECK(head.headers.get("x-a") == "b");
  }
  SUBCASE("a chunked body has no length") {
    HeadReader reader;
    feed(reader, {"HTTP/1.1 200\r\n", "content-length: 5\r\n", "transfer-encoding: chunked\r\n", "\r\n"});
    CHECK(reader.complete());
    CHECK_FALSE(reader.length());
  }
  SUBCASE("what breaks the rules is refused") {
    for (const auto& lines : std::initializer_list<std::initializer_list<std::string_view>>{
             {"ICY 200 OK\r\n"},
             {"HTTP/1.1 2x0 OK\r\n"},
             {"HTTP/1.1 099 Low\r\n"},
             {"HTTP/1.1 999 High\r\n"},
             {"HTTP/1.1 101 Switching\r\n"},
             {"HTTP/1.1 200 OK\r\n", "no colon\r\n"},
             {"HTTP/1.1 200 OK\r\n", "a: b\r\n", " folded\r\n"},
             {"HTTP/1.1 200 OK\r\n", "bad name: x\r\n"},
             {"HTTP/1.1 200 OK\r\n", std::string_view("a: b\0c\r\n", 8)},
             {"HTTP/1.1 200 OK\r\n", "content-length: 1\r\n", "content-length: 2\r\n", "\r\n"},
             {"HTTP/1.1 200 OK\r\n", "content-length: -1\r\n", "\r\n"}}) {
      HeadReader reader;
      CHECK(feed(reader, lines) == HeadReader::Step::kBroken);
      CHECK_FALSE(reader.problem().empty());
    }
  }
  SUBCASE("tolerant rules accept more, never what would break up a head") {
    HeadReader strict;
    HeadReader tolerant(HeadRules::kBrowser);
    CHECK(feed(strict, {"HTTP/1.1 200 OK\r\n", "a: \x01\x0b\r\n"}) == HeadReader::Step::kBroken);
    CHECK(feed(tolerant, {"HTTP/1.1 200 OK\n", "a: \x01\x0b\n", "b: \t1\t\n"}) == HeadReader::Step::kMore);
    CHECK(tolerant.end() == HeadReader::Step::kComplete);
    CHECK(tolerant.end() == HeadReader::Step::kMore);
    const core::ResponseHead head = tolerant.take_head();
    CHECK(head.headers.get("a") == "\x01\x0b");
    CHECK(head.headers.get("b") == "1");
    for (const std::string_view line : {std::string_view("a: b\0c\r\n", 8), std::string_view("a: b\rc\r\n", 8)}) {
      HeadReader reader(HeadRules::kTolerant);
      CHECK(feed(reader, {"HTTP/1.1 200 OK\r\n", line}) == HeadReader::Step::kBroken);
    }
    HeadReader nothing(HeadRules::kBrowser);
    CHECK(nothing.end() == HeadReader::Step::kMore);
    HeadReader cut(HeadRules::kTolerant);
    CHECK(feed(cut, {"HTTP/1.1 200 OK\r\n"}) == HeadReader::Step::kMore);
    CHECK(cut.end() == HeadReader::Step::kMore);
  }
  SUBCASE("a head without end is refused") {
    HeadReader reader;
    reader.feed("HTTP/1.1 200 OK\r\n");
    const std::string line = "a: " + std::string(1000, 'x') + "\r\n";
    auto step = HeadReader::Step::kMore;
    for (int i = 0; i < 300 && step == HeadReader::Step::kMore; ++i) step = reader.feed(line);
    CHECK(step == HeadReader::Step::kBroken);
  }
}
