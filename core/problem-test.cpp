#include "core/problem.h"

#include <doctest/doctest.h>

#include "core/json.h"

using namespace valor::core;

namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("a problem says what is wrong, with the members that apply") {
  CHECK(to_json({404, "Nothing answers here."}, "") ==
        R"({"type":"about:blank","title":"Not Found","status":404,"detail":"Nothing answers here."})");
  Problem problem{504, "Too slow.", "hello", "timeout_ms", 30000};
  CHECK(to_json(problem, "id\"1") ==
        R"({"type":"about:blank","title":"Gateway Timeout","status":504,"detail":"Too slow.","plugin":"hello",)"
        R"("request_id":"id\"1","limit":"timeout_ms","limit_value":30000})");
}

TEST_CASE("a problem of code that crashed has its stack") {
  CHECK(to_json({.status = 502, .detail = "It trapped.", .stack = "at f\nat g"}, "") ==
        R"({"type":"about:blank","title":"Bad Gateway","status":502,"detail":"It trapped.","stack":"at f\nat g"})");
}

TEST_CASE("a problem's head is its status, type and what caches and clients need") {
  ResponseHead head = to_head({503, "Busy.", "", "queue", 10, 7});
  CHECK(head.status == 503);
  CHECK(head.headers.get("content-type") == "application/problem+json");
  CHECK(head.headers.get("cache-control") == "no-store");
  CHECK(head.headers.get("retry-after") == "7");
  CHECK_FALSE(to_head({404, ""}).headers.has("retry-after"));
}

TEST_CASE("every status that Valor sends has a text") {
  for (uint16_t status : {200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409,
                          413, 414, 416, 417, 422, 431, 500, 501, 502, 503, 504, 505}) {
    CHECK_FALSE(status_text(status).empty());
  }
  CHECK(status_text(418).empty());
  CHECK(status_text(599).empty());
}

TEST_CASE("JSON strings escape what must be escaped") {
  CHECK(json_string("") == "\"\"");
  CHECK(json_string("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(json_string("\n\r\t\b\f") == R"("\n\r\t\u0008\u000c")");
  CHECK(json_string(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(json_string("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") == "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST_CASE("JSON strings are valid UTF-8 whatever the bytes are") {
  const std::string u = "\xEF\xBF\xBD";
  CHECK(json_string("\xFF") == "\"" + u + "\"");
  CHECK(json_string("a\x80z") == "\"a" + u + "z\"");
  CHECK(json_string("\xC3") == "\"" + u + "\"");
  CHECK(json_string("\xC3(") == "\"" + u + "(\"");
  CHECK(json_string("\xC0\xAF") == "\"" + u + u + "\"");                  // overlong
  CHECK(json_string("\xE0\x80\xAF") == "\"" + u + u + u + "\"");          // overlong
  CHECK(json_string("\xED\xA0\x80") == "\"" + u + u + u + "\"");          // surrogate
  CHECK(json_string("\xF4\x90\x80\x80") == "\"" + u + u + u + u + "\"");  // beyond U+10FFFF
  CHECK(json_string("\xE2\x82") == "\"" + u + "\"");                      // cut short: one part
  CHECK(json_string("\xF0\x9F\x98x") == "\"" + u + "x\"");
  CHECK(json_string("\xE2\x82\xC3\xA9") == "\"" + u + "\xC3\xA9\"");
}
