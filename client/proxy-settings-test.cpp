#include "client/proxy-settings.h"

#include <doctest/doctest.h>

#include <map>

using valor::client::ProxySettings;

namespace {

ProxySettings settings(std::map<std::string, std::string> environment) {
  return ProxySettings([environment = std::move(environment)](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
}

}  // namespace

TEST_CASE("proxies are taken from the environment as curl does") {
  CHECK(settings({}).proxy_for("http", "a") == "");
  CHECK(settings({{"http_proxy", "http://p:1"}}).proxy_for("http", "a") == "http://p:1");
  CHECK(settings({{"http_proxy", "http://p:1"}}).proxy_for("https", "a") == "");
  CHECK(settings({{"HTTP_PROXY", "http://p:1"}}).proxy_for("http", "a") == "");
  CHECK(settings({{"HTTPS_PROXY", "http://p:1"}}).proxy_for("https", "a") == "http://p:1");
  CHECK(settings({{"ALL_PROXY", "http://p:1"}, {"https_proxy", "q"}}).proxy_for("https", "a") == "q");
  CHECK(settings({{"ALL_PROXY", "http://p:1"}}).proxy_for("http", "a") == "http://p:1");
}

TEST_CASE("no_proxy exempts hosts, what is below them, and networks") {
  for (auto [list, host, exempt] : {std::tuple{"*", "a", true},
                                    {"a.example", "a.example", true},
                                    {"x, A.Example", "b.a.example", true},
                                    {".a.example", "a.example", true},
                                    {"a.example", "ba.example", false},
                                    {"a.example", "example", false},
                                    {"10.0.0.0/8", "10.1.1.1", true},
                                    {"10.0.0.0/8", "11.1.1.1", false},
                                    {"10.0.0.0/8", "::1", false},
                                    {"::1", "[::1]", true},
                                    {"127.0.0.1", "127.0.0.1", true},
                                    {"fd00::/8", "[fd00::1]", true},
                                    {" , ", "a", false}}) {
    CAPTURE(list);
    CAPTURE(host);
    CHECK(settings({{"http_proxy", "p"}, {"NO_PROXY", list}}).proxy_for("http", host).empty() == exempt);
  }
}
