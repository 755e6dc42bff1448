// The rules that need neither sockets nor files.
#include <doctest/doctest.h>

#include "plugins/builtin/admission.h"
#include "plugins/builtin/answers.h"
#include "plugins/builtin/content-coding.h"
#include "plugins/builtin/content-type.h"
#include "plugins/builtin/forwarding.h"
#include "plugins/builtin/http-date.h"
#include "plugins/builtin/preconditions.h"

using namespace valor;                    // NOLINT(google-build-using-namespace)
using namespace valor::plugins::builtin;  // NOLINT(google-build-using-namespace)

namespace {

using Headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

core::Request request_with(Headers headers, std::string method = "GET") {
  core::Request request;
  request.method = std::move(method);
  request.scheme = "http";
  request.authority = "localhost:8080";
  for (const auto& [name, value] : headers) request.headers.append(name, value);
  return request;
}

constexpr int64_t kExample = 784111777;  // 1994-11-06 08:49:37, the example of RFC 9110
constexpr int64_t kNow = 1'700'000'000;
const Validators kStrong{"\"abc\"", kExample};
const Validators kWeak{"W/\"abc\"", kExample};

}  // namespace

TEST_CASE("HTTP dates are written as IMF-fixdate and read in all three forms") {
  CHECK(format_http_date(kExample) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(format_http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(format_http_date(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == kExample);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == kExample);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", kNow) == kExample);
  for (const char* bad :
       {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMTx", "sun, 06 nov 1994 08:49:37 gmt"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_http_date(bad, kNow));
  }
}

TEST_CASE("preconditions are evaluated in the order of RFC 9110") {
  struct Case {
    Headers headers;
    const Validators& validators;
    Verdict verdict;
  };
  constexpr const char* kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
  constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
  const Case cases[] = {
      {{}, kStrong, Verdict::kProceed},
      {{{"if-none-match", "\"abc\""}}, kStrong, Verdict::kNotModified},
      {{{"if-none-match", "\"x\", W/\"abc\" ,\"y\""}}, kStrong, Verdict::kNotModified},
      {{{"if-none-match", "\"x\""}, {"if-none-match", "\"abc\""}}, kStrong, Verdict::kNotModified},
      {{{"if-none-match", "*"}}, kStrong, Verdict::kNotModified},
      {{{"if-none-match", "\"a,b\", abc"}}, kStrong, Verdict::kProceed},
      {{{"if-none-match", "\"abc\""}}, kWeak, Verdict::kNotModified},
      {{{"if-none-match", "\"x\""}, {"if-modified-since", kSame}}, kStrong, Verdict::kProceed},
      {{{"if-modified-since", kSame}}, kStrong, Verdict::kNotModified},
      {{{"if-modified-since", kBefore}}, kStrong, Verdict::kProceed},
      {{{"if-modified-since", "yesterday"}}, kStrong, Verdict::kProceed},
      {{{"if-match", "\"abc\""}}, kStrong, Verdict::kProceed},
      {{{"if-match", "\"abc\""}}, kWeak, Verdict::kFailed},
      {{{"if-match", "\"x\""}, {"if-none-match", "\"abc\""}}, kStrong, Verdict::kFailed},
      {{{"if-unmodified-since", kBefore}}, kStrong, Verdict::kFailed},
      {{{"if-unmodified-since", kSame}}, kStrong, Verdict::kProceed},
  };
  int index = 0;
  for (const Case& one : cases) {
    CAPTURE(index++);
    CHECK(evaluate(request_with(one.headers), one.validators, kNow) == one.verdict);
  }
}

TEST_CASE("a single byte range is honoured, anything else is the whole file") {
  const auto range = [](std::string_view value, uint64_t size = 1000) {
    return evaluate_range(request_with({{"range", value}}), kStrong, size, kNow);
  };
  const auto part = [&](std::string_view value, uint64_t first, uint64_t length) {
    const Range got = range(value);
    return got.kind == RangeKind::kPart && got.first == first && got.length == length;
  };
  CHECK(part("bytes=0-0", 0, 1));
  CHECK(part("bytes=0-499", 0, 500));
  CHECK(part("Bytes=999-", 999, 1));
  CHECK(part("bytes=500-5000", 500, 500));
  CHECK(part("bytes=-1", 999, 1));
  CHECK(part("bytes=-5000", 0, 1000));
  for (const char* bad : {"bytes=1000-", "bytes=1000-2000", "bytes=-0"}) {
    CHECK(range(bad).kind == RangeKind::kUnsatisfiable);
  }
  CHECK(range("bytes=0-", 0).kind == RangeKind::kUnsatisfiable);
  for (const char* whole : {"bytes=", "bytes=-", "bytes=2-1", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=0x1-2",
                            "bytes=99999999999999999999-", "0-1", ""}) {
    CAPTURE(whole);
    CHECK(range(whole).kind == RangeKind::kWhole);
  }
  CHECK(evaluate_range(request_with({{"range", "bytes=0-1"}}, "HEAD"), kStrong, 10, kNow).kind == RangeKind::kWhole);
}

TEST_CASE("if-range holds only for the very same strong state") {
  const auto kind = [](std::string_view condition, const Validators& validators) {
    return evaluate_range(request_with({{"range", "bytes=0-1"}, {"if-range", condition}}), validators, 10, kNow).kind;
  };
  CHECK(kind("\"abc\"", kStrong) == RangeKind::kPart);
  CHECK(kind("\"other\"", kStrong) == RangeKind::kWhole);
  CHECK(kind("W/\"abc\"", kWeak) == RangeKind::kWhole);
  CHECK(kind("Sun, 06 Nov 1994 08:49:37 GMT", kStrong) == RangeKind::kPart);
  CHECK(kind("Sun, 06 Nov 1994 08:49:38 GMT", kStrong) == RangeKind::kWhole);
  CHECK(kind("Sun, 06 Nov 1994 08:49:37 GMT", kWeak) == RangeKind::kWhole);
}

TEST_CASE("content types follow the extension, whatever its case") {
  CHECK(content_type_of("index.html") == "text/html;charset=utf-8");
  CHECK(content_type_of("a/b.min.JS") == "text/javascript;charset=utf-8");
  CHECK(content_type_of("x.wasm") == "application/wasm");
  CHECK(content_type_of("x.webmanifest") == "application/manifest+json");
  for (const char* unknown : {"", "html", "a.b/html", "x.", "x.unknownextension"}) {
    CHECK(content_type_of(unknown) == "application/octet-stream");
  }
}

TEST_CASE("percent-encoding is undone once and checked") {
  CHECK(percent_decode("a%20b%2541") == "a b%41");
  CHECK(percent_decode("%E2%82%ac") == "\xE2\x82\xAC");
  for (const char* bad : {"%", "%4", "a%g1", "%-1"}) CHECK_FALSE(percent_decode(bad));
}

TEST_CASE("a location is never read as another host") {
  CHECK(local_path("/a/b?c") == "/a/b");
  CHECK(local_path("//evil.example/x") == "/evil.example/x");
  CHECK(local_path("/\\/evil.example") == "/evil.example");
  CHECK(local_path("/") == "/");
}

TEST_CASE("loopback hosts are told from others") {
  for (const char* host : {"localhost", "localhost:8080", "LOCALHOST.", "app.localhost:1", "127.0.0.1", "127.9.9.9:80",
                           "[::1]", "[::1]:8080"}) {
    CAPTURE(host);
    CHECK(is_loopback_authority(host));
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1", "10.0.0.1:80", "[::2]",
        "[::1", "[::1]x", "[::1]:8x", "localhost:80@evil.example", "evillocalhost", "0.0.0.0", "127.1"}) {
    CAPTURE(host);
    CHECK_FALSE(is_loopback_authority(host));
  }
}

TEST_CASE("without a token, requests that a web page of another origin can make are refused") {
  CHECK(admit(request_with({}), "").status == 0);
  CHECK(admit(request_with({{"origin", "http://localhost:8080"}, {"sec-fetch-site", "same-origin"}}), "").status == 0);
  CHECK(admit(request_with({{"sec-fetch-site", "none"}}), "").status == 0);
  for (const char* origin : {"null", "http://evil.example", "https://localhost:8080", "http://localhost:8081", ""}) {
    CAPTURE(origin);
    CHECK(admit(request_with({{"origin", origin}}), "").status == 403);
  }
  CHECK(admit(request_with({{"sec-fetch-site", "cross-site"}}), "").status == 403);
  CHECK(admit(request_with({{"sec-fetch-site", "same-site"}}), "").status == 403);
  core::Request rebound = request_with({{"origin", "http://evil.example:8080"}});
  rebound.authority = "evil.example:8080";
  CHECK(admit(rebound, "").status == 403);
}

TEST_CASE("with a token, it alone decides") {
  core::Request request = request_with({{"origin", "http://elsewhere.example"}});
  request.authority = "valor.example";
  CHECK(admit(request, "secret").status == 401);
  request.headers.set("authorization", "Basic c2VjcmV0");
  CHECK(admit(request, "secret").status == 401);
  for (const char* wrong : {"Bearer ", "Bearer secre", "Bearer secrets", "Bearer Secret", "Bearer secretsecret"}) {
    CAPTURE(wrong);
    request.headers.set("authorization", wrong);
    CHECK(admit(request, "secret").status == 403);
  }
  request.headers.set("authorization", "bearer  secret");
  CHECK(admit(request, "secret").status == 0);
}

TEST_CASE("JSON is told by its media type") {
  CHECK(is_json_type("application/json"));
  CHECK(is_json_type("Application/JSON ; charset=utf-8"));
  for (const char* other : {"", "text/plain", "application/jsonp", "text/plain; application/json"}) {
    CHECK_FALSE(is_json_type(other));
  }
}

TEST_CASE("an upstream's URL is checked") {
  const auto at = [](const char* url) {
    auto upstream = parse_upstream(url);
    return upstream ? upstream->origin + " " + upstream->path : "refused";
  };
  CHECK(at("http://127.0.0.1:9000") == "http://127.0.0.1:9000 ");
  CHECK(at("http://127.0.0.1:9000/") == "http://127.0.0.1:9000 /");
  CHECK(at("https://example.org/base/x") == "https://example.org /base/x");
  CHECK(at("http://[::1]:80/b/") == "http://[::1]:80 /b/");
  for (const char* bad :
       {"", "/x", "ftp://host/", "http://", "http://user:pw@host/", "http://host/?q", "http://host/#f",
        "http://host/a/../b", "http://host/%2e%2e/b", "http://ho st/", "file:///etc"}) {
    CAPTURE(bad);
    CHECK(at(bad) == "refused");
  }
}

TEST_CASE("the upstream's target is the base and the rest of the path, never above the base") {
  const Upstream bare{"http://h", ""};
  const Upstream base{"http://h", "/base"};
  CHECK(upstream_target(bare, "") == "/");
  CHECK(upstream_target(bare, "?q") == "/?q");
  CHECK(upstream_target(bare, "a/b%2Fc?d=../e") == "/a/b%2Fc?d=../e");
  CHECK(upstream_target(base, "") == "/base");
  CHECK(upstream_target(base, "?q") == "/base?q");
  CHECK(upstream_target(base, ".//x") == "/base//x");
  CHECK(upstream_target({"http://h", "/base/"}, "x") == "/base/x");
  for (const char* bad : {"..", "a/../../b", "%2e%2E/b", ".%2e", "a\\..\\b", "a b", "a\r\nb", "a#b"}) {
    CAPTURE(bad);
    CHECK(upstream_target(base, bad).empty());
  }
}

TEST_CASE("headers of the client's connection stay behind") {
  core::Request request = request_with({{"connection", "keep-alive, X-Private"},
                                        {"x-private", "1"},
                                        {"keep-alive", "300"},
                                        {"proxy-authorization", "Basic x"},
                                        {"te", "trailers"},
                                        {"upgrade", "h2c"},
                                        {"host", "localhost:8080"},
                                        {"content-length", "5"},
                                        {"expect", "100-continue"},
                                        {"x-forwarded-for", "6.6.6.6"},
                                        {"forwarded", "for=6.6.6.6"},
                                        {"via", "1.0 fred"},
                                        {"accept", "a/b"},
                                        {"cookie", "c=1"}});
  const auto text = [](const core::HeaderList& headers) {
    std::string result;
    for (const auto header : headers) result.append(header.name).append("=").append(header.value).append(";");
    return result;
  };
  CHECK(text(forward_request_headers(request, {})) ==
        "accept=a/b;cookie=c=1;x-forwarded-host=localhost:8080;x-forwarded-proto=http;via=1.0 fred, 1.1 valor;");
  const std::string trusted = text(forward_request_headers(request, {.preserve_host = true, .trust_forwarded = true}));
  CHECK(trusted.find("x-forwarded-for=6.6.6.6;") != std::string::npos);
  CHECK(trusted.find(";host=localhost:8080;") != std::string::npos);

  core::HeaderList response;
  for (const auto& [name, value] : Headers{{"connection", "close, x-hop"},
                                           {"x-hop", "1"},
                                           {"transfer-encoding", "chunked"},
                                           {"x-correlation-id", "theirs"},
                                           {"set-cookie", "a=1"},
                                           {"set-cookie", "b=2"},
                                           {"content-encoding", "gzip"}}) {
    response.append(name, value);
  }
  CHECK(text(forward_response_headers(response)) ==
        "set-cookie=a=1;set-cookie=b=2;content-encoding=gzip;via=1.1 valor;");
}

TEST_CASE("a request that came round ten times is a loop") {
  CHECK_FALSE(is_looping(request_with({{"via", "1.1 valor, 1.1 valor"}})));
  std::string via = "1.1 valor";
  for (int i = 1; i < 10; ++i) via += ", 1.1 valor";
  CHECK(is_looping(request_with({{"via", via}})));
}

TEST_CASE("a coding is used when the client names it, its favourite first") {
  const auto codings = [](Headers headers) {
    std::string result;
    for (const Coding& coding : accepted_codings(request_with(headers))) result += std::string(coding.name) + " ";
    return result;
  };
  CHECK(codings({}).empty());
  CHECK(codings({{"accept-encoding", ""}}).empty());
  CHECK(codings({{"accept-encoding", "gzip, deflate, br, zstd"}}) == "br gzip ");
  CHECK(codings({{"accept-encoding", "deflate, GZip"}}) == "gzip ");
  CHECK(codings({{"accept-encoding", "x-gzip"}}) == "gzip ");
  CHECK(codings({{"accept-encoding", "br;q=0.5 , gzip ; q=0.501"}}) == "gzip br ");
  CHECK(codings({{"accept-encoding", "br;q=0, *"}}) == "gzip ");
  CHECK(codings({{"accept-encoding", "*;q=0.1"}}) == "br gzip ");
  CHECK(codings({{"accept-encoding", "*;q=0"}}).empty());
  CHECK(codings({{"accept-encoding", "br"}, {"accept-encoding", "gzip;q=1.000"}}) == "br gzip ");
  for (const char* broken : {"br;q=2", "br;q=", "br;q=0.5555", "br;q=1.1", "br;q=a", "br;q=-1", "brotli", ";", ",,"}) {
    CAPTURE(broken);
    CHECK(codings({{"accept-encoding", broken}}).empty());
  }
}
