#include "core/site.h"

#include <doctest/doctest.h>

#include <string>

using valor::core::Site;

namespace {

std::string target(const Site& site, std::string_view url) {
  std::string found = "kept from before";
  return site.find(url, found) ? found : "elsewhere";
}

}  // namespace

TEST_CASE("everything at an origin is the server's, and nothing else") {
  Site site;
  site.add_origin("http://127.0.0.1:8080");
  CHECK(target(site, "http://127.0.0.1:8080/") == "/");
  CHECK(target(site, "http://127.0.0.1:8080/a/b?c=d") == "/a/b?c=d");
  CHECK(target(site, "http://127.0.0.1:80801/") == "elsewhere");
  CHECK(target(site, "http://127.0.0.1:808/") == "elsewhere");
  CHECK(target(site, "https://127.0.0.1:8080/") == "elsewhere");
  CHECK(target(site, "http://127.0.0.1:8080@example.org/") == "elsewhere");
  CHECK(target(site, "http://localhost:8080/") == "elsewhere");
  site.add_origin("http://localhost:8080");
  CHECK(target(site, "http://localhost:8080/x") == "/x");
}

TEST_CASE("below a location there is its mount, and beside it somebody else's") {
  Site site;
  site.add_mount("https://Example.org:443/api/shop/", "shop");
  CHECK(target(site, "https://example.org/api/shop/a?b=c") == "/shop/a?b=c");
  CHECK(target(site, "https://example.org/api/shop/") == "/shop/");
  CHECK(target(site, "https://example.org/api/shop") == "/shop");
  CHECK(target(site, "https://example.org/api/shop?x") == "/shop?x");
  CHECK(target(site, "https://example.org/api/shops") == "elsewhere");
  CHECK(target(site, "https://example.org/api/") == "elsewhere");
  CHECK(target(site, "https://example.org:8443/api/shop/") == "elsewhere");
}

TEST_CASE("the longest location wins") {
  Site site;
  site.add_mount("https://example.org", "");
  site.add_mount("https://example.org/a/b", "deep");
  site.add_mount("https://example.org/a/", "a");
  CHECK(target(site, "https://example.org/a/b/c") == "/deep/c");
  CHECK(target(site, "https://example.org/a/bc") == "/a/bc");
  CHECK(target(site, "https://example.org/x") == "/x");
  CHECK(target(site, "https://example.org/?q") == "/?q");
}

TEST_CASE("an empty site owns nothing") {
  CHECK(target(Site{}, "http://127.0.0.1:8080/") == "elsewhere");
}
