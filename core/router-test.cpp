#include "core/router.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace valor::core;

namespace {

Router make_router(std::initializer_list<std::string_view> mounts) {
  Router router;
  uint32_t id = 1;
  for (std::string_view mount : mounts) REQUIRE(router.add(mount, id++).ok());
  return router;
}

// "ID URL", or "none".
std::string route(const Router& router, std::string_view target) {
  Match match;
  std::string scratch = "left over";
  if (!router.find(target, match, scratch)) return "none";
  return std::to_string(match.id) + " " + std::string(match.url);
}

}  // namespace

TEST_CASE("a mount answers its own path and all below, at segment borders only") {
  Router router = make_router({"hello"});
  CHECK(route(router, "/hello") == "1 ");
  CHECK(route(router, "/hello/") == "1 ");
  CHECK(route(router, "/hello/world") == "1 world");
  CHECK(route(router, "/hello/a/b/") == "1 a/b/");
  CHECK(route(router, "/hello?who=Bob") == "1 ?who=Bob");
  CHECK(route(router, "/hello/?who=Bob") == "1 ?who=Bob");
  CHECK(route(router, "/hello/x?a/b/../c") == "1 x?a/b/../c");
  CHECK(route(router, "/hellox") == "none");
  CHECK(route(router, "/hell") == "none");
  CHECK(route(router, "/x/hello") == "none");
  CHECK(route(router, "/Hello") == "none");
  CHECK(route(router, "/") == "none");
}

TEST_CASE("the longest mount wins") {
  Router router = make_router({"", "a", "a/b", "a/b/c/d"});
  CHECK(route(router, "/") == "1 ");
  CHECK(route(router, "/x/y") == "1 x/y");
  CHECK(route(router, "/a") == "2 ");
  CHECK(route(router, "/a/x") == "2 x");
  CHECK(route(router, "/a/b") == "3 ");
  CHECK(route(router, "/a/b/c") == "3 c");
  CHECK(route(router, "/a/b/c/d") == "4 ");
  CHECK(route(router, "/a/b/c/d/e") == "4 e");
  CHECK(route(router, "/a/b/c/dd") == "3 c/dd");
  CHECK(route(router, "/ab") == "1 ab");
}

TEST_CASE("slashes and blanks around a prefix are ignored") {
  Router router = make_router({" / hi / ", "/a/b/"});
  CHECK(route(router, "/hi/x") == "1 x");
  CHECK(route(router, "/a/b") == "2 ");
}

TEST_CASE("a taken or impossible mount is refused with a reason") {
  Router router = make_router({"hello", ""});
  CHECK(router.add("/hello/", 9).error().message == "the mount \"hello\" is taken");
  CHECK_FALSE(router.add("/", 9).ok());
  for (std::string_view bad :
       {"a//b", ".", "..", "a/../b", "a/.", "a?b", "a#b", "a\\b", "a%20b", "%2e%2e", "a\nb", "a\x7f"}) {
    CAPTURE(bad);
    CHECK_FALSE(router.add(bad, 9).ok());
  }
  CHECK_FALSE(router.add(std::string(2000, 'a'), 9).ok());
  CHECK(router.size() == 2);
}

TEST_CASE("dot segments are resolved before routing, however they are spelled") {
  Router router = make_router({"hello", "x"});
  for (std::string_view dots : {"..", "%2e%2e", "%2E%2e", ".%2e", "%2E."}) {
    CAPTURE(dots);
    std::string up(dots);
    CHECK(route(router, "/hello/" + up + "/x") == "2 ");
    CHECK(route(router, "/hello/" + up + "/x/1?q=" + up) == "2 1?q=" + up);
    CHECK(route(router, "/hello/a/" + up + "/b") == "1 b");
    CHECK(route(router, "/hello/a/" + up) == "1 ");
    CHECK(route(router, "/" + up + "/" + up + "/hello/a") == "1 a");
    CHECK(route(router, "/hello/" + up) == "none");
  }
  for (std::string_view dot : {".", "%2e", "%2E"}) {
    CAPTURE(dot);
    std::string here(dot);
    CHECK(route(router, "/" + here + "/hello/" + here + "/a") == "1 a");
    CHECK(route(router, "/hello/" + here) == "1 ");
  }
}

TEST_CASE("names that only begin with dots are names") {
  Router router = make_router({"hello", ".well-known"});
  CHECK(route(router, "/.well-known/x") == "2 x");
  CHECK(route(router, "/hello/...") == "1 ...");
  CHECK(route(router, "/hello/..a/.b/c../d.") == "1 ..a/.b/c../d.");
  CHECK(route(router, "/hello/a%2ejs") == "1 a%2ejs");
  CHECK(route(router, "/hello/%2e%2e%2e") == "1 %2e%2e%2e");
}

TEST_CASE("empty segments are kept, and `..` takes them away one by one") {
  Router router = make_router({"", "a"});
  CHECK(route(router, "/a//b") == "2 .//b");
  CHECK(route(router, "//a") == "1 .//a");
  CHECK(route(router, "/x//../a") == "1 x/a");
  CHECK(route(router, "/x//../../a") == "2 ");
  CHECK(route(router, "//") == "1 .//");
}

TEST_CASE("a backslash separates like a slash") {
  Router router = make_router({"hello", "x"});
  CHECK(route(router, "/hello\\a") == "1 a");
  CHECK(route(router, "/hello\\..\\x\\y") == "2 y");
  CHECK(route(router, "/hello/..\\x") == "2 ");
  CHECK(route(router, "/hello?a\\..\\b") == "1 ?a\\..\\b");
  CHECK(route(router, "/hello/%5c..") == "1 %5c..");
}

