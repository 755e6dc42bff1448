// What an instance keeps by key: keeping.c answers with a digit for an error of that number, else with a letter, 'a'
// for 0.
#include <doctest/doctest.h>

#include "plugins/native/test-support.h"

using namespace valor::plugins::native::testing;

static const std::string kOk = "a";
static const std::string kAbsent = "6";

TEST_CASE("a value is there until it is deleted, in its own instance only") {
  Fixture one(test_plugin("keeping"));
  Fixture other(test_plugin("keeping"));
  CHECK(one.text("get?key") == kAbsent);
  CHECK(one.text("set?key") == kOk);
  CHECK(one.text("get?key") == "dkey..");  // 3 bytes
  CHECK(other.text("get?key") == kAbsent);
  CHECK(one.text("delete?key") == kOk);
  CHECK(one.text("delete?key") == kAbsent);
  CHECK(one.text("get?key") == kAbsent);
}

TEST_CASE("a value that is larger than the buffer is cut, and its whole size told") {
  Fixture plugin(test_plugin("keeping"));
  CHECK(plugin.text("set?a-long-key") == kOk);
  CHECK(plugin.text("get?a-long-key") == "ka-lo.");  // 10 bytes
}

TEST_CASE("keys have bounds") {
  Fixture plugin(test_plugin("keeping"));
  CHECK(plugin.text("long?0") == kInvalid);
  CHECK(plugin.text("long?256") == kOk);
  CHECK(plugin.text("long?257") == kInvalid);
  CHECK(plugin.host.log_text.find("state_set(): a key has 1 to 256 bytes, not 257") != std::string::npos);
}

TEST_CASE("what is kept has a bound, which what is replaced or deleted gives back") {
  Fixture plugin(test_plugin("keeping"));
  // "big" counts with its 3 bytes.
  CHECK(plugin.text("fill?16777214") == kInvalid);
  CHECK(plugin.text("fill?16777213") == kOk);
  CHECK(plugin.text("fill?16777213") == kOk);
  CHECK(plugin.text("set?x") == kInvalid);
  CHECK(plugin.text("fill?16777211") == kOk);
  CHECK(plugin.text("set?x") == kOk);
  CHECK(plugin.text("set?y") == kInvalid);
  // What did not fit has left what was there alone.
  CHECK(plugin.text("get?big") == std::string(1, 'a' + 16777211 % 26) + std::string(4, '\0') + ".");
  CHECK(plugin.text("delete?big") == kOk);
  CHECK(plugin.text("set?y") == kOk);
}

TEST_CASE("the number of keys has a bound") {
  Fixture plugin(test_plugin("keeping"));
  CHECK(plugin.text("many?65536") == kOk);
  CHECK(plugin.text("set?x") == kInvalid);
  CHECK(plugin.host.log_text.find("state_set(): there are 65536 keys") != std::string::npos);
  // Those that are there can be set again.
  CHECK(plugin.text("many?65536") == kOk);
}
