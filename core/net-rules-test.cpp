#include "core/net-rules.h"

#include <doctest/doctest.h>

using namespace valor::core;

namespace {

IpAddress address(std::string_view text) {
  std::optional<IpAddress> parsed = IpAddress::parse(text);
  INFO(std::string(text));
  REQUIRE(parsed.has_value());
  return *parsed;
}

NetRules rules(std::initializer_list<std::string_view> texts) {
  std::vector<NetRule> parsed;
  for (std::string_view text : texts) {
    Result<NetRule> rule = NetRule::parse(text);
    INFO(std::string(text));
    REQUIRE(rule.ok());
    parsed.push_back(*rule);
  }
  return NetRules(std::move(parsed));
}

}  // namespace

TEST_CASE("addresses are read in every form and written in one") {
  for (auto [text, canonical] : {std::pair{"1.2.3.4", "1.2.3.4"},
                                 {"::ffff:1.2.3.4", "1.2.3.4"},
                                 {"::FFFF:0102:0304", "1.2.3.4"},
                                 {"::", "::"},
                                 {"::1", "::1"},
                                 {"1::", "1::"},
                                 {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                 {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
                                 {"1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"},
                                 {"64:ff9b::1.2.3.4", "64:ff9b::102:304"}}) {
    CAPTURE(text);
    CHECK(address(text).to_string() == canonical);
  }
  for (std::string_view bad : {"",
                               "1.2.3",
                               "1.2.3.4.5",
                               "1.2.3.256",
                               "01.2.3.4",
                               "1.2.3.",
                               "1.2.3.x",
                               ":",
                               ":::",
                               "1:",
                               ":1",
                               "1:2:3:4:5:6:7",
                               "1:2:3:4:5:6:7:8:9",
                               "1::2::3",
                               "12345::",
                               "g::",
                               "1.2.3.4::",
                               "::1.2.3",
                               "1:2:3:4:5:6:7::8",
                               "[::1]",
                               "fe80::1%1"}) {
    CAPTURE(bad);
    CHECK_FALSE(IpAddress::parse(bad).has_value());
  }
}

TEST_CASE("without rules public addresses are allowed and no others") {
  const NetRules none;
  for (std::string_view text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "126.0.0.1", "128.0.0.1", "172.15.0.1",
        "172.32.0.1", "192.167.1.1", "223.255.255.255", "2606:4700::1111", "2a00::1", "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8", "2002:808:808::1"}) {
    CAPTURE(text);
    CHECK(none.refusal("h", address(text), 80) == "");
  }
  for (auto [text, kind] : {std::pair{"127.0.0.1", "loopback"},
                            {"127.255.255.254", "loopback"},
                            {"0.0.0.0", "unspecified"},
                            {"0.1.2.3", "reserved"},
                            {"10.0.0.1", "private"},
                            {"100.64.0.1", "private"},
                            {"169.254.169.254", "link-local"},
                            {"172.16.0.1", "private"},
                            {"172.31.255.255", "private"},
                            {"192.168.0.1", "private"},
                            {"198.19.0.1", "private"},
                            {"192.0.2.1", "reserved"},
                            {"224.0.0.1", "multicast"},
                            {"240.0.0.1", "reserved"},
                            {"255.255.255.255", "broadcast"},
                            {"::", "unspecified"},
                            {"::1", "loopback"},
                            {"::7f00:1", "loopback"},
                            {"::ffff:127.0.0.1", "loopback"},
                            {"::ffff:10.1.2.3", "private"},
                            {"64:ff9b::10.1.2.3", "private"},
                            {"64:ff9b::127.0.0.1", "loopback"},
                            {"64:ff9b:1::1.1.1.1", "reserved"},
                            {"2002:7f00:1::1", "loopback"},
                            {"2002:a9fe:a9fe::", "link-local"},
                            {"2001:0:1::1", "reserved"},
                            {"2001:db8::1", "reserved"},
                            {"fc00::1", "private"},
                            {"fdff::1", "private"},
                            {"fe80::1", "link-local"},
                            {"febf::1", "link-local"},
                            {"fec0::1", "private"},
                            {"ff02::1", "multicast"},
                            {"4000::1", "reserved"},
                            {"100::1", "reserved"}}) {
    CAPTURE(text);
    CHECK(none.refusal("h", address(text), 80).find(kind) != std::string::npos);
  }
}

TEST_CASE("rules say who may be reached") {
  struct Case {
    std::string_view rule;
    std::string_view host;
    std::string_view address;
    uint16_t port;
    bool allowed;
  };
  for (const Case& test : {
           Case{"api.example.org", "api.example.org", "1.2.3.4", 443, true},
           {"API.Example.org.", "api.example.org", "10.0.0.1", 80, true},
           {"api.example.org", "api.example.org.", "1.2.3.4", 443, true},
           {"api.example.org", "x.api.example.org", "1.2.3.4", 443, false},
           {"api.example.org", "example.org", "1.2.3.4", 443, false},
           {"api.example.org:8443", "api.example.org", "1.2.3.4", 8443, true},
           {"api.example.org:8443", "api.example.org", "1.2.3.4", 443, false},
           {"*.example.com", "a.example.com", "1.2.3.4", 443, true},
           {"*.example.com", "a.b.example.com", "127.0.0.1", 443, true},
           {"*.example.com", "example.com", "1.2.3.4", 443, false},
           {"*.example.com", "aexample.com", "1.2.3.4", 443, false},
           {"*.example.com:8443", "a.example.com", "1.2.3.4", 8443, true},
           {"*.example.com:8443", "a.example.com", "1.2.3.4", 443, false},
           {"localhost", "localhost", "127.0.0.1", 1, true},
           {"localhost", "127.0.0.1", "127.0.0.1", 1, false},
           {"*", "h", "1.2.3.4", 1, true},
           {"*", "h", "10.2.3.4", 1, false},
           {"*:443", "h", "1.2.3.4", 443, true},
           {"*:443", "h", "1.2.3.4", 80, false},
           {"10.0.0.0/8", "h", "10.255.0.1", 80, true},
           {"10.0.0.0/8", "h", "11.0.0.1", 80, false},
           {"10.0.0.0/8", "h", "::ffff:10.0.0.1", 80, true},
           {"10.0.0.0/8", "h", "64:ff9b::10.0.0.1", 80, false},
           {"10.0.0.0/9", "h", "10.127.0.1", 80, true},
           {"10.0.0.0/9", "h", "10.128.0.1", 80, false},
           {"10.0.0.0/8:5432", "h", "10.1.1.1", 5432, true},
           {"10.0.0.0/8:5432", "h", "10.1.1.1", 80, false},
           {"0.0.0.0/0", "h", "127.0.0.1", 80, true},
           {"0.0.0.0/0", "h", "::1", 80, false},
           {"127.0.0.1", "h", "127.0.0.1", 80, true},
           {"127.0.0.1", "h", "127.0.0.2", 80, false},
           {"127.0.0.1:8080", "127.0.0.1", "127.0.0.1", 8080, true},
           {"::1", "[::1]", "::1", 80, true},
           {"[::1]", "[::1]", "::1", 80, true},
           {"[::1]:8080", "[::1]", "::1", 8080, true},
           {"[::1]:8080", "[::1]", "::1", 80, false},
           {"fd00::/8", "h", "fd12::1", 80, true},
           {"[fd00::]/8:80", "h", "fd12::1", 80, true},
           {"[fd00::]/8:80", "h", "fd12::1", 81, false},
           {"fd00::/8", "h", "fc00::1", 80, false},
           {"::/0", "h", "10.0.0.1", 80, true},
       }) {
    CAPTURE(test.rule);
    CAPTURE(test.host);
    CAPTURE(test.address);
    CAPTURE(test.port);
    CHECK(rules({test.rule}).refusal(test.host, address(test.address), test.port).empty() == test.allowed);
  }
  CHECK(rules({"*", "10.0.0.0/8"}).refusal("h", address("10.0.0.1"), 1) == "");
  CHECK(rules({}).refusal("h", address("1.1.1.1"), 1) != "");
}

TEST_CASE("a name is resolved only where an address could be allowed") {
  CHECK(NetRules().may_allow_addresses(80));
  CHECK(rules({"*"}).may_allow_addresses(80));
  CHECK(rules({"10.0.0.0/8:81"}).may_allow_addresses(81));
  CHECK_FALSE(rules({"10.0.0.0/8:81"}).may_allow_addresses(80));
  CHECK_FALSE(rules({"a.example", "*.b.example"}).may_allow_addresses(80));
}

TEST_CASE("a refusal names the rule and how to allow it") {
  CHECK(NetRules().refusal("localhost", address("127.0.0.1"), 8080) ==
        "localhost is 127.0.0.1, which is a loopback address, and without a rule only public addresses are allowed; to "
        "allow it, add \"localhost\" or \"localhost:8080\" to \"permissions\": {\"net\": [...]} of the plug-in's "
        "definition");
  CHECK(rules({"a.example", "*:443"}).refusal("1.2.3.4", address("1.2.3.4"), 80).substr(0, 79) ==
        "1.2.3.4 is a public address, and \"net\" allows \"a.example\", \"*:443\"; to allow it");
  CHECK(rules({}).refusal("b.example", 80).substr(0, 52) == "b.example at port 80 is not allowed: \"net\" is empty;");
  CHECK(NetRules().refusal("[::1]", address("::1"), 80).substr(0, 27) == "[::1] is a loopback address");
}

TEST_CASE("what is no rule is refused") {
  for (std::string_view bad : {"",
                               " ",
                               "a b",
                               "http://a.example",
                               "a.example/path",
                               "a.example:",
                               "a.example:0",
                               "a.example:65536",
                               "a.example:http",
                               "*.",
                               "*a.example",
                               "a.*.example",
                               "**",
                               "10.0.0.0/33",
                               "10.0.0.0/",
                               "10.0.0.0/x",
                               "10.0.0",
                               "1.2.3.256",
                               "::/129",
                               "[::1",
                               "[::1]x",
                               "[a.example]",
                               "[::1]:",
                               "a..b",
                               ".a",
                               "caf\xC3\xA9.example",
                               "/8",
                               "1:2:3",
                               "*/8"}) {
    CAPTURE(bad);
    Result<NetRule> rule = NetRule::parse(bad);
    REQUIRE_FALSE(rule.ok());
    CHECK(rule.error().message.find("; expected a host") != std::string::npos);
  }
}

TEST_CASE("\"self\" is about the plug-ins of this server and no address") {
  CHECK(NetRules().allows_self());
  CHECK(rules({"10.0.0.0/8", "Self"}).allows_self());
  CHECK_FALSE(rules({}).allows_self());
  CHECK_FALSE(rules({"*", "127.0.0.1", "*.self"}).allows_self());
  const NetRules self = rules({"self"});
  CHECK_FALSE(self.may_allow_addresses(80));
  CHECK_FALSE(self.trusts_name("self", 80));
  CHECK(self.refusal("127.0.0.1", address("127.0.0.1"), 80) != "");
  // With a port it is a host of that name.
  CHECK(rules({"self:80"}).trusts_name("self", 80));
  CHECK_FALSE(rules({"self:80"}).allows_self());
}
