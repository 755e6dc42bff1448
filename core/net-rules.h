// Which places a plug-in may reach over the network: "permissions": {"net": [...]} of its definition.
//
// A rule that names a host trusts the name, whatever addresses it resolves to. All others are about addresses, and are
// asked again with each address that is about to be connected to, after the name was resolved: so neither a name that
// points into a private network nor one that changes its mind gets around them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip-address.h"
#include "core/result.h"

namespace valor::core {

struct NetRule {
  enum class Kind {
    kPublic,   ///< "*": every public address
    kSelf,     ///< "self": the plug-ins of this server
    kHost,     ///< "api.example.org"
    kDomain,   ///< "*.example.org": every name below, not example.org itself
    kNetwork,  ///< "10.0.0.0/8", "fd00::/8", "127.0.0.1", "[::1]:8080"
  };
  Kind kind = Kind::kPublic;
  std::string text;     ///< as the operator wrote it
  std::string host;     ///< kHost: in lower case; kDomain: ".example.org"
  IpAddress network;    ///< kNetwork
  unsigned bits = 128;  ///< kNetwork: of the 128 of IpAddress
  uint16_t port = 0;    ///< 0: every port

  /// The error says what was expected.
  static Result<NetRule> parse(std::string_view text);
};

class NetRules {
 public:
  /// What holds where the definition says nothing: public addresses only.
  NetRules() = default;
  explicit NetRules(std::vector<NetRule> rules) : declared_(true), rules_(std::move(rules)) {}

  /// Whether the plug-ins of this server may be reached, which takes no network.
  bool allows_self() const;
  /// Whether a rule trusts this host by its name, which is in the form that URLs have: in lower case, punycode.
  bool trusts_name(std::string_view host, uint16_t port) const;
  /// "" when a rule allows this address; else a sentence that says which rule does not, and what would.
  std::string refusal(std::string_view host, const IpAddress& address, uint16_t port) const;
  /// Whether any rule may allow an address: else a host need not be resolved.
  bool may_allow_addresses(uint16_t port) const;
  /// As refusal(), for a host that no address can be allowed for.
  std::string refusal(std::string_view host, uint16_t port) const;

  /// Whether the definition says which.
  bool declared() const { return declared_; }
  const std::vector<NetRule>& rules() const { return rules_; }

 private:
  bool declared_ = false;
  std::vector<NetRule> rules_;
};

}  // namespace valor::core
