#include "http/response-head.h"

#include <doctest/doctest.h>

using namespace valor::http;  // NOLINT(google-build-using-namespace)

namespace {

std::string head(const valor::core::ResponseHead& head, BodyFraming framing, uint64_t length = 0) {
  std::string out;
  append_response_head(out, {.head = head,
                             .framing = framing,
                             .length = length,
                             .request_id = "id1",
                             .plugin = "p",
                             .server = "s",
                             .unix_seconds = 784111777});
  return out;
}

}  // namespace

TEST_CASE("a response names its request, its plug-in, the time and the server") {
  valor::core::ResponseHead ok;
  ok.headers.append("Content-Type", "text/plain");
  CHECK(head(ok, BodyFraming::kLength, 25) ==
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-correlation-id: id1\r\nx-valor-plugin: p\r\n"
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: s\r\ncontent-length: 25\r\n\r\n");
}

TEST_CASE("headers that frame the message are not the plug-in's to set") {
  valor::core::ResponseHead bad{.status = 404, .headers = {}};
  for (const char* name : {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length",
                           "x-correlation-id", "x-valor-plugin", "proxy-connection"}) {
    bad.headers.append(name, "mine");
  }
  const std::string bytes = head(bad, BodyFraming::kChunked);
  CHECK(bytes.find("mine") == std::string::npos);
  CHECK(bytes.starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(bytes.ends_with("transfer-encoding: chunked\r\n\r\n"));
}

TEST_CASE("a plug-in's own date and server are kept, and repeated headers stay apart") {
  valor::core::ResponseHead own;
  own.headers.append("date", "d");
  own.headers.append("server", "mine");
  own.headers.append("set-cookie", "a=1");
  own.headers.append("set-cookie", "b=2");
  const std::string bytes = head(own, BodyFraming::kNone);
  CHECK(bytes.find("date: d\r\n") != std::string::npos);
  CHECK(bytes.find("1994") == std::string::npos);
  CHECK(bytes.find("server: mine\r\n") != std::string::npos);
  CHECK(bytes.find("server: s\r\n") == std::string::npos);
  CHECK(bytes.find("set-cookie: a=1\r\nset-cookie: b=2\r\n") != std::string::npos);
}

TEST_CASE("the answer to HEAD may declare a length that nothing follows") {
  valor::core::ResponseHead declared;
  declared.headers.append("content-length", "1234");
  CHECK(head(declared, BodyFraming::kDeclaredLength).find("content-length: 1234\r\n") != std::string::npos);
  CHECK(head(declared, BodyFraming::kNone).find("content-length") == std::string::npos);
}

TEST_CASE("dates of both centuries and all months come out right") {
  char buffer[32];
  CHECK(http_date(0, buffer) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(951826088, buffer) == "Tue, 29 Feb 2000 12:08:08 GMT");
  CHECK(http_date(4102444799, buffer) == "Thu, 31 Dec 2099 23:59:59 GMT");
}
