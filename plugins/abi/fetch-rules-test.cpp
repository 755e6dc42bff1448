#include "plugins/abi/fetch-rules.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace valor::plugins;
using namespace valor::plugins::abi;
namespace core = valor::core;

namespace {

/// URLs like "http://host:port/path", and paths.
class SimpleNetwork final : public outgoing::Network {
 public:
  std::optional<outgoing::Url> parse(std::string_view text, std::string_view base) const override {
    outgoing::Url url;
    url.href = text.find("://") == std::string_view::npos ? std::string(base.substr(0, base.find('/', 8))) : "";
    url.href += text;
    url.scheme = url.href.substr(0, url.href.find(':'));
    url.origin = url.href.substr(0, url.href.find('/', 8));
    url.port = url.origin.ends_with(":25") ? 25 : 80;
    url.has_credentials = url.origin.find('@') != std::string::npos;
    return url.href.find(' ') == std::string::npos ? std::optional(url) : std::nullopt;
  }
  std::unique_ptr<outgoing::Sending> send(valor::client::ClientRequest, unsigned,
                                          valor::client::TransferListener&) override {
    return nullptr;
  }
};

std::string packed(std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
  std::string block;
  for (const auto& [name, value] : headers) {
    const uint32_t sizes[2] = {static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value.size())};
    block.append(reinterpret_cast<const char*>(sizes), sizeof(sizes)).append(name).append(value);
  }
  return block;
}

core::Result<FetchTarget> begun(std::string_view method, std::string_view url, const std::string& headers = "",
                                bool has_body = false) {
  return begin_fetch(SimpleNetwork(), method, url, "http://self/mount/", headers, has_body);
}

FetchTarget after(uint16_t status, std::string_view method, bool has_body, std::string_view location) {
  const std::string headers = packed({{"authorization", "a"}, {"cookie", "c"}, {"content-type", "t"}, {"x-own", "o"}});
  FetchTarget target = begun(method, "http://one/", headers, has_body).value();
  REQUIRE(follow_redirect(SimpleNetwork(), status, location, target));
  return target;
}

}  // namespace

TEST_CASE("methods are normalised as browsers do, and some cannot be sent") {
  CHECK(begun("get", "http://a/").value().method == "GET");
  CHECK(begun("patch", "http://a/").value().method == "patch");
  for (const char* method : {"CONNECT", "trace", "Track", "", "A B", "A\n"}) CHECK_FALSE(begun(method, "http://a/"));
  CHECK_FALSE(begun("GET", "http://a/", "", true));
  CHECK_FALSE(begun("head", "http://a/", "", true));
}

TEST_CASE("URLs that cannot be fetched are refused") {
  for (const char* url : {"ftp://a/", "http://a b/", "http://u@a/", "http://a:25/"}) CHECK_FALSE(begun("GET", url));
  CHECK(begun("GET", "/x").value().url.href == "http://self/x");
}

TEST_CASE("framing is the host's, and what is missing is added") {
  const FetchTarget target =
      begun("POST", "http://a/", packed({{"content-length", "9"}, {"Connection", "close"}, {"accept", "x"}})).value();
  CHECK(target.headers.get("content-length") == "0");
  CHECK_FALSE(target.headers.has("connection"));
  CHECK(target.headers.get("accept") == "x");
  CHECK(target.headers.get("user-agent") == "Valor/0.1.0");
  CHECK(begun("GET", "http://a/", packed({{"range", "bytes=0-"}})).value().headers.get("accept-encoding") ==
        "identity");
  CHECK_FALSE(begun("GET", "http://a/", packed({{"a b", "c"}})));
  CHECK_FALSE(begun("GET", "http://a/", packed({{"a", "c"}}).substr(0, 9)));
}

TEST_CASE("redirects change the method where browsers change it") {
  CHECK(after(301, "POST", false, "/x").method == "GET");
  CHECK(after(302, "POST", true, "/x").method == "GET");
  CHECK(after(303, "PUT", true, "/x").method == "GET");
  CHECK(after(303, "HEAD", false, "/x").method == "HEAD");
  CHECK(after(302, "PUT", false, "/x").method == "PUT");
  CHECK(after(307, "POST", false, "/x").method == "POST");
  CHECK(after(308, "DELETE", false, "/x").method == "DELETE");
  CHECK_FALSE(after(301, "POST", true, "/x").has_body);
  CHECK_FALSE(after(301, "POST", true, "/x").headers.has("content-type"));
}

TEST_CASE("secrets stay with their origin") {
  CHECK(after(302, "GET", false, "/x").headers.has("authorization"));
  const FetchTarget other = after(302, "GET", false, "http://two/");
  CHECK_FALSE(other.headers.has("authorization"));
  CHECK_FALSE(other.headers.has("cookie"));
  CHECK(other.headers.has("x-own"));
}

TEST_CASE("redirects that cannot be followed") {
  FetchTarget target = begun("PUT", "http://one/", "", true).value();
  for (const uint16_t status : {301, 302, 307, 308})
    CHECK_FALSE(follow_redirect(SimpleNetwork(), status, "/x", target));
  for (const char* to : {"ftp://a/", "http://a b/", "http://u@a/", "http://a:25/"}) {
    CHECK_FALSE(follow_redirect(SimpleNetwork(), 303, to, target));
  }
  target = begun("GET", "http://one/").value();
  for (unsigned i = 0; i < kMaxRedirects; ++i) CHECK(follow_redirect(SimpleNetwork(), 302, "/x", target));
  CHECK_FALSE(follow_redirect(SimpleNetwork(), 302, "/x", target));
}