TEST_CASE("tabs and line ends cannot hide dot segments") {
  Router router = make_router({"hello", "x"});
  CHECK(route(router, "/hello/.\t./x") == "2 ");
  CHECK(route(router, "/hello/\r\n../x") == "2 ");
}

TEST_CASE("percent-encoded characters match themselves and stay encoded in the rest") {
  Router router = make_router({"hello", "caf\xC3\xA9 one/b"});
  CHECK(route(router, "/%68ello") == "1 ");
  CHECK(route(router, "/hel%6Co/%68i%20there") == "1 %68i%20there");
  CHECK(route(router, "/caf%C3%A9%20one/b/x") == "2 x");
  CHECK(route(router, "/caf%c3%a9%20one/%62") == "2 ");
  CHECK(route(router, "/caf\xC3\xA9 one/b") == "2 ");
  CHECK(route(router, "/caf%C3%A9") == "none");
  CHECK(route(router, "/%2568ello") == "none");
}

TEST_CASE("an encoded slash never separates") {
  Router router = make_router({"", "a", "a/b"});
  CHECK(route(router, "/a%2Fb") == "1 a%2Fb");
  CHECK(route(router, "/a%2fb/c") == "1 a%2fb/c");
  CHECK(route(router, "/a/b%2Fc") == "2 b%2Fc");
  CHECK(route(router, "/a%2F") == "1 a%2F");
  CHECK(route(router, "/a/..%2Fb") == "2 ..%2Fb");
}

TEST_CASE("invalid percent-encodings are left alone") {
  Router router = make_router({"", "hello"});
  for (std::string_view bad : {"%", "%6", "%zz", "%6g", "%%68", "%u0068"}) {
    CAPTURE(bad);
    CHECK(route(router, "/hello/" + std::string(bad)) == "2 " + std::string(bad));
    CHECK(route(router, "/" + std::string(bad) + "/x") == "1 " + std::string(bad) + "/x");
  }
}

TEST_CASE("NUL characters match no mount and pass through the rest") {
  Router router = make_router({"hello"});
  CHECK(route(router, "/hello%00") == "none");
  CHECK(route(router, "/hello/%00") == "1 %00");
  CHECK(route(router, std::string_view("/hello\0/x", 9)) == "none");
}

TEST_CASE("the rest cannot be read as a URL of its own") {
  Router router = make_router({"hello"});
  CHECK(route(router, "/hello//evil.example/x") == "1 .//evil.example/x");
  CHECK(route(router, "/hello///evil.example") == "1 .///evil.example");
  CHECK(route(router, "/hello/http://evil.example") == "1 ./http://evil.example");
  CHECK(route(router, "/hello/javascript:x") == "1 ./javascript:x");
  CHECK(route(router, "/hello/../hello/http:x") == "1 ./http:x");
  CHECK(route(router, "/hello/a/../\\evil") == "1 .//evil");
  CHECK(route(router, "/hello/a/b:c") == "1 a/b:c");
  CHECK(route(router, "/hello/?a:b") == "1 ?a:b");
  CHECK(route(router, "/hello/%3A") == "1 %3A");
}

TEST_CASE("a fragment is dropped") {
  Router router = make_router({"hello"});
  CHECK(route(router, "/hello#a/../b") == "1 ");
  CHECK(route(router, "/hello/x?y#z?") == "1 x?y");
  CHECK(route(router, "/hello/./x?y#z") == "1 x?y");
}

TEST_CASE("what is not in origin-form routes nowhere") {
  Router router = make_router({""});
  for (std::string_view target : {"", "*", "hello", "http://x/", "\\hello", "?", "../"})
    CHECK(route(router, target) == "none");
  CHECK(route(Router(), "/") == "none");
}

TEST_CASE("common targets are not copied") {
  Router router = make_router({"hello"});
  Match match;
  std::string scratch;
  std::string_view target = "/hello/a/b.js?x=../%2e";
  REQUIRE(router.find(target, match, scratch));
  CHECK(match.url.data() == target.data() + 7);
  CHECK(scratch.empty());
}

TEST_CASE("very long targets take linear time and no more memory than themselves") {
  Router router = make_router({"a/a/a", "b"});
  std::string deep;
  for (int count = 0; count < 300'000; ++count) deep += "/a";
  CHECK(route(router, deep).substr(0, 4) == "1 a/");
  CHECK(route(router, "/" + std::string(1'000'000, 'x')) == "none");
  std::string dots;
  for (int count = 0; count < 300'000; ++count) dots += "/x/..";
  CHECK(route(router, dots + "/b/y") == "2 y");
  std::string encoded;
  for (int count = 0; count < 300'000; ++count) encoded += "%2e";
  CHECK(route(router, "/b/" + encoded) == "2 " + encoded);
}

TEST_CASE("many mounts are told apart") {
  Router router;
  for (uint32_t id = 0; id < 5000; ++id) REQUIRE(router.add("m" + std::to_string(id) + "/v1", id).ok());
  for (uint32_t id = 0; id < 5000; id += 7) {
    CHECK(route(router, "/m" + std::to_string(id) + "/v1/x") == std::to_string(id) + " x");
    CHECK(route(router, "/m" + std::to_string(id)) == "none");
  }
}
