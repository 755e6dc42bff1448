#include "http/request-parser.h"

#include <doctest/doctest.h>

#include <vector>

using namespace valor::http;  // NOLINT(google-build-using-namespace)
using valor::core::Request;
using State = RequestParser::State;

namespace {

struct Parsed {
  State state;
  Request request;
  Framing framing;
  ParseError error{};
  std::string body;
  std::string rest;
};

// Parses one request of which `step` further bytes come at a time.
Parsed parse(std::string_view text, size_t step = std::string_view::npos, const Limits& limits = {}) {
  Parsed result{};
  RequestParser parser(limits);
  size_t shown = 0;
  size_t consumed = 0;
  do {
    shown = step > text.size() - shown ? text.size() : shown + step;
    result.state = parser.parse_head(text.substr(0, shown), result.request, result.framing, consumed);
  } while (result.state == State::kIncomplete && shown < text.size());
  if (result.state == State::kDone && result.framing.has_body) {
    do {
      std::string_view piece;
      size_t used = 0;
      result.state = parser.parse_body(text.substr(consumed, shown - consumed), piece, used);
      result.body += piece;
      consumed += used;
      if (result.state != State::kIncomplete || shown == text.size()) break;
      shown = step > text.size() - shown ? text.size() : shown + step;
    } while (true);
  }
  if (result.state == State::kError) result.error = parser.error();
  if (result.state == State::kDone) result.rest = text.substr(consumed);
  return result;
}

std::string get(const std::string& headers) {
  return "GET /a?b=c HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}
std::string post(const std::string& headers, const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

}  // namespace

TEST_CASE("a request comes out the same whatever the sizes of the pieces it comes in") {
  const std::string text = post("X-A: 1\r\nTransfer-Encoding: chunked\r\nx-a:  two \r\n",
                                "3\r\nabc\r\n10;ext=\"v\"\r\n0123456789abcdef\r\n0\r\nTrailer: t\r\n\r\nGET /next");
  for (size_t step = 1; step <= text.size(); ++step) {
    const Parsed parsed = parse(text, step);
    REQUIRE(parsed.state == State::kDone);
    CHECK(parsed.request.method == "POST");
    CHECK(parsed.request.target == "/p");
    CHECK(parsed.request.authority == "h");
    REQUIRE(parsed.request.headers.size() == 4);
    CHECK(parsed.request.headers[1].name == "x-a");
    CHECK(parsed.request.headers[3].value == "two");
    CHECK(parsed.body == "abc0123456789abcdef");
    CHECK(std::string("GET /next").starts_with(parsed.rest));
  }
}

TEST_CASE("a body of a declared length ends there") {
  const Parsed parsed = parse(post("Content-Length: 5\r\n", "helloGET / HTTP/1.1\r\n"));
  CHECK(parsed.state == State::kDone);
  CHECK(parsed.framing.content_length == 5);
  CHECK(parsed.body == "hello");
  CHECK(parsed.rest == "GET / HTTP/1.1\r\n");
  CHECK_FALSE(parse(post("Content-Length: 0\r\n", "")).framing.has_body);
}

TEST_CASE("keep-alive is the rule in HTTP/1.1 and the exception in HTTP/1.0") {
  CHECK(parse(get("")).framing.keep_alive);
  CHECK_FALSE(parse(get("Connection: close\r\n")).framing.keep_alive);
  CHECK_FALSE(parse(get("Connection: x, Close\r\n")).framing.keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.0\r\n\r\n").framing.keep_alive);
  CHECK(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").framing.keep_alive);
}

TEST_CASE("an absolute-form target gives the path, and its host wins") {
  const Parsed parsed = parse("GET http://other:81/x?y HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(parsed.state == State::kDone);
  CHECK(parsed.request.target == "/x?y");
  CHECK(parsed.request.authority == "other:81");
  CHECK(parse("GET http://other HTTP/1.1\r\nHost: h\r\n\r\n").request.target == "/");
  CHECK(parse("GET http://other?q HTTP/1.1\r\nHost: h\r\n\r\n").request.target == "/?q");
}

TEST_CASE("100-continue is met only where a body follows, and never for HTTP/1.0") {
  CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx")
            .framing.expects_continue);
  CHECK_FALSE(parse(get("Expect: 100-continue\r\n")).framing.expects_continue);
  CHECK_FALSE(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx").framing.expects_continue);
}

TEST_CASE("what is malformed or ambiguous is refused") {
  struct Case {
    std::string what;
    std::string text;
    int status;
  };
  const std::vector<Case> cases = {
      {"no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"method with a control character", "G\tET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"method with a separator", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"target without slash", "GET abc HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"target with a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"target with a control character", "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"target with a blank", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"target of another scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"absolute target without host", "GET http:/// HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"absolute target with user info", "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"asterisk for GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"lower-case protocol", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"HTTP/2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"version with more digits", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
      {"CONNECT", "CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"line feed alone after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"line feed alone after a header", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400},
      {"carriage return alone in a header", get("A: b\rC: d\r\n"), 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400},
      {"host with a slash", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400},
      {"host with user info", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
      {"host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"blank before the colon", get("A : b\r\n"), 400},
      {"no colon", get("A\r\n"), 400},
      {"empty name", get(": b\r\n"), 400},
      {"name with a blank", get("A b: c\r\n"), 400},
      {"name with a control character", get("A\x01: c\r\n"), 400},
      {"name beyond ASCII", get("\xc3\xa4: c\r\n"), 400},
      {"NUL in a value", get(std::string("A: b\0c\r\n", 8)), 400},
      {"control character in a value", get("A: b\x01\r\n"), 400},
      {"DEL in a value", get("A: b\x7f\r\n"), 400},
      {"folded header", get("A: b\r\n c\r\n"), 400},
      {"folded header with a tab", get("A: b\r\n\tc\r\n"), 400},
      {"folded header whose first line is empty", get("A:\r\n c\r\n"), 400},
      {"folded header of empty lines", get("A: \r\n \r\n"), 400},
      {"first header begins with a blank", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"content-length beside transfer-encoding",
       post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"transfer-encoding beside content-length",
       post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400},
      {"two content-lengths that differ", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
      {"two content-lengths that agree", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
      {"list of content-lengths", post("Content-Length: 3, 3\r\n", "abc"), 400},
      {"negative content-length", post("Content-Length: -3\r\n", "abc"), 400},
      {"content-length with a plus", post("Content-Length: +3\r\n", "abc"), 400},
      {"content-length with a blank inside", post("Content-Length: 3 3\r\n", "abc"), 400},
      {"hexadecimal content-length", post("Content-Length: 0x3\r\n", "abc"), 400},
      {"empty content-length", post("Content-Length: \r\n", ""), 400},
      {"content-length beyond 64 bits", post("Content-Length: 18446744073709551616\r\n", ""), 400},
      {"transfer-encoding twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
       400},
      {"transfer-encoding twice, one unknown",
       post("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"unknown transfer-encoding", post("Transfer-Encoding: gzip\r\n", ""), 501},
      {"chunked not last", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 501},
      {"chunked after another", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"chunked misspelt", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {"chunked in quotes", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 501},
      {"empty transfer-encoding", post("Transfer-Encoding: \r\n", "0\r\n\r\n"), 501},
      {"transfer-encoding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"another expectation", post("Expect: 200-ok\r\nContent-Length: 1\r\n", "x"), 417},
      {"connection with a malformed list", get("Connection: ;\r\n"), 400},
      {"chunk size without digits", post("Transfer-Encoding: chunked\r\n", "\r\n0\r\n\r\n"), 400},
      {"chunk size that is no number", post("Transfer-Encoding: chunked\r\n", "xyz\r\n\r\n"), 400},
      {"negative chunk size", post("Transfer-Encoding: chunked\r\n", "-1\r\nab\r\n"), 400},
      {"chunk size with 0x", post("Transfer-Encoding: chunked\r\n", "0x1\r\na\r\n0\r\n\r\n"), 400},
      {"chunk size with a blank", post("Transfer-Encoding: chunked\r\n", "1 1\r\na\r\n0\r\n\r\n"), 400},
      {"chunk size beyond 64 bits", post("Transfer-Encoding: chunked\r\n", "10000000000000001\r\na\r\n0\r\n\r\n"), 400},
      {"chunk longer than its size", post("Transfer-Encoding: chunked\r\n", "1\r\nab\r\n0\r\n\r\n"), 400},
      {"chunk ended by a line feed alone", post("Transfer-Encoding: chunked\r\n", "1\r\na\n0\r\n\r\n....."), 400},
      {"chunk size ended by a line feed alone", post("Transfer-Encoding: chunked\r\n", "1\na\r\n0\r\n\r\n"), 400},
      {"quote that a chunk's header leaves open", post("Transfer-Encoding: chunked\r\n", "1;a=\"b\r\nc\r\n0\r\n\r\n"),
       400},
      {"quote that the last chunk's header leaves open", post("Transfer-Encoding: chunked\r\n", "0;a=\"\\\"\r\n\r\n"),
       400},
      {"malformed trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nbad trailer\r\n\r\n"), 400},
      {"folded trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nA: b\r\n c\r\n\r\n"), 400},
      {"folded trailer whose first line is empty", post("Transfer-Encoding: chunked\r\n", "0\r\nA:\r\n c\r\n\r\n"),
       400},
      {"content-length as a trailer", post("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 5\r\n\r\n"), 400},
  };
  CHECK(cases.size() >= 60);
  for (const Case& each : cases) {
    CAPTURE(each.what);
    for (const size_t step : {each.text.size(), size_t{1}}) {
      const Parsed parsed = parse(each.text, step);
      CHECK(parsed.state == State::kError);
      CHECK(parsed.error.status == each.status);
      CHECK(std::string_view(parsed.error.detail).size() > 10);
    }
  }
}

TEST_CASE("a host is a name or an address, and perhaps a port") {
  auto status = [](const std::string& host) {
    const Parsed parsed = parse("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return parsed.state == State::kDone ? 200 : parsed.error.status;
  };
  for (const char* good : {"", "h", "a.b-c_d~", "127.0.0.1:80", "[::1]", "[::ffff:1.2.3.4]:8080", "h:", "h%c3%A4"}) {
    CAPTURE(good);
    CHECK(status(good) == 200);
  }
  for (const char* bad :
       {":80", "h:a", "h:1:2", "h:-1", "h:+1", "[",   "[]",   "[1.2.3.4]", "[::1",      "[::1]x", "[::g]",
        "::1", "h]",  "h%",    "h%4",  "h%4x", "h\\", "h, h", "h\tx",      "h\xc3\xa4", "\"h\"",  "<h>"}) {
    CAPTURE(bad);
    CHECK(status(bad) == 400);
  }
}

TEST_CASE("trailers do not become headers") {
  const Parsed parsed = parse(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nX-Admin: yes\r\n\r\n"));
  CHECK(parsed.state == State::kDone);
  CHECK_FALSE(parsed.request.headers.has("x-admin"));
}

TEST_CASE("each limit trips with its status and its name") {
  Limits limits;
  limits.request_line_bytes = 100;
  limits.header_bytes = 400;
  limits.header_count = 4;
  limits.body_bytes = 10;
  auto trip = [&](const std::string& text, int status, std::string_view limit) {
    CAPTURE(text.substr(0, 60));
    for (const size_t step : {text.size(), size_t{1}, text.size() / 2, text.size() - 2}) {
      const Parsed parsed = parse(text, step, limits);
      CHECK(parsed.state == State::kError);
      CHECK(parsed.error.status == status);
      CHECK(parsed.error.limit == limit);
    }
  };
  trip("GET /" + std::string(200, 'a'), 414, "request_line_bytes");
  trip("GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414, "request_line_bytes");
  trip(get("A: " + std::string(500, 'b') + "\r\n"), 431, "header_bytes");
  trip(get("A: " + std::string(500, 'b')), 431, "header_bytes");
  trip(get("A: " + std::string(360, 'b') + "\r\nB: 12345\r\n"), 431, "header_bytes");
  trip(get("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"), 431, "header_count");
  trip(post("Content-Length: 11\r\n", "0123456789a"), 413, "body_bytes");
  trip(post("Transfer-Encoding: chunked\r\n", "8\r\n01234567\r\n3\r\n89a\r\n0\r\n\r\n"), 413, "body_bytes");
  CHECK(parse(post("Content-Length: 10\r\n", "0123456789"), 1, limits).state == State::kDone);
}

TEST_CASE("a request line that just fits is taken, whatever the sizes of the pieces") {
  Limits limits;
  limits.request_line_bytes = 40;
  const std::string target = "/" + std::string(40 - 14, 'a');
  const std::string text = "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t step = 1; step <= text.size(); ++step) CHECK(parse(text, step, limits).state == State::kDone);
}

TEST_CASE("an endless chunk extension is refused") {
  const Parsed parsed = parse(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(20000, 'x')));
  CHECK(parsed.state == State::kError);
  CHECK(parsed.error.status == 400);
}
