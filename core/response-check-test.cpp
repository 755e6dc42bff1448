#include "core/response-check.h"

#include <doctest/doctest.h>

using namespace valor::core;

TEST_CASE("final statuses are those of a response") {
  for (int status : {200, 204, 301, 404, 599}) CHECK(is_response_status(status));
  for (int status : {-200, 0, 100, 101, 199, 600, 65'736}) CHECK_FALSE(is_response_status(status));
}

TEST_CASE("a header that cannot be sent is named") {
  CHECK(check_response_header("content-type", "text/plain; charset=utf-8").empty());
  CHECK(check_response_header("X-Empty", "").empty());
  CHECK(check_response_header("x-latin", "caf\xE9").empty());
  CHECK(check_response_header("", "a") == "'' cannot be the name of a header");
  CHECK(check_response_header("a b", "a") == "'a b' cannot be the name of a header");
  CHECK(check_response_header(std::string(200, ':'), "a") ==
        "'" + std::string(100, ':') + "' cannot be the name of a header");
  for (std::string_view value : {" a", "a\t", "a\r\nb: c", "a\nb", "\x01", "a\x7f"}) {
    CHECK(check_response_header("x-a", value) ==
          "the value of its header 'x-a' holds characters that HTTP cannot carry");
  }
}
