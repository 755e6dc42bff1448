#include "core/integrity.h"

#include <doctest/doctest.h>

using namespace valor::core;

namespace {

std::string why_not(std::string_view text) {
  Result<Integrity> integrity = Integrity::parse(text);
  return integrity ? "none" : integrity.error().message;
}

// Of the three bytes "abc" (FIPS 180-4, its examples).
const std::string kSha256 = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
const std::string kSha256Digest(
    "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c"
    "\xb4\x10\xff\x61\xf2\x00\x15\xad",
    32);
const std::string kSha384 = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn";

}  // namespace

TEST_CASE("a hash is read into its bytes and written from them") {
  Result<Integrity> integrity = Integrity::parse(kSha256);
  REQUIRE(integrity.ok());
  CHECK(integrity->algorithm == HashAlgorithm::kSha256);
  CHECK(integrity->text == kSha256);
  CHECK(integrity->allows(kSha256Digest));
  CHECK_FALSE(integrity->allows(std::string(32, 'x')));
  CHECK_FALSE(integrity->allows(""));
  CHECK(integrity_text(HashAlgorithm::kSha256, kSha256Digest) == kSha256);
  CHECK(integrity_text(HashAlgorithm::kSha384, Integrity::parse(kSha384)->digests[0]) == kSha384);
  const std::string sha512 = integrity_text(HashAlgorithm::kSha512, std::string(64, '\xff'));
  CHECK(sha512 == "sha512-" + std::string(85, '/') + "w==");
  CHECK(Integrity::parse(sha512)->allows(std::string(64, '\xff')));
}

TEST_CASE("the alphabet of base64url is read too") {
  std::string url = kSha256;
  for (char& c : url) c = c == '+' ? '-' : c == '/' ? '_' : c;
  CHECK(Integrity::parse(url)->digests == Integrity::parse(kSha256)->digests);
}

TEST_CASE("of several hashes those of the strongest kind count") {
  const std::string other = integrity_text(HashAlgorithm::kSha384, std::string(48, 'x'));
  Result<Integrity> integrity = Integrity::parse("  " + kSha256 + "\t" + kSha384 + " \n" + other + ' ');
  REQUIRE(integrity.ok());
  CHECK(integrity->algorithm == HashAlgorithm::kSha384);
  CHECK(integrity->digests.size() == 2);
  CHECK(integrity->allows(std::string(48, 'x')));
  CHECK(Integrity::parse(kSha384 + ' ' + kSha256)->digests.size() == 1);
}

TEST_CASE("what is no hash is refused") {
  for (std::string_view text :
       {"md5-1B2M2Y8AsgTpgAmY7PhCfg==", "sha256", "SHA256-", "x", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="}) {
    CAPTURE(text);
    CHECK(why_not(text) == "is no integrity; expected \"sha256-\", \"sha384-\" or \"sha512-\" and the hash in base64");
  }
  for (const std::string& base64 :
       {std::string(), std::string(43, 'A'), std::string(44, 'A'), std::string(42, 'A') + "==", std::string(44, '='),
        std::string(42, 'A') + "B=", std::string(42, 'A') + " A=", std::string(42, 'A') + "*=",
        std::string(43, 'A') + "=?x", kSha384.substr(7)}) {
    CAPTURE(base64);
    CHECK(why_not("sha256-" + base64) == "is no integrity; after \"sha256-\" expected 44 characters of base64");
  }
  CHECK(why_not(kSha256 + " x") != "none");
  CHECK(why_not("") == "holds no hash");
  CHECK(why_not(" \t") == "holds no hash");
}
